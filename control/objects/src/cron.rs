//! Schedules of CronJobs: five fields, or a descriptor like `@daily`, in the words of `robfig/cron` where they are wrong.

/// The range of a field's values and the names that stand for some of them.
struct Bounds {
    low: u32,
    high: u32,
    names: &'static [&'static str],
}

const FIELDS: [Bounds; 5] = [
    Bounds { low: 0, high: 59, names: &[] },
    Bounds { low: 0, high: 23, names: &[] },
    Bounds { low: 1, high: 31, names: &[] },
    Bounds {
        low: 1,
        high: 12,
        names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    },
    Bounds { low: 0, high: 6, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] },
];

/// What a descriptor stands for.
const DESCRIPTORS: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

/// One field: a bit for each value that it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The values.
    pub bits: u64,
    /// True for `*` and `?`: such a day does not narrow the other kind of day.
    pub any: bool,
}

/// When a job is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// At the times that all fields take: minute, hour, day of the month, month, day of the week (0: Sunday).
    Fields([Field; 5]),
    /// So many seconds after the last time.
    Every(u64),
}

/// Text that is no schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Error(String);

/// Reads a schedule. A time zone in front (`TZ=`, `CRON_TZ=`) is left out.
///
/// # Errors
/// Upstream's words for what is wrong with it.
pub fn parse(text: &str) -> Result<Schedule, Error> {
    if text.is_empty() {
        return Err(Error("empty spec string".into()));
    }
    let text = match text.strip_prefix("TZ=").or_else(|| text.strip_prefix("CRON_TZ=")) {
        Some(rest) => rest.split_once(' ').map_or("", |(_, fields)| fields.trim()),
        None => text,
    };
    if text.starts_with('@') {
        return descriptor(text);
    }
    let parts: Vec<&str> = text.split_whitespace().collect();
    let fields: [&str; 5] = parts
        .as_slice()
        .try_into()
        .map_err(|_| Error(format!("expected exactly 5 fields, found {}: [{}]", parts.len(), parts.join(" "))))?;
    let mut parsed = [Field { bits: 0, any: false }; 5];
    for ((slot, text), bounds) in parsed.iter_mut().zip(fields).zip(&FIELDS) {
        *slot = field(text, bounds)?;
    }
    Ok(Schedule::Fields(parsed))
}

fn descriptor(text: &str) -> Result<Schedule, Error> {
    if let Some((_, fields)) = DESCRIPTORS.iter().find(|(name, _)| *name == text) {
        return parse(fields);
    }
    let Some(every) = text.strip_prefix("@every ") else {
        return Err(Error(format!("unrecognized descriptor: {text}")));
    };
    match seconds(every) {
        Some(seconds) => Ok(Schedule::Every(seconds.max(1))),
        None => Err(Error(format!("failed to parse duration {text}: time: invalid duration \"{every}\""))),
    }
}

/// A duration as Go writes it: `1h30m`.
fn seconds(text: &str) -> Option<u64> {
    let (mut total, mut rest) = (0.0, text);
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let unit_end = rest[number..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |end| number + end);
        let amount: f64 = rest[..number].parse().ok()?;
        total += amount
            * match &rest[number..unit_end] {
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 1e-3,
                "us" | "µs" => 1e-6,
                "ns" => 1e-9,
                _ => return None,
            };
        rest = &rest[unit_end..];
    }
    (total.is_finite() && !text.is_empty()).then_some(total as u64)
}

fn field(text: &str, bounds: &Bounds) -> Result<Field, Error> {
    let mut field = Field { bits: 0, any: false };
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let one = range(part, bounds)?;
        field.bits |= one.bits;
        field.any |= one.any;
    }
    Ok(field)
}

/// `number | number "-" number [ "/" number ]`, or `*` in place of the range.
fn range(text: &str, bounds: &Bounds) -> Result<Field, Error> {
    let (span, step) = match text.split('/').collect::<Vec<_>>()[..] {
        [span] => (span, None),
        [span, step] => (span, Some(step)),
        _ => return Err(Error(format!("too many slashes: {text}"))),
    };
    let ends: Vec<&str> = span.split('-').collect();
    let mut any = false;
    let (start, mut end) = match ends[..] {
        ["*" | "?", ..] => {
            any = true;
            (bounds.low, bounds.high)
        }
        [one] => {
            let n = value(one, bounds.names)?;
            (n, n)
        }
        [start, end] => (value(start, bounds.names)?, value(end, bounds.names)?),
        _ => return Err(Error(format!("too many hyphens: {text}"))),
    };
    let step = match step {
        None => 1,
        Some(step) => {
            // "N/step" means "N-max/step".
            if ends.len() == 1 && !any {
                end = bounds.high;
            }
            let step = number(step)?;
            any &= step <= 1;
            step
        }
    };
    let (low, high) = (bounds.low, bounds.high);
    if start < low {
        return Err(Error(format!("beginning of range ({start}) below minimum ({low}): {text}")));
    }
    if end > high {
        return Err(Error(format!("end of range ({end}) above maximum ({high}): {text}")));
    }
    if start > end {
        return Err(Error(format!("beginning of range ({start}) beyond end of range ({end}): {text}")));
    }
    if step == 0 {
        return Err(Error(format!("step of range should be a positive number: {text}")));
    }
    let bits = (start..=end).step_by(step as usize).fold(0, |bits, n| bits | 1 << n);
    Ok(Field { bits, any })
}

fn value(text: &str, names: &[&str]) -> Result<u32, Error> {
    let lower = text.to_lowercase();
    match names.iter().position(|name| *name == lower) {
        // Months are counted from one, days of the week from zero.
        Some(at) => Ok(at as u32 + u32::from(names.len() == 12)),
        None => number(text),
    }
}

fn number(text: &str) -> Result<u32, Error> {
    match text.parse::<i64>() {
        Ok(n) if n < 0 => Err(Error(format!("negative number ({n}) not allowed: {text}"))),
        Ok(n) => Ok(u32::try_from(n).unwrap_or(u32::MAX)),
        Err(_) => {
            Err(Error(format!("failed to parse int from {text}: strconv.Atoi: parsing \"{text}\": invalid syntax")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_become_bits() {
        let Ok(Schedule::Fields([minute, hour, day, month, week])) = parse("*/15 1-3,9 * JAN mon-fri") else {
            panic!("a schedule of fields")
        };
        assert_eq!(minute.bits, 1 | 1 << 15 | 1 << 30 | 1 << 45);
        assert_eq!(hour.bits, 0b1110 | 1 << 9);
        assert!(day.any && !minute.any);
        assert_eq!(month.bits, 0b10);
        assert_eq!(week.bits, 0b111_110);
        assert_eq!(parse("@hourly"), parse("0 * * * *"));
        assert_eq!(parse("@every 1h30m"), Ok(Schedule::Every(5400)));
        assert_eq!(parse("TZ=Europe/Berlin 0 0 * * *"), parse("@daily"));
    }

    #[test]
    fn wrong_schedules_are_told_in_upstreams_words() {
        let cases = [
            ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
            ("60 * * * *", "end of range (60) above maximum (59): 60"),
            ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
            ("x * * * *", "failed to parse int from x: strconv.Atoi: parsing \"x\": invalid syntax"),
            ("*/0 * * * *", "step of range should be a positive number: */0"),
            ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
            ("1/2/3 * * * *", "too many slashes: 1/2/3"),
            ("@often", "unrecognized descriptor: @often"),
        ];
        for (text, words) in cases {
            assert_eq!(parse(text).map_err(|e| e.to_string()), Err(words.to_owned()), "{text}");
        }
    }
}
