//! Carrying out a step.

use std::time::Duration;

use tokio::time::Instant;

use super::super::observed::{Sandbox, State, Trouble, Unit};
use super::super::outcome;
use super::super::place;
use super::super::plan::Step;
use super::super::pulling::{Teller, go_duration};
use super::super::start::{self, Order};
use super::super::termination::{self, Words};
use super::{Errand, HOLD, HOLD_IN_LINE, Live, Worker};
use crate::container::{Container, Exit};

/// A guest that is killed is gone within a tick, unless the host is busy for it (a file operation under way).
const KILL_PATIENCE: Duration = Duration::from_secs(2);
const KILLED: u8 = 137;

impl Worker {
    pub(super) async fn act(&mut self, step: Step) {
        let now = Instant::now();
        match step {
            Step::MakeSandbox => {
                let pressure = *self.ground.pressure.borrow();
                if let Some(words) = pressure.refuses(&self.pod) {
                    return self.evict(words);
                }
                self.begin(now, HOLD_IN_LINE);
                let making = place::make(self.ground.clone(), self.pod.clone(), self.view.clone(), self.around.fork());
                self.errand = Some(Box::pin(async move {
                    let (made, around) = making.await;
                    Errand::Place(Box::new(made), around)
                }));
            }
            Step::Start(index) => self.start(index, now),
            Step::BackOff(index, delay) => self.back_off(index, delay),
            Step::Worsen(index) => {
                let unit = &mut self.observed.units[index];
                if let Some((_, worse)) = unit.trouble.take().and_then(|trouble| trouble.then).map(|then| *then) {
                    unit.trouble = Some(worse);
                    self.tell_worse(index);
                }
            }
            Step::Stop(index, grace) => self.begin_stop(index, grace),
            Step::Tell(index) => self.tell_to_end(index),
            Step::Kill(index) => {
                if let Some(live) = self.live[index].take() {
                    let Live { container, sink, words, .. } = live;
                    let exit = kill(container).await;
                    sink.close();
                    self.ended(index, exit, words).await;
                }
            }
            Step::Resize => self.agree(),
            Step::Expire => {
                let message = "Pod was active on the node longer than the specified deadline";
                self.observed.failed = Some(("DeadlineExceeded".to_owned(), message.to_owned()));
                self.tell_expired(message);
            }
            Step::Release => {
                (self.place, self.storage) = Default::default();
                self.observed.sandbox = Sandbox::Released(self.observed.sandbox.ip());
                if self.observed.is_evicted() {
                    place::empty(&self.ground, &self.pod).await;
                }
            }
            // The loop's own.
            Step::Remove | Step::Leave | Step::Wait(_) => {}
        }
    }

    fn begin(&mut self, now: Instant, hold: Duration) {
        self.observed.busy = true;
        self.observed.hindrance = None;
        self.hold = self.hold.max(now + hold);
    }

    fn start(&mut self, index: usize, now: Instant) {
        let Some(place) = &mut self.place else { return };
        let (sandbox, etc, turn) = (place.sandbox.clone(), place.etc.clone(), place.turn.take());
        self.begin(now, HOLD);
        let unit = &mut self.observed.units[index];
        let fresh = unit.trouble.as_ref().is_none_or(|trouble| trouble.reason == CRASH_LOOP);
        unit.trouble = None;
        let ended = match std::mem::replace(&mut unit.state, State::Waiting) {
            State::Ended(ended) => Some(ended),
            _ => None,
        };
        // A start that failed for other reasons has already paid for this restart.
        if let Some(ended) = ended.as_ref().filter(|_| fresh) {
            unit.backoff.advance(ended.at, now);
        }
        let instance = unit.restarts + u32::from(ended.is_some());
        unit.state = State::Starting(ended);
        let name = unit.name.clone();
        let image = super::super::any_container(&self.pod, &name).and_then(|container| container.into_owned().image);
        let (pod, around, resources) = (self.pod.clone(), self.around.fork(), unit.allocated.clone());
        let teller = Teller { recorder: self.ground.recorder.clone(), regarding: self.regarding_of(index) };
        let order = Order { pod, name, around, sandbox, etc, turn, instance, resources, teller };
        let starting = start::start(self.ground.clone(), order);
        let image = image.unwrap_or_default();
        self.errand = Some(Box::pin(async move { Errand::Start(index, instance, image, Box::new(starting.await)) }));
    }

    fn back_off(&mut self, index: usize, delay: Duration) {
        let meta = &self.pod.metadata;
        let (namespace, name) =
            (meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default());
        let uid = meta.uid.as_deref().unwrap_or_default();
        let unit = &mut self.observed.units[index];
        let Some(retry) = unit.ended().map(|ended| ended.at + delay) else { return };
        let message = format!(
            "back-off {} restarting failed container={} pod={name}_{namespace}({uid})",
            go_duration(delay),
            unit.name
        );
        unit.trouble = Some(Trouble { retry: Some(retry), ..Trouble::new(CRASH_LOOP, message) });
        self.tell_back_off(index);
    }

    /// What was being made is not wanted any more.
    pub(super) fn abandon_errand(&mut self) {
        if self.errand.take().is_none() {
            return;
        }
        self.observed.busy = false;
        for unit in &mut self.observed.units {
            not_started(unit);
        }
    }

    /// A container's guest is gone.
    pub(super) async fn ended(&mut self, index: usize, exit: Exit, words: Option<Words>) {
        let parts = self.observed.units.len();
        let unit = &mut self.observed.units[index];
        let State::Running { since, id, .. } = &unit.state else { return };
        let mut ended = outcome::ended(exit, id.clone(), *since);
        let log = self.view.instance_log(&unit.name, unit.restarts);
        ended.message = termination::message(words, ended.message, ended.code, log, parts).await;
        unit.state = State::Ended(ended);
        (unit.started, unit.ready, unit.condemned, unit.greeting) = (false, false, None, false);
    }
}

pub(super) const CRASH_LOOP: &str = "CrashLoopBackOff";

/// Back to how it was before the start that did not come about.
pub(super) fn not_started(unit: &mut Unit) {
    if let State::Starting(ended) = &mut unit.state {
        unit.state = ended.take().map_or(State::Waiting, State::Ended);
    }
}

pub(super) async fn kill(container: Container) -> Exit {
    tokio::time::timeout(KILL_PATIENCE, container.kill()).await.unwrap_or(Exit::Code(KILLED))
}
