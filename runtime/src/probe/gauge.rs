//! The threshold machine of one probe of one container instance.

use std::time::Duration;

use tokio::time::Instant;

use super::Settings;

/// After the first try: when the eager ones follow. The last one counts.
const EAGER: [Duration; 7] = [
    Duration::from_millis(2),
    Duration::from_millis(5),
    Duration::from_millis(15),
    Duration::from_millis(40),
    Duration::from_millis(120),
    Duration::from_millis(320),
    Duration::from_millis(500),
];

/// Counts answers and says when to ask next.
#[derive(Clone, Debug)]
pub struct Gauge {
    settings: Settings,
    next: Instant,
    /// Which of the eager tries is next; past the last one the period rules.
    eager: usize,
    last: Option<bool>,
    run: u32,
    asking: bool,
}

/// What an answer changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An early try: as if it had not been made.
    Ignored,
    /// Not enough in a row to say anything.
    Counted,
    /// From now on it is good.
    Good,
    /// From now on it is bad.
    Bad,
}

impl Gauge {
    /// A gauge for an instance that started, or was let go by its startup probe, at `start`.
    pub fn new(settings: Settings, start: Instant) -> Self {
        Self { settings, next: start + settings.initial_delay, eager: 0, last: None, run: 0, asking: false }
    }

    /// When to ask. None while an answer is awaited.
    pub fn due(&self) -> Option<Instant> {
        (!self.asking).then_some(self.next)
    }

    /// For one try.
    pub fn timeout(&self) -> Duration {
        self.settings.timeout
    }

    /// A try begins.
    pub fn ask(&mut self) {
        self.asking = true;
    }

    /// No answer came of it.
    pub fn put_off(&mut self, now: Instant) {
        self.asking = false;
        self.next = now + self.settings.period;
    }

    /// Takes an answer.
    pub fn answer(&mut self, good: bool, now: Instant) -> Outcome {
        self.asking = false;
        if !good
            && self.last.is_none()
            && let Some(pause) = EAGER.get(self.eager).filter(|pause| **pause < self.settings.period)
        {
            self.eager += 1;
            self.next = now + *pause;
            return Outcome::Ignored;
        }
        self.next = now + self.settings.period;
        if self.last == Some(good) {
            self.run += 1;
        } else {
            self.last = Some(good);
            self.run = 1;
        }
        match good {
            true if self.run >= self.settings.success_threshold => Outcome::Good,
            false if self.run >= self.settings.failure_threshold => Outcome::Bad,
            _ => Outcome::Counted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(success_threshold: u32, failure_threshold: u32) -> Settings {
        let second = Duration::from_secs(1);
        Settings {
            initial_delay: 3 * second,
            period: 10 * second,
            timeout: second,
            success_threshold,
            failure_threshold,
        }
    }

    #[test]
    fn early_failures_are_repeated_soon_and_do_not_count() {
        let start = Instant::now();
        let mut gauge = Gauge::new(settings(1, 1), start);
        assert_eq!(gauge.due(), Some(start + Duration::from_secs(3)));
        let mut now = start + Duration::from_secs(3);
        for _ in EAGER {
            gauge.ask();
            assert_eq!(gauge.due(), None);
            assert_eq!(gauge.answer(false, now), Outcome::Ignored);
            now = gauge.due().expect("again");
        }
        assert!(now - start < Duration::from_millis(4_100));
        assert_eq!(gauge.answer(false, now), Outcome::Bad, "a second is over");
        assert_eq!(gauge.due(), Some(now + Duration::from_secs(10)));
    }

    #[test]
    fn thresholds_count_answers_in_a_row() {
        let now = Instant::now();
        let mut gauge = Gauge::new(settings(2, 3), now);
        let answers = [true, true, false, false, true, false, false, false, true, true];
        let outcomes: Vec<_> = answers.map(|good| gauge.answer(good, now)).into_iter().collect();
        use Outcome::{Bad, Counted, Good};
        assert_eq!(outcomes, [Counted, Good, Counted, Counted, Counted, Counted, Counted, Bad, Counted, Good]);
    }
}
