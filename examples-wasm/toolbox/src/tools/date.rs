//! `date [-u] [-d TIME] [-r FILE] [-Iseconds] [-R] [+FORMAT]`. UTC is the only zone.

use std::io::Write as _;
use std::time::SystemTime;

use crate::calendar::Moment;
use crate::failure::Failure;
use crate::files;
use crate::io::Io;
use crate::options;

pub fn date(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    // `-I` may have its unit right behind it, and only there.
    let mut iso = None;
    let mut rest = Vec::new();
    for argument in arguments {
        match argument.strip_prefix("-I").or(argument.strip_prefix("--iso-8601")) {
            Some(unit) => iso = Some(unit.trim_start_matches('=').to_owned()),
            None => rest.push(argument.clone()),
        }
    }
    let long = [("date", 'd'), ("utc", 'u'), ("reference", 'r'), ("rfc-2822", 'R'), ("rfc-email", 'R')];
    let options = options::parse(&rest, "ud:r:Rs:", &long)?;
    if options.has('s') {
        return Err("cannot set date: Operation not permitted".into());
    }
    let now = Moment::from(SystemTime::now());
    let moment = match (options.value('d'), options.value('r')) {
        (Some(text), _) => parse(text, now).ok_or_else(|| Failure::from(format!("invalid date '{text}'")))?,
        (None, Some(path)) => files::facts(path).map_err(|error| Failure::of(path, &error))?.modified.into(),
        (None, None) => now,
    };
    let format = match (options.operands.first().and_then(|word| word.strip_prefix('+')), iso.as_deref()) {
        (Some(format), _) => format,
        (None, Some("seconds")) => "%FT%T%:z",
        (None, Some("minutes")) => "%FT%R%:z",
        (None, Some("hours")) => "%FT%H%:z",
        (None, Some("ns")) => "%FT%T,%N%:z",
        (None, Some(_)) => "%F",
        (None, None) if options.has('R') => "%a, %d %b %Y %T %z",
        (None, None) => "%a %b %e %T UTC %Y",
    };
    writeln!(io.out, "{}", moment.format(format))?;
    Ok(0)
}

/// `@seconds`, `2024-02-29`, `2024-02-29 10:20[:30]`, `2024-02-29T10:20:30Z`, `now`, `3 days ago`, `1 hour`.
pub fn parse(text: &str, now: Moment) -> Option<Moment> {
    if let Some(seconds) = text.strip_prefix('@') {
        return Some(Moment::new(seconds.split('.').next()?.parse().ok()?, 0));
    }
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    match words[..] {
        ["now" | "today"] => Some(now),
        ["yesterday"] => Some(Moment::new(now.seconds - 86_400, 0)),
        ["tomorrow"] => Some(Moment::new(now.seconds + 86_400, 0)),
        [count, unit] | [count, unit, "ago"] if unit_of(unit).is_some() => {
            let span = count.parse::<i64>().ok()?.checked_mul(unit_of(unit)?)?;
            let span = if words.len() == 3 { -span } else { span };
            Some(Moment::new(now.seconds.checked_add(span)?, 0))
        }
        _ => absolute(text.trim()),
    }
}

fn unit_of(unit: &str) -> Option<i64> {
    Some(match unit.trim_end_matches('s') {
        "second" | "sec" => 1,
        "minute" | "min" => 60,
        "hour" => 3_600,
        "day" => 86_400,
        "week" => 604_800,
        _ => return None,
    })
}

fn absolute(text: &str) -> Option<Moment> {
    let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00"));
    let time = time.trim_end_matches(['Z', ' ']).trim_end_matches("UTC").trim_end_matches("+00:00").trim();
    let mut date = date.split('-').map(str::parse::<u32>);
    let (year, month, day) = (date.next()?.ok()?, date.next()?.ok()?, date.next()?.ok()?);
    let mut time = time.split(':').map(|part| part.split('.').next().unwrap_or_default().parse::<u32>());
    let (hour, minute) = (time.next()?.ok()?, time.next().transpose().ok()?.unwrap_or(0));
    let second = time.next().transpose().ok()?.unwrap_or(0);
    let right = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 61;
    (right && year < 100_000).then(|| Moment::from_parts(i64::from(year), month, day, hour, minute, second))
}

#[cfg(test)]
mod tests {
    use crate::tools::tests::{output, run_on, run_with};

    #[test]
    fn dates() {
        assert_eq!(output("date -d @0", ""), "Thu Jan  1 00:00:00 UTC 1970\n");
        assert_eq!(output("date -u -d 2024-02-29T10:20:30Z +%s", ""), "1709202030\n");
        assert_eq!(output("date -Iseconds -d @86400", ""), "1970-01-02T00:00:00+00:00\n");
        assert_eq!(run_on("date -d 2024-13-01", "").0, 1);
        let words = ["date", "-d", "2024-01-02 03:04", "+%F %R"].map(str::to_owned);
        assert_eq!(run_with(&words, "").1, "2024-01-02 03:04\n");
    }
}
