//! The one next thing to do for a pod.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use tokio::time::Instant;

use super::observed::{Observed, Role, Sandbox, State, Stopping, Unit};

/// A thing to do. The worker does it, notes what it saw, and asks again.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Give the pod its address and its volumes.
    MakeSandbox,
    /// Start this container.
    Start(usize),
    /// This container failed and has to wait so long: say so.
    BackOff(usize, Duration),
    /// What hinders this container has become another trouble.
    Worsen(usize),
    /// This container is to end within so long: its preStop hook first.
    Stop(usize, Duration),
    /// Its turn has come to be told to end.
    Tell(usize),
    /// It was told long enough ago.
    Kill(usize),
    /// Look again whether the node has what the pod asks for.
    Resize,
    /// The pod has run longer than it may.
    Expire,
    /// All containers are done: give the address and the volumes back.
    Release,
    /// All is over: tell the API, then remove the object.
    Remove,
    /// Nothing of it runs any more, and the node is being stopped.
    Leave,
    /// Nothing, until something happens or that time comes.
    Wait(Option<Instant>),
}

/// `restartPolicy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Restart {
    /// Whatever happens.
    #[default]
    Always,
    /// When it failed.
    OnFailure,
    /// Not.
    Never,
}

impl Restart {
    fn of(pod: &Pod) -> Self {
        match pod.spec.as_ref().and_then(|spec| spec.restart_policy.as_deref()) {
            Some("OnFailure") => Self::OnFailure,
            Some("Never") => Self::Never,
            _ => Self::Always,
        }
    }
}

/// The parts of a pod's spec that decisions depend on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wish {
    /// Whether its containers start again.
    pub restart: Restart,
    /// When it must be over: `activeDeadlineSeconds`.
    pub expiry: Option<Instant>,
    /// How long its containers may take to end.
    pub grace: Duration,
}

impl Wish {
    /// Reads a pod. `taken` is when the node took it on.
    pub fn of(pod: &Pod, taken: Instant) -> Self {
        let spec = pod.spec.as_ref();
        let seconds = |value: Option<i64>| value.and_then(|value| u64::try_from(value).ok()).map(Duration::from_secs);
        Self {
            restart: Restart::of(pod),
            expiry: spec.and_then(|spec| seconds(spec.active_deadline_seconds)).map(|limit| taken + limit),
            grace: spec.and_then(|spec| seconds(spec.termination_grace_period_seconds)).unwrap_or(DEFAULT_GRACE),
        }
    }
}

const DEFAULT_GRACE: Duration = Duration::from_secs(30);

/// A kubelet's, for pods that keep more than they may.
const EVICTED_GRACE: Duration = Duration::from_secs(1);

/// Decides.
pub fn plan(wish: &Wish, observed: &Observed, now: Instant) -> Step {
    let mut wake = Wake(None);
    // Whoever is on the way out goes first: it holds ports and memory that others wait for.
    if let Some(step) = leavers(wish, observed, now, &mut wake) {
        return step;
    }
    if let Some(leaving) = observed.leaving {
        let left = wish.grace.min(leaving.deadline.saturating_duration_since(now));
        return end(observed, left).unwrap_or_else(|| {
            match observed.units.iter().any(Unit::is_running) || observed.busy {
                true => Step::Wait(wake.0),
                false => Step::Leave,
            }
        });
    }
    if let Some(ending) = observed.ending {
        let left = ending.deadline.saturating_duration_since(now);
        return end(observed, left).unwrap_or_else(|| {
            match observed.units.iter().any(Unit::is_running) || observed.busy {
                true => Step::Wait(wake.0),
                false if observed.removed => Step::Wait(None),
                false => Step::Remove,
            }
        });
    }
    if is_over(wish, observed) {
        let done = || match observed.sandbox {
            Sandbox::Ready(_) if !observed.units.iter().any(Unit::is_running) && !observed.busy => Step::Release,
            _ => Step::Wait(wake.0),
        };
        let grace = if observed.is_evicted() { EVICTED_GRACE } else { wish.grace };
        return end(observed, grace).unwrap_or_else(done);
    }
    if let Some(expiry) = wish.expiry {
        if now >= expiry {
            return Step::Expire;
        }
        wake.at(expiry);
    }
    if let Some(retry) = observed.resize.as_ref().and_then(|resize| resize.retry) {
        if now >= retry {
            return Step::Resize;
        }
        wake.at(retry);
    }
    if observed.sandbox == Sandbox::Absent {
        return match observed.hindrance.as_ref().map(|hindrance| hindrance.retry) {
            _ if observed.busy => Step::Wait(wake.0),
            None => Step::MakeSandbox,
            Some(Some(retry)) if now >= retry => Step::MakeSandbox,
            Some(retry) => Step::Wait(wake.with(retry)),
        };
    }
    starters(wish, observed, now, &mut wake).unwrap_or(Step::Wait(wake.0))
}

/// Whether the pod has come to its end by itself (or by its deadline): `Succeeded` or `Failed`.
pub fn is_over(wish: &Wish, observed: &Observed) -> bool {
    if observed.failed.is_some() || matches!(observed.sandbox, Sandbox::Released(_)) {
        return true;
    }
    let stays = |unit: &Unit| unit.ended().is_some_and(|ended| !restarts(wish, unit.role, ended.code));
    let init_failed = |unit: &Unit| unit.role == Role::Init && stays(unit) && unit.ended().is_some_and(|e| e.code != 0);
    observed.units.iter().any(init_failed) || observed.units.iter().filter(|unit| unit.role == Role::Main).all(stays)
}

fn restarts(wish: &Wish, role: Role, code: i32) -> bool {
    match (role, wish.restart) {
        (Role::Sidecar, _) => true,
        (Role::Ephemeral, _) => false,
        // An init container that did its work is done, whatever the policy says.
        (Role::Init, Restart::Always) | (_, Restart::OnFailure) => code != 0,
        (_, Restart::Always) => true,
        (_, Restart::Never) => false,
    }
}

/// Those that are on their way out, or will be because their probes gave them up.
fn leavers(wish: &Wish, observed: &Observed, now: Instant, wake: &mut Wake) -> Option<Step> {
    for (index, unit) in observed.units.iter().enumerate() {
        let State::Running { stopping, .. } = &unit.state else { continue };
        match (stopping, unit.condemned) {
            (Some(Stopping { told: true, deadline, .. }), _) if now >= *deadline => return Some(Step::Kill(index)),
            (Some(Stopping { told: false, deadline, hook }), _)
                if now >= *deadline || (!hook && has_turn(wish, observed, index)) =>
            {
                return Some(Step::Tell(index));
            }
            (Some(stopping), _) => wake.at(stopping.deadline),
            (None, Some(grace)) => return Some(Step::Stop(index, grace)),
            (None, None) => {}
        }
    }
    None
}

/// While a pod ends, a sidecar is told when the containers it serves are gone, and the sidecars that came after it.
fn has_turn(wish: &Wish, observed: &Observed, index: usize) -> bool {
    let whole = observed.ending.is_some() || observed.leaving.is_some() || is_over(wish, observed);
    let before_it = |other: usize, unit: &Unit| unit.is_running() && (unit.role != Role::Sidecar || other > index);
    observed.units[index].role != Role::Sidecar
        || !whole
        || !observed.units.iter().enumerate().any(|(other, unit)| before_it(other, unit))
}

/// Stops all of them; their hooks run side by side.
fn end(observed: &Observed, grace: Duration) -> Option<Step> {
    let next = observed.units.iter().position(Unit::is_unstopped);
    next.map(|index| Step::Stop(index, grace))
}

/// Whoever is to start, in order.
fn starters(wish: &Wish, observed: &Observed, now: Instant, wake: &mut Wake) -> Option<Step> {
    // Debuggers first: they are there to find out why the others do not start.
    for (index, unit) in observed.units.iter().enumerate().filter(|(_, unit)| unit.role == Role::Ephemeral) {
        if let Some(step) = starter(wish, observed, index, unit, now, wake) {
            return Some(step);
        }
    }
    for (index, unit) in observed.units.iter().enumerate().filter(|(_, unit)| unit.role != Role::Ephemeral) {
        if let Some(step) = starter(wish, observed, index, unit, now, wake) {
            return Some(step);
        }
        let passed = match (unit.role, &unit.state) {
            (Role::Main | Role::Ephemeral, _) => true,
            (Role::Init, State::Ended(ended)) => ended.code == 0,
            (Role::Init, _) => false,
            // A sidecar that has once started holds nobody up, even when it starts again.
            (Role::Sidecar, State::Running { .. }) => unit.started || unit.restarts > 0,
            (Role::Sidecar, _) => unit.restarts > 0 || unit.last.is_some(),
        };
        if !passed {
            return None;
        }
    }
    None
}

fn starter(wish: &Wish, observed: &Observed, index: usize, unit: &Unit, now: Instant, wake: &mut Wake) -> Option<Step> {
    let trouble = unit.trouble.as_ref();
    if let Some((at, _)) = trouble.and_then(|trouble| trouble.then.as_deref()) {
        if now >= *at {
            return Some(Step::Worsen(index));
        }
        wake.at(*at);
    }
    match &unit.state {
        State::Starting(_) | State::Running { .. } => return None,
        State::Ended(ended) if !restarts(wish, unit.role, ended.code) => return None,
        State::Ended(ended) if trouble.is_none() => {
            let delay = unit.backoff.delay(ended.at);
            if now < ended.at + delay {
                return Some(Step::BackOff(index, delay));
            }
        }
        State::Ended(_) | State::Waiting => {}
    }
    match trouble.map(|trouble| trouble.retry) {
        Some(None) => return None,
        Some(Some(retry)) if now < retry => {
            wake.at(retry);
            return None;
        }
        _ => {}
    }
    let held_up = observed.busy || observed.units.iter().any(|unit| unit.greeting);
    (!held_up).then_some(Step::Start(index))
}

/// The earliest of several times.
struct Wake(Option<Instant>);

impl Wake {
    fn at(&mut self, time: Instant) {
        self.0 = Some(self.0.map_or(time, |earlier| earlier.min(time)));
    }

    fn with(mut self, time: Option<Instant>) -> Option<Instant> {
        if let Some(time) = time {
            self.at(time);
        }
        self.0
    }
}

#[cfg(test)]
mod tests;
