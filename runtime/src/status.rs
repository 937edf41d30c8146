//! From what a worker observed to the status a kubelet would report. Pure: the same observation gives the same status.

mod conditions;
mod containers;

use std::net::IpAddr;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{HostIP, Pod, PodIP, PodStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};

use crate::pod::observed::{Observed, Role, State, Unit};
use crate::pod::plan::{Wish, is_over};

/// Builds the parts of the status that belong to the node. `previous` is what was reported before: times of conditions
/// that did not change are kept.
pub fn build(
    pod: &Pod,
    wish: &Wish,
    observed: &Observed,
    host: IpAddr,
    previous: Option<&PodStatus>,
    now: Timestamp,
) -> PodStatus {
    let phase = phase(wish, observed);
    let ip = observed.sandbox.ip();
    let (reason, message) = observed.failed.clone().unzip();
    let before = previous.and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    PodStatus {
        phase: Some(phase.name().to_owned()),
        conditions: Some(conditions::conditions(pod, observed, phase, before, seconds(now))),
        reason,
        message: message.filter(|message| !message.is_empty()),
        host_ip: Some(host.to_string()),
        host_ips: Some(vec![HostIP { ip: host.to_string() }]),
        pod_ip: ip.map(|ip| ip.to_string()),
        pod_ips: ip.map(|ip| vec![PodIP { ip: ip.to_string() }]),
        start_time: Some(seconds(observed.taken)),
        init_container_statuses: containers::init(pod, observed),
        container_statuses: Some(containers::main(pod, observed)),
        ephemeral_container_statuses: containers::ephemeral(pod, observed),
        ..PodStatus::default()
    }
}

/// The body of a patch of the `status` sub-resource, which only the object with this uid accepts. What was reported
/// before and is no more is set to null.
pub fn patch(uid: &str, status: &PodStatus, previous: Option<&PodStatus>) -> Value {
    let fields = |status: &PodStatus| match serde_json::to_value(status) {
        Ok(Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let mut new = fields(status);
    for (name, old) in previous.map(fields).unwrap_or_default() {
        match (name.as_str(), new.get_mut(&name)) {
            // Fields that others own are not in `status` and not ours to remove.
            ("reason" | "message" | "podIP" | "podIPs", None) => {
                new.insert(name, Value::Null);
            }
            // Addresses are merged by their value: without the directive, the old one would stay beside the new.
            ("hostIPs" | "podIPs", Some(Value::Array(addresses))) if old.as_array() != Some(addresses) => {
                addresses.push(json!({"$patch": "replace"}));
            }
            _ => {}
        }
    }
    // Conditions are merged by their type: what one does not say any more has to be taken away.
    let conditions = new.get_mut("conditions").and_then(Value::as_array_mut);
    for condition in conditions.into_iter().flatten() {
        for name in ["reason", "message"] {
            if condition.get(name).is_none() {
                condition[name] = Value::Null;
            }
        }
    }
    // And so has one that is gone, of those that are ours.
    let before = previous.and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    if let Some(conditions) = new.get_mut("conditions").and_then(Value::as_array_mut) {
        for old in before.iter().map(|old| &old.type_).filter(|old| conditions::PASSING.contains(&old.as_str())) {
            if !conditions.iter().any(|condition| condition["type"] == **old) {
                conditions.push(json!({"type": old, "$patch": "delete"}));
            }
        }
    }
    json!({"metadata": {"uid": uid}, "status": new})
}

/// `status.phase`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Something has not started yet.
    Pending,
    /// It runs, or will again.
    Running,
    /// All done, all well.
    Succeeded,
    /// All done, not all well.
    Failed,
}

impl Phase {
    fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
        }
    }
}

fn phase(wish: &Wish, observed: &Observed) -> Phase {
    if observed.failed.is_some() {
        return Phase::Failed;
    }
    let main = || observed.units.iter().filter(|unit| unit.role == Role::Main);
    let initializing = observed.units.iter().any(|unit| match (unit.role, &unit.state) {
        (Role::Init, State::Ended(ended)) => ended.code != 0,
        (Role::Init, _) => true,
        (Role::Sidecar, State::Waiting) => true,
        _ => false,
    });
    let nobody_runs = !observed.units.iter().any(|unit| unit.is_running());
    let over = is_over(wish, observed) || (observed.ending.is_some() && nobody_runs);
    let never_ran = main().all(|unit| matches!(unit.state, State::Waiting | State::Starting(None)));
    if over && nobody_runs && !never_ran {
        let well = main().all(|unit| unit.ended().is_some_and(|ended| ended.code == 0));
        return if well { Phase::Succeeded } else { Phase::Failed };
    }
    if is_over(wish, observed) && initializing {
        return Phase::Failed;
    }
    // A container that waits for its next start counts as one that runs: the pod has begun.
    let begins = |unit: &Unit| unit.greeting && unit.last.is_none();
    let waits = main().any(|unit| matches!(unit.state, State::Waiting | State::Starting(None)) || begins(unit));
    if initializing || waits { Phase::Pending } else { Phase::Running }
}

/// The API keeps times to the second.
fn seconds(time: Timestamp) -> Time {
    Time(Timestamp::from_second(time.as_second()).unwrap_or(time))
}

#[cfg(test)]
mod tests;
