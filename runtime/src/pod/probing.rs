//! The probes of one running container.

use std::time::Duration;

use k8s_openapi::api::core::v1::Container;
use tokio::time::Instant;

use crate::probe::{Gauge, Kind, Outcome, Settings, Target, Unaskable};

/// Its gauges.
#[derive(Debug, Default)]
pub struct Probing {
    gauges: Vec<Probed>,
}

#[derive(Debug)]
struct Probed {
    kind: Kind,
    gauge: Gauge,
    target: Target,
    /// How long the container may take to end when this probe gives it up; else as long as the pod says.
    grace: Option<Duration>,
}

/// A try to make.
#[derive(Clone, Debug)]
pub struct Try {
    /// Of which gauge.
    pub gauge: usize,
    /// Whom to ask.
    pub target: Target,
    /// How long to wait.
    pub timeout: Duration,
}

impl Probing {
    /// The probes of a container that started at `start`, and those that cannot be asked.
    pub fn begin(container: &Container, start: Instant) -> (Self, Vec<(Kind, Unaskable)>) {
        let probes = [
            (Kind::Startup, &container.startup_probe),
            (Kind::Liveness, &container.liveness_probe),
            (Kind::Readiness, &container.readiness_probe),
        ];
        let (mut probing, mut refused) = (Self::default(), Vec::new());
        for (kind, probe) in probes {
            let Some(probe) = probe else { continue };
            match Target::of(probe, container) {
                Ok(target) => {
                    let gauge = Gauge::new(Settings::of(probe), start);
                    let grace = probe.termination_grace_period_seconds.and_then(|seconds| u64::try_from(seconds).ok());
                    probing.gauges.push(Probed { kind, gauge, target, grace: grace.map(Duration::from_secs) });
                }
                Err(error) => refused.push((kind, error)),
            }
        }
        (probing, refused)
    }

    /// Whether there is no probe at all.
    pub fn is_empty(&self) -> bool {
        self.gauges.is_empty()
    }

    /// Whether there is a probe of this kind.
    pub fn has(&self, kind: Kind) -> bool {
        self.gauges.iter().any(|probed| probed.kind == kind)
    }

    /// The gauges that count now: until it has started only the startup probe, then the others.
    fn active(&self, started: bool) -> impl Iterator<Item = (usize, &Probed)> {
        self.gauges.iter().enumerate().filter(move |(_, probed)| (probed.kind == Kind::Startup) != started)
    }

    /// When the next try is due.
    pub fn due(&self, started: bool) -> Option<Instant> {
        self.active(started).filter_map(|(_, probed)| probed.gauge.due()).min()
    }

    /// The tries to make now; they count as begun.
    pub fn take_due(&mut self, started: bool, now: Instant) -> Vec<Try> {
        let due = self.active(started).filter(|(_, probed)| probed.gauge.due().is_some_and(|due| due <= now));
        let due: Vec<_> = due
            .map(|(gauge, probed)| Try { gauge, target: probed.target.clone(), timeout: probed.gauge.timeout() })
            .collect();
        for one in &due {
            self.gauges[one.gauge].gauge.ask();
        }
        due
    }

    /// A try that told nothing: the next is a period away.
    pub fn unanswered(&mut self, gauge: usize, now: Instant) -> Kind {
        let probed = &mut self.gauges[gauge];
        probed.gauge.put_off(now);
        probed.kind
    }

    /// Takes an answer: what it was about, what it means, and how long the container may take to end.
    pub fn answer(&mut self, gauge: usize, good: bool, now: Instant) -> (Kind, Outcome, Option<Duration>) {
        let probed = &mut self.gauges[gauge];
        (probed.kind, probed.gauge.answer(good, now), probed.grace)
    }
}
