//! `sleep NUMBER[smhd]…`.

use std::thread;
use std::time::Duration;

use crate::failure::Failure;
use crate::io::Io;

pub fn sleep(arguments: &[String], _: &mut Io) -> Result<u8, Failure> {
    if arguments.is_empty() {
        return Err("missing operand".into());
    }
    let mut all = Duration::ZERO;
    for argument in arguments {
        all = all.saturating_add(duration(argument)?);
    }
    thread::sleep(all);
    Ok(0)
}

/// `1.5`, `2m`, `1h`, `infinity`.
pub fn duration(text: &str) -> Result<Duration, Failure> {
    let bad = || Failure::from(format!("invalid time interval '{text}'"));
    if text.starts_with("inf") {
        return Ok(Duration::from_secs(u64::from(u32::MAX) * 100));
    }
    let (digits, unit) = match text.chars().last() {
        Some('s') => (&text[..text.len() - 1], 1.0),
        Some('m') => (&text[..text.len() - 1], 60.0),
        Some('h') => (&text[..text.len() - 1], 3_600.0),
        Some('d') => (&text[..text.len() - 1], 86_400.0),
        _ => (text, 1.0),
    };
    let value: f64 = digits.parse().map_err(|_| bad())?;
    Duration::try_from_secs_f64(value * unit).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(duration("1.5").unwrap(), Duration::from_millis(1_500));
        assert_eq!(duration("2m").unwrap(), Duration::from_secs(120));
        assert!(duration("-1").is_err() && duration("x").is_err() && duration("").is_err());
        assert!(duration("infinity").unwrap() > Duration::from_secs(1 << 32));
    }
}
