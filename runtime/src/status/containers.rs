//! The status of each container.

use k8s_openapi::api::core::v1::{
    ContainerState, ContainerStateRunning, ContainerStateTerminated, ContainerStateWaiting, ContainerStatus, Pod,
    ResourceRequirements,
};

use super::seconds;
use crate::pod::container;
use crate::pod::observed::{Ended, Observed, Role, State, Unit};

/// The init containers, in their order; None when there are none.
pub(super) fn init(pod: &Pod, observed: &Observed) -> Option<Vec<ContainerStatus>> {
    list(pod, observed, &[Role::Init, Role::Sidecar], "PodInitializing")
}

/// The debuggers, in the order they came; None when there are none.
pub(super) fn ephemeral(pod: &Pod, observed: &Observed) -> Option<Vec<ContainerStatus>> {
    list(pod, observed, &[Role::Ephemeral], "ContainerCreating")
}

/// The others, by name, as kubelets list them.
pub(super) fn main(pod: &Pod, observed: &Observed) -> Vec<ContainerStatus> {
    let has_init = observed.units.iter().any(|unit| matches!(unit.role, Role::Init | Role::Sidecar));
    let reason = if has_init { "PodInitializing" } else { "ContainerCreating" };
    let mut statuses = list(pod, observed, &[Role::Main], reason).unwrap_or_default();
    statuses.sort_by(|a, b| a.name.cmp(&b.name));
    statuses
}

fn list(pod: &Pod, observed: &Observed, roles: &[Role], waiting_for: &str) -> Option<Vec<ContainerStatus>> {
    let units = observed.units.iter().filter(|unit| roles.contains(&unit.role));
    let statuses: Vec<_> = units.map(|unit| status(pod, unit, waiting_for)).collect();
    (!statuses.is_empty()).then_some(statuses)
}

fn status(pod: &Pod, unit: &Unit, waiting_for: &str) -> ContainerStatus {
    let (state, last) = states(unit, waiting_for);
    let done = unit.role == Role::Init && unit.ended().is_some_and(|ended| ended.code == 0);
    let id = match &unit.state {
        State::Running { id, .. } => Some(id.clone()),
        State::Ended(ended) | State::Starting(Some(ended)) => Some(ended.id.clone()),
        State::Waiting | State::Starting(None) => None,
    };
    let wanted = || container(pod, &unit.name).and_then(|container| container.resources.as_ref());
    let allocated = unit.allocated.as_deref().or_else(wanted);
    let actual = unit.actual.as_deref().or(allocated);
    ContainerStatus {
        allocated_resources: allocated.and_then(|resources| resources.requests.clone()),
        resources: actual.filter(|resources| **resources != ResourceRequirements::default()).cloned(),
        name: unit.name.clone(),
        state: Some(state),
        last_state: Some(last.map_or_else(ContainerState::default, terminated)),
        ready: done || (unit.is_running() && unit.ready),
        restart_count: i32::try_from(unit.restarts).unwrap_or(i32::MAX),
        image: unit.image.clone(),
        image_id: unit.image_id.clone(),
        container_id: id.filter(|id| !id.is_empty()),
        started: Some(unit.is_running() && unit.started),
        ..ContainerStatus::default()
    }
}

/// How it is, and how it was before that.
fn states<'a>(unit: &'a Unit, waiting_for: &str) -> (ContainerState, Option<&'a Ended>) {
    let waiting = |reason: &str, message: &str| ContainerState {
        waiting: Some(ContainerStateWaiting {
            reason: Some(reason.to_owned()),
            message: Some(message.to_owned()).filter(|message| !message.is_empty()),
        }),
        ..ContainerState::default()
    };
    match (&unit.state, &unit.trouble) {
        (State::Running { since, .. }, _) if !unit.greeting => {
            let running = Some(ContainerStateRunning { started_at: Some(seconds(*since)) });
            (ContainerState { running, ..ContainerState::default() }, unit.last.as_ref())
        }
        (State::Ended(ended), Some(trouble)) => (waiting(&trouble.reason, &trouble.message), Some(ended)),
        (State::Ended(ended) | State::Starting(Some(ended)), _) => (terminated(ended), unit.last.as_ref()),
        (_, Some(trouble)) => (waiting(&trouble.reason, &trouble.message), unit.last.as_ref()),
        (_, None) => (waiting(waiting_for, ""), unit.last.as_ref()),
    }
}

fn terminated(ended: &Ended) -> ContainerState {
    let terminated = ContainerStateTerminated {
        exit_code: ended.code,
        reason: Some(ended.reason.clone()).filter(|reason| !reason.is_empty()),
        message: ended.message.clone(),
        started_at: ended.started.map(seconds),
        finished_at: Some(seconds(ended.finished)),
        container_id: Some(ended.id.clone()).filter(|id| !id.is_empty()),
        ..ContainerStateTerminated::default()
    };
    ContainerState { terminated: Some(terminated), ..ContainerState::default() }
}
