//! The pod's conditions, with a kubelet's reasons and messages.

use k8s_openapi::api::core::v1::{Pod, PodCondition};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::Phase;
use crate::pod::observed::{Observed, Role, Sandbox, State, Unit};

/// What a condition says: `None` is True.
type Verdict = Option<(&'static str, String)>;

/// Conditions that are there only while they are true.
pub(super) const PASSING: &[&str] = &[RESIZE_PENDING, RESIZE_IN_PROGRESS];
const RESIZE_PENDING: &str = "PodResizePending";
const RESIZE_IN_PROGRESS: &str = "PodResizeInProgress";

/// The five conditions that a node always reports, and those of a resize while there is one.
pub(super) fn conditions(
    pod: &Pod,
    observed: &Observed,
    phase: Phase,
    before: &[PodCondition],
    now: Time,
) -> Vec<PodCondition> {
    let containers_ready = containers_ready(observed, phase);
    let ready = containers_ready.clone().or_else(|| gates(pod));
    let network = match observed.sandbox {
        Sandbox::Ready(_) => None,
        Sandbox::Absent | Sandbox::Released(_) => Some(("", String::new())),
    };
    let verdicts = [
        ("PodReadyToStartContainers", network),
        ("Initialized", initialized(observed)),
        ("Ready", ready),
        ("ContainersReady", containers_ready),
        ("PodScheduled", None),
    ];
    let condition = |kind: &str, status: &str, reason: Option<String>, message: Option<String>| {
        let same = before.iter().find(|old| old.type_ == kind && old.status == status);
        PodCondition {
            type_: kind.to_owned(),
            status: status.to_owned(),
            reason,
            message: message.filter(|message| !message.is_empty()),
            last_transition_time: Some(
                same.and_then(|old| old.last_transition_time.clone()).unwrap_or_else(|| now.clone()),
            ),
            ..PodCondition::default()
        }
    };
    let lasting = verdicts.map(|(kind, verdict)| {
        let status = if verdict.is_none() { "True" } else { "False" };
        let completed = (kind == "Initialized" && phase == Phase::Succeeded).then(|| "PodCompleted".to_owned());
        let (reason, message) = verdict.unzip();
        let reason = reason.filter(|reason| !reason.is_empty()).map(str::to_owned).or(completed);
        condition(kind, status, reason, message)
    });
    let mut all = Vec::from(lasting);
    if let Some(resize) = &observed.resize {
        all.push(condition(RESIZE_PENDING, "True", Some(resize.reason.clone()), Some(resize.message.clone())));
    }
    if observed.units.iter().any(|unit| unit.actual.is_some()) {
        all.push(condition(RESIZE_IN_PROGRESS, "True", None, None));
    }
    all
}

/// Whether the init containers are through.
fn initialized(observed: &Observed) -> Verdict {
    let through = |unit: &Unit| match (unit.role, &unit.state) {
        (Role::Main | Role::Ephemeral, _) => true,
        (Role::Init, State::Ended(ended)) => ended.code == 0,
        (Role::Init, _) => false,
        (Role::Sidecar, _) => unit.started || unit.last.is_some() || unit.ended().is_some(),
    };
    let rest = names(observed.units.iter().filter(|unit| !through(unit)));
    (!rest.is_empty()).then(|| ("ContainersNotInitialized", format!("containers with incomplete status: [{rest}]")))
}

fn containers_ready(observed: &Observed, phase: Phase) -> Verdict {
    match phase {
        Phase::Succeeded => return Some(("PodCompleted", String::new())),
        Phase::Failed => return Some(("PodFailed", String::new())),
        Phase::Pending | Phase::Running => {}
    }
    let unready = |unit: &&Unit| matches!(unit.role, Role::Main | Role::Sidecar) && !(unit.is_running() && unit.ready);
    let rest = names(observed.units.iter().filter(unready));
    (!rest.is_empty()).then(|| ("ContainersNotReady", format!("containers with unready status: [{rest}]")))
}

/// `readinessGates`: conditions that others set.
fn gates(pod: &Pod) -> Verdict {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    let mut complaints = Vec::new();
    for gate in pod.spec.iter().flat_map(|spec| spec.readiness_gates.iter().flatten()) {
        let kind = &gate.condition_type;
        match conditions.iter().find(|condition| condition.type_ == *kind) {
            Some(condition) if condition.status == "True" => {}
            Some(condition) => complaints
                .push(format!("the status of pod readiness gate {kind:?} is not \"True\", but {}", condition.status)),
            None => complaints.push(format!("corresponding condition of pod readiness gate {kind:?} does not exist.")),
        }
    }
    (!complaints.is_empty()).then(|| ("ReadinessGatesNotReady", complaints.join(", ")))
}

fn names<'a>(units: impl Iterator<Item = &'a Unit>) -> String {
    units.map(|unit| unit.name.as_str()).collect::<Vec<_>>().join(" ")
}
