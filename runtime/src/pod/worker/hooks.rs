//! The hooks of a container, and the steps of its way out.

use std::time::Duration;

use tokio::time::Instant;

use super::super::hook::{Hook, Kind};
use super::super::inside::Inside;
use super::super::observed::{State, Stopping};
use super::super::probing::Probing;
use super::{HOLD_FOR_PROBES, Worker};
use crate::probe;

/// However long the hook took, this is left to a container once it was told to end.
const LAST_MOMENT: Duration = Duration::from_secs(2);

impl Worker {
    /// A container runs: its postStart hook, if it has one, is the first to know.
    pub(super) fn greet(&mut self, index: usize) {
        if self.begin_hook(index, Kind::PostStart) {
            self.observed.units[index].greeting = true;
        } else {
            self.settle(index);
        }
    }

    /// The container counts as running: its probes begin.
    fn settle(&mut self, index: usize) {
        let now = Instant::now();
        let unit = &mut self.observed.units[index];
        unit.greeting = false;
        let container = super::super::any_container(&self.pod, &unit.name);
        let (probing, refused) = container.map(|container| Probing::begin(&container, now)).unwrap_or_default();
        if !probing.is_empty() {
            self.hold = self.hold.max(now + HOLD_FOR_PROBES);
        }
        unit.started = !probing.has(probe::Kind::Startup);
        unit.ready = unit.started && !probing.has(probe::Kind::Readiness);
        if let Some(live) = &mut self.live[index] {
            live.probing = probing;
        }
        for (kind, error) in refused {
            self.tell_unaskable(index, kind, &error);
        }
    }

    pub(super) fn hooked(&mut self, index: usize, kind: Kind, result: Result<(), String>) {
        if let Err(error) = &result {
            // An event must not repeat it: it may hold a secret.
            let (pod, container) = (&self.pod.metadata.name, &self.observed.units[index].name);
            tracing::info!(?pod, container, ?kind, error, "a lifecycle hook failed");
        }
        match (kind, result) {
            (Kind::PostStart, Ok(())) => self.settle(index),
            (Kind::PostStart, Err(_)) => {
                self.observed.units[index].greeting = false;
                self.observed.units[index].condemned = Some(self.wish.grace);
                self.tell_hook_failed(index, kind);
            }
            (Kind::PreStop, result) => {
                if result.is_err() {
                    self.tell_hook_failed(index, kind);
                }
                if let State::Running { stopping: Some(stopping), .. } = &mut self.observed.units[index].state {
                    stopping.hook = false;
                }
            }
        }
    }

    /// The container is to end within `grace`.
    pub(super) fn begin_stop(&mut self, index: usize, grace: Duration) {
        // When all pods stop at once, a word about each is one too many.
        if self.observed.units[index].condemned.is_none() && self.observed.leaving.is_none() {
            self.tell_stopping(index);
        }
        self.observed.units[index].greeting = false;
        let hook = !grace.is_zero() && self.begin_hook(index, Kind::PreStop);
        if let State::Running { stopping, .. } = &mut self.observed.units[index].state {
            *stopping = Some(Stopping { deadline: Instant::now() + grace, hook, told: false });
        }
    }

    /// The container is told to end; a hook that is not done by now is given up.
    pub(super) fn tell_to_end(&mut self, index: usize) {
        if let Some(live) = &mut self.live[index] {
            live.hook = None;
            live.container.stop();
        }
        if let State::Running { stopping: Some(stopping), .. } = &mut self.observed.units[index].state {
            let deadline = stopping.deadline.max(Instant::now() + LAST_MOMENT);
            *stopping = Stopping { deadline, hook: false, told: true };
        }
    }

    /// False when there is no such hook.
    fn begin_hook(&mut self, index: usize, kind: Kind) -> bool {
        let name = &self.observed.units[index].name;
        let hook = super::super::any_container(&self.pod, name).and_then(|container| Hook::of(&container, kind));
        let (Some(hook), Some(ip), Some(live)) = (hook, self.observed.sandbox.ip(), &mut self.live[index]) else {
            return false;
        };
        let inside = Inside::new(self.ground.exec.clone(), self.view.clone(), name);
        let fabric = self.ground.fabric.clone();
        live.hook = Some(Box::pin(async move { (kind, hook.run(&fabric, &inside, ip).await) }));
        true
    }
}
