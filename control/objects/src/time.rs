//! Kubernetes' two clocks: `Time` in whole seconds and `MicroTime` with six digits.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, Time};
use k8s_openapi::jiff::{SignedDuration, Timestamp};

/// Now, in whole seconds, as objects carry it: a time that was stored and read again is the same time.
pub fn now() -> Time {
    seconds(Timestamp::now())
}

/// Now, with microseconds: leases and the newer events.
pub fn micro_now() -> MicroTime {
    MicroTime(Timestamp::now())
}

/// A point in time without its fraction of a second.
pub fn seconds(at: Timestamp) -> Time {
    Time(Timestamp::from_second(at.as_second()).unwrap_or(at))
}

/// The text that objects carry: `2026-11-20T09:25:29Z`.
pub fn text(time: &Time) -> String {
    Timestamp::from_second(time.0.as_second()).unwrap_or(time.0).to_string()
}

/// Reads RFC 3339.
pub fn parse(text: &str) -> Option<Time> {
    text.parse().ok().map(Time)
}

/// How long after `earlier` is `later`? Negative when it is not.
pub fn since(earlier: &Time, later: &Time) -> SignedDuration {
    later.0.duration_since(earlier.0)
}

/// `time` and some seconds more.
pub fn plus_seconds(time: &Time, seconds: i64) -> Time {
    Time(time.0.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_whole_seconds() {
        let time = Time(Timestamp::from_millisecond(1_795_166_729_900).unwrap_or_default());
        assert_eq!(text(&time), "2026-11-20T09:25:29Z");
        assert_eq!(parse("2026-11-20T09:25:29Z").map(|t| text(&t)), Some(text(&time)));
        assert_eq!(seconds(time.0), plus_seconds(&seconds(time.0), 0));
    }
}
