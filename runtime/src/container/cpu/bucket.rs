//! A limit on processor time, as the kernel's CFS quota has it: so much in each period of 100 ms.
//!
//! A guest can only be stopped between two turns, so it may take more than is left. What it took too much it owes: the
//! next periods pay first. Nothing is saved up.

use std::time::Duration;

/// As Kubernetes sets `cpu.cfs_period_us`.
pub(super) const PERIOD: Duration = Duration::from_millis(100);

/// Time is counted from when the account was opened.
#[derive(Debug)]
pub(super) struct Bucket {
    /// Nanoseconds a period.
    quota: i64,
    /// What is left in this one; below zero it is owed.
    left: i64,
    /// The number of this one.
    period: u64,
}

impl Bucket {
    /// Of a limit in thousandths of a core. Kubernetes' least quota is a millisecond.
    pub(super) fn new(millicores: u32, now: Duration) -> Bucket {
        let quota = (i64::from(millicores) * PERIOD.as_nanos() as i64 / 1000).max(1_000_000);
        Bucket { quota, left: quota, period: number(now) }
    }

    pub(super) fn spend(&mut self, now: Duration, nanos: u64) {
        self.refill(now);
        self.left = self.left.saturating_sub_unsigned(nanos);
    }

    /// When there will be something to spend, if there is not.
    pub(super) fn empty_until(&mut self, now: Duration) -> Option<Duration> {
        self.refill(now);
        if self.left > 0 {
            return None;
        }
        let periods = self.left.unsigned_abs() / self.quota.unsigned_abs() + 1;
        let at = self.period.saturating_add(periods);
        Some(PERIOD.saturating_mul(u32::try_from(at).unwrap_or(u32::MAX)))
    }

    /// What is owed under one limit is owed under the next.
    pub(super) fn limit(&mut self, millicores: u32, now: Duration) {
        self.refill(now);
        let debt = self.left.min(0);
        *self = Bucket::new(millicores, now);
        if debt < 0 {
            self.left = debt;
        }
    }

    fn refill(&mut self, now: Duration) {
        let passed = i64::try_from(number(now).saturating_sub(self.period)).unwrap_or(i64::MAX);
        self.period = self.period.max(number(now));
        self.left = self.left.saturating_add(self.quota.saturating_mul(passed)).min(self.quota);
    }
}

fn number(now: Duration) -> u64 {
    u64::try_from(now.as_nanos() / PERIOD.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Milliseconds that guests which never wait, so many at once, run for in `seconds`, in turns of `turn` ms.
    fn ran(millicores: u32, at_once: u64, turn: u32, seconds: u32) -> u64 {
        let mut bucket = Bucket::new(millicores, Duration::ZERO);
        let (mut now, mut ran) = (Duration::ZERO, 0);
        while now < MS * 1000 * seconds {
            match bucket.empty_until(now) {
                Some(at) => now = at,
                None => {
                    now += MS * turn;
                    bucket.spend(now, at_once * u64::from(turn) * 1_000_000);
                    ran += at_once * u64::from(turn);
                }
            }
        }
        ran
    }

    #[test]
    fn a_limit_holds_within_a_tenth_over_a_second() {
        for millicores in [50, 100, 250, 500, 900] {
            for turn in [1, 3, 10] {
                let (ran, meant) = (ran(millicores, 1, turn, 1), u64::from(millicores));
                // The first second ends with at most one turn too much.
                assert!(
                    ran * 10 >= meant * 9 && ran <= meant + 10.max(meant / 10),
                    "{millicores}m: {ran}, turn {turn}"
                );
            }
        }
        let long = ran(50, 1, 10, 20);
        assert!((990..=1010).contains(&long), "{long}");
    }

    #[test]
    fn several_cores_share_one_limit() {
        let two = ran(1500, 2, 10, 2);
        assert!((2900..=3100).contains(&two), "{two}");
    }

    #[test]
    fn debt_is_carried_and_rest_is_not_saved() {
        let mut bucket = Bucket::new(100, Duration::ZERO);
        bucket.spend(MS, 35_000_000);
        assert_eq!(bucket.empty_until(MS), Some(MS * 300), "10 ms a period: 25 ms are owed, and then some to spend");
        assert_eq!(bucket.empty_until(MS * 300), None);
        let later = MS * 60_000;
        bucket.spend(later, 10_000_000);
        assert_eq!(bucket.empty_until(later), Some(later + MS * 100));
    }

    #[test]
    fn a_new_limit_keeps_the_debt() {
        let mut bucket = Bucket::new(100, Duration::ZERO);
        bucket.spend(MS, 110_000_000);
        bucket.limit(1000, MS);
        assert_eq!(bucket.empty_until(MS), Some(MS * 200));
    }
}
