//! Points in time and spans between them, in UTC where nothing else is said.

use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, Zoned};

use super::super::value::Value;
use super::{Answer, Function, Run, failed, no_overload};

/// The function of this name.
pub fn find(name: &str) -> Option<Function> {
    Some(match name {
        "duration" => to_duration,
        "timestamp" => to_timestamp,
        ".getFullYear" | ".getMonth" | ".getDayOfYear" | ".getDayOfMonth" | ".getDate" | ".getDayOfWeek"
        | ".getHours" | ".getMinutes" | ".getSeconds" | ".getMilliseconds" => part,
        _ => return None,
    })
}

fn to_duration<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    match of.as_slice() {
        [Value::Duration(span)] => Ok(Value::Duration(*span)),
        [Value::Int(nanos)] => Ok(Value::Duration(SignedDuration::from_nanos(*nanos))),
        [Value::String(text)] => match parse_duration(text) {
            Some(span) => Ok(Value::Duration(span)),
            None => Err(failed("type conversion error from 'string' to 'google.protobuf.Duration'")),
        },
        _ => Err(no_overload(run.name, &of)),
    }
}

fn to_timestamp<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    match of.as_slice() {
        [Value::Timestamp(at)] => Ok(Value::Timestamp(*at)),
        [Value::Int(seconds)] => {
            Timestamp::from_second(*seconds).map(Value::Timestamp).map_err(|_| failed("timestamp overflow"))
        }
        [Value::String(text)] => match parse_timestamp(text) {
            Some(at) => Ok(Value::Timestamp(at)),
            None => Err(failed("type conversion error from 'string' to 'google.protobuf.Timestamp'")),
        },
        _ => Err(no_overload(run.name, &of)),
    }
}

/// A point in time as RFC 3339 has it.
pub fn parse_timestamp(text: &str) -> Option<Timestamp> {
    let has_time = text.get(10..11).is_some_and(|t| t.eq_ignore_ascii_case("t"));
    let has_zone = text.ends_with(['Z', 'z']) || text.rfind(['+', '-']).is_some_and(|at| at > 10);
    (has_time && has_zone).then(|| text.parse().ok())?
}

/// The beginning of a day: `2024-01-31`.
pub fn parse_date(text: &str) -> Option<Timestamp> {
    let date: Date = text.parse().ok()?;
    date.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp())
}

/// A span as Go writes it: `1h30m`, `-1.5s`, `100ms`.
pub fn parse_duration(text: &str) -> Option<SignedDuration> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(SignedDuration::ZERO);
    }
    if rest.is_empty() {
        return None;
    }
    let mut nanos: i128 = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(end);
        let (unit, after) = unit(after)?;
        nanos = nanos.checked_add(scaled(number, unit)?)?;
        rest = after;
    }
    let nanos = i64::try_from(if negative { -nanos } else { nanos }).ok()?;
    Some(SignedDuration::from_nanos(nanos))
}

fn unit(text: &str) -> Option<(i128, &str)> {
    const UNITS: [(&str, i128); 8] = [
        ("ns", 1),
        ("us", 1_000),
        ("µs", 1_000),
        ("μs", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ];
    UNITS.iter().find_map(|(name, nanos)| text.strip_prefix(name).map(|rest| (*nanos, rest)))
}

/// `1.5` of a unit.
fn scaled(number: &str, unit: i128) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || whole.len() > 19 {
        return None;
    }
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let digits = &fraction[..fraction.len().min(18)];
    let part: i128 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
    let scale = 10_i128.pow(u32::try_from(digits.len()).ok()?);
    whole.checked_mul(unit)?.checked_add(part * unit / scale)
}

/// A span in seconds: `90s`, `1.5s`.
pub fn duration_text(span: SignedDuration) -> String {
    let nanos = span.as_nanos();
    let (sign, nanos) = if nanos < 0 { ("-", -nanos) } else { ("", nanos) };
    let (seconds, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    if rest == 0 {
        return format!("{sign}{seconds}s");
    }
    let fraction = format!("{rest:09}");
    format!("{sign}{seconds}.{}s", fraction.trim_end_matches('0'))
}

/// A point in time as RFC 3339 has it.
pub fn timestamp_text(at: Timestamp) -> String {
    at.to_string()
}

fn part<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let at = match of.as_slice() {
        [Value::Duration(span)] => return span_part(run.name, *span).ok_or_else(|| no_overload(run.name, &of)),
        [Value::Timestamp(at)] => at.to_zoned(TimeZone::UTC),
        [Value::Timestamp(at), Value::String(zone)] => in_zone(*at, zone)?,
        _ => return Err(no_overload(run.name, &of)),
    };
    let at: DateTime = at.datetime();
    Ok(Value::Int(match run.name {
        ".getFullYear" => at.year().into(),
        ".getMonth" => i64::from(at.month()) - 1,
        ".getDayOfYear" => i64::from(at.date().day_of_year()) - 1,
        ".getDayOfMonth" => i64::from(at.day()) - 1,
        ".getDate" => at.day().into(),
        ".getDayOfWeek" => at.date().weekday().to_sunday_zero_offset().into(),
        ".getHours" => at.hour().into(),
        ".getMinutes" => at.minute().into(),
        ".getSeconds" => at.second().into(),
        _ => i64::from(at.millisecond()),
    }))
}

/// A span as a whole, counted in a unit.
fn span_part<'a>(name: &str, span: SignedDuration) -> Option<Value<'a>> {
    Some(Value::Int(match name {
        ".getHours" => span.as_hours(),
        ".getMinutes" => span.as_mins(),
        ".getSeconds" => span.as_secs(),
        ".getMilliseconds" => i64::try_from(span.as_millis()).unwrap_or(i64::MAX),
        _ => return None,
    }))
}

/// `UTC`, `+02:00`, or a name that the machine knows.
fn in_zone(at: Timestamp, zone: &str) -> Result<Zoned, super::EvalError> {
    if zone.is_empty() || zone == "UTC" {
        return Ok(at.to_zoned(TimeZone::UTC));
    }
    let zone = match offset(zone) {
        Some(offset) => TimeZone::fixed(offset),
        None => TimeZone::get(zone).map_err(|_| failed(format!("unknown time zone {zone}")))?,
    };
    Ok(at.to_zoned(zone))
}

fn offset(zone: &str) -> Option<Offset> {
    let (sign, rest) = match zone.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, zone.strip_prefix('+').unwrap_or(zone)),
    };
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}
