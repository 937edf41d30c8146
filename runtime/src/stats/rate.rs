//! How much processor time is used at present: what was used since an earlier look.
//!
//! Two earlier looks are remembered of each container. The later one is what a rate is measured from, unless it was a
//! moment ago: then the one before it is, so that two who ask at the same time are told the same.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::sample::Sample;

/// A rate over less than this says little.
const SHORTEST: Duration = Duration::from_millis(400);
/// A look that is older than this is not the present any more.
const STALE: Duration = Duration::from_secs(60);
/// A look replaces the last one when that is this old.
const RENEWED: Duration = Duration::from_secs(10);

/// The name of the machine among the containers' ids.
pub const MACHINE: &str = "";

/// Earlier looks.
#[derive(Debug, Default)]
pub struct Rates(Mutex<Looks>);

#[derive(Debug, Default)]
struct Looks {
    last: Option<Instant>,
    points: HashMap<String, Points>,
}

/// Of one container: its processor time at two earlier looks, and now.
#[derive(Clone, Copy, Debug)]
struct Points {
    before: Point,
    last: Point,
    now: Point,
}

#[derive(Clone, Copy, Debug)]
struct Point {
    at: Instant,
    cpu: Duration,
}

/// Processor time used over a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Billionths of a processor.
    pub nanocores: u64,
    /// The while.
    pub window: Duration,
}

impl Rates {
    /// Whether the last look is so old that nothing is known of the present.
    pub fn is_stale(&self, now: Instant) -> bool {
        self.0.lock().last.is_none_or(|last| now - last > STALE)
    }

    /// Remembers a look. Those that are gone are forgotten.
    pub fn note(&self, sample: &Sample, now: Instant) {
        let mut looks = self.0.lock();
        looks.last = Some(now);
        let mut points = HashMap::with_capacity(looks.points.len());
        let containers = sample.pods.iter().flat_map(|pod| &pod.containers).map(|c| (c.id.as_str(), c.usage.cpu));
        for (id, cpu) in containers.chain([(MACHINE, sample.machine.cpu)]) {
            let (point, earlier) = (Point { at: now, cpu }, looks.points.get(id));
            points.insert(id.to_owned(), earlier.map_or(Points::first(point), |earlier| earlier.then(point)));
        }
        looks.points = points;
    }

    /// What a container uses; none when it was looked at once only.
    pub fn of(&self, id: &str) -> Option<Rate> {
        self.0.lock().points.get(id)?.rate()
    }
}

impl Points {
    fn first(point: Point) -> Self {
        Self { before: point, last: point, now: point }
    }

    fn then(self, now: Point) -> Self {
        let age = now.at - self.last.at;
        match age {
            // Nothing of what was long ago is kept.
            _ if age > STALE => Self::first(now),
            _ if age >= RENEWED => Self { before: self.last, last: self.now, now },
            _ => Self { now, ..self },
        }
    }

    fn rate(self) -> Option<Rate> {
        let since = |earlier: Point| {
            let window = self.now.at - earlier.at;
            (window >= SHORTEST).then(|| {
                let used = self.now.cpu.saturating_sub(earlier.cpu).as_nanos();
                let nanocores = used * 1_000_000_000 / window.as_nanos().max(1);
                Rate { nanocores: u64::try_from(nanocores).unwrap_or(u64::MAX), window }
            })
        };
        since(self.last).or_else(|| since(self.before))
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{ContainerSample, PodSample};
    use super::*;

    fn look(rates: &Rates, at: Instant, cpu: u64) {
        let usage = crate::container::Usage { cpu: Duration::from_millis(cpu), ..Default::default() };
        let container = ContainerSample {
            name: "c".into(),
            id: "id".into(),
            image: String::new(),
            started: jiff::Timestamp::UNIX_EPOCH,
            usage,
        };
        let pods = vec![PodSample { containers: vec![container], ..PodSample::default() }];
        let sample = Sample { at: jiff::Timestamp::UNIX_EPOCH, pods, machine: Default::default() };
        rates.note(&sample, at);
    }

    fn after(begin: Instant, millis: u64) -> Instant {
        begin + Duration::from_millis(millis)
    }

    #[test]
    fn a_rate_is_what_was_used_since_the_last_look() {
        let (rates, begin) = (Rates::default(), Instant::now());
        assert!(rates.is_stale(begin));
        look(&rates, begin, 0);
        assert_eq!(rates.of("id"), None, "one look is no rate");
        look(&rates, after(begin, 500), 125);
        assert_eq!(rates.of("id").map(|rate| rate.nanocores), Some(250_000_000));
        assert!(!rates.is_stale(after(begin, 59_000)) && rates.is_stale(after(begin, 61_000)));
    }

    #[test]
    fn who_asks_again_at_once_is_told_the_same() {
        let (rates, begin) = (Rates::default(), Instant::now());
        for (at, cpu) in [(0, 0), (15_000, 15_000), (30_000, 15_000), (30_001, 15_000)] {
            look(&rates, after(begin, at), cpu);
        }
        let rate = rates.of("id").expect("a rate");
        assert_eq!((rate.nanocores, rate.window.as_secs()), (0, 15));
    }

    #[test]
    fn what_was_long_ago_is_forgotten() {
        let (rates, begin) = (Rates::default(), Instant::now());
        look(&rates, begin, 0);
        look(&rates, after(begin, 3_600_000), 100);
        assert_eq!(rates.of("id"), None);
        look(&rates, after(begin, 3_600_500), 600);
        assert_eq!(rates.of("id").map(|rate| rate.nanocores), Some(1_000_000_000));
    }
}
