//! How long a failing container waits: 10 s, doubled each time, 5 minutes at most, as a kubelet does it.

use std::time::Duration;

use tokio::time::Instant;

const FIRST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(300);
/// Whoever did well for so long starts over.
const FORGIVEN: Duration = Duration::from_secs(600);

/// The back-off of one container, for its restarts or for its image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backoff {
    last: Option<(Duration, Instant)>,
}

impl Backoff {
    /// The wait after a failure at `failed`, counted from then. Zero for the first.
    pub fn delay(&self, failed: Instant) -> Duration {
        match self.last {
            Some((delay, tried)) if failed.saturating_duration_since(tried) <= FORGIVEN => delay,
            _ => Duration::ZERO,
        }
    }

    /// A try is made at `now` after a failure at `failed`: the next wait is longer.
    pub fn advance(&mut self, failed: Instant, now: Instant) {
        let delay = self.delay(failed);
        let next = if delay.is_zero() { FIRST } else { (2 * delay).min(LONGEST) };
        self.last = Some((next, now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_five_minutes() {
        let (mut backoff, mut now) = (Backoff::default(), Instant::now());
        let mut waits = Vec::new();
        for _ in 0..8 {
            let wait = backoff.delay(now);
            waits.push(wait.as_secs());
            let failed = now;
            now += wait;
            backoff.advance(failed, now);
        }
        assert_eq!(waits, [0, 10, 20, 40, 80, 160, 300, 300]);
    }

    #[test]
    fn ten_good_minutes_are_forgiving() {
        let (mut backoff, now) = (Backoff::default(), Instant::now());
        backoff.advance(now, now);
        backoff.advance(now, now);
        assert_eq!(backoff.delay(now + Duration::from_secs(599)), Duration::from_secs(20));
        assert_eq!(backoff.delay(now + Duration::from_secs(601)), Duration::ZERO);
    }
}
