//! Formats of times.

use jiff::civil::Date;

/// `2006-01-02`
pub(super) fn is_date(text: &str) -> bool {
    let is_shaped = text.len() == 10
        && text.bytes().enumerate().all(|(at, b)| if matches!(at, 4 | 7) { b == b'-' } else { b.is_ascii_digit() });
    is_shaped && Date::strptime("%Y-%m-%d", text).is_ok()
}

/// `2014-12-15T19:30:20.000Z`
pub(super) fn is_date_time(text: &str) -> bool {
    let lower = text.to_lowercase();
    let Some((date, time)) = lower.split_once('t') else { return false };
    let Some((clock, rest)) = time.split_at_checked(8) else { return false };
    is_date(date) && is_clock(clock) && is_zone(without_fraction(rest))
}

fn is_clock(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let is_below = |part: &str, most: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit()) && part <= most;
    matches!(parts[..], [h, m, s] if is_below(h, "23") && is_below(m, "59") && is_below(s, "59"))
}

fn without_fraction(text: &str) -> &str {
    match text.strip_prefix(['.', ',']) {
        Some(fraction) if fraction.starts_with(|c: char| c.is_ascii_digit()) => {
            fraction.trim_start_matches(|c: char| c.is_ascii_digit())
        }
        _ => text,
    }
}

fn is_zone(text: &str) -> bool {
    let bytes = text.as_bytes();
    match bytes {
        [b'z'] => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => [h1, h2, m1, m2].iter().all(|b| b.is_ascii_digit()),
        _ => false,
    }
}

/// The units of Go, and the words and abbreviations that are units too.
const GO_UNITS: [&str; 8] = ["ns", "us", "µs", "μs", "ms", "s", "m", "h"];
const UNITS: [&str; 17] =
    ["ns", "us", "µs", "ms", "s", "sec", "m", "min", "h", "hr", "d", "w", "wk", "nano", "micro", "milli", "hour"];
const UNIT_STARTS: [&str; 8] = ["nano", "micro", "milli", "sec", "min", "hour", "day", "week"];

/// `1h30m`, `-1.5h`, or with the units in words: `22 ns`, `3 days`.
pub(super) fn is_duration(text: &str) -> bool {
    is_go_duration(text) || is_worded_duration(text)
}

fn is_go_duration(text: &str) -> bool {
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return true;
    }
    let mut nanoseconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len();
        let (number, after) = rest.split_at(digits);
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, next) = after.split_at(end);
        let Ok(number) = number.parse::<f64>() else { return false };
        if !GO_UNITS.contains(&unit) {
            return false;
        }
        nanoseconds += number * scale(unit);
        rest = next;
    }
    !text.is_empty() && !text.ends_with(['-', '+']) && nanoseconds <= i64::MAX as f64
}

fn scale(unit: &str) -> f64 {
    match unit {
        "ns" => 1.0,
        "us" | "µs" | "μs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "m" => 6e10,
        _ => 3.6e12,
    }
}

/// Pairs of a whole number and a unit; one of the units at least must be known.
fn is_worded_duration(text: &str) -> bool {
    let (mut rest, mut is_known) = (text.trim(), false);
    while !rest.is_empty() {
        let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let digits = &rest[..rest.len() - after.len()];
        let word = after.trim_start();
        let next = word.trim_start_matches(|c: char| c.is_ascii_alphabetic() || c == 'µ');
        let unit = word[..word.len() - next.len()].to_lowercase();
        if digits.parse::<i64>().is_err() || unit.is_empty() {
            return false;
        }
        is_known |= UNITS.contains(&unit.as_str()) || UNIT_STARTS.iter().any(|start| unit.starts_with(start));
        rest = next.trim_start();
    }
    is_known
}
