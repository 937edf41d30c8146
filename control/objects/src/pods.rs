//! Questions about pods.

mod quality;
mod resources;
mod slim;

use k8s_openapi::api::core::v1::{Container, ContainerStatus, Pod, PodCondition, PodSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::SignedDuration;

use crate::conditions;

pub use quality::{QosClass, qos_class};
pub use resources::{Requests, limits, requests};
pub use slim::{shrink, slim};

/// The pod's phase, empty when it has none yet.
pub fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|s| s.phase.as_deref()).unwrap_or_default()
}

/// The pod's conditions.
pub fn conditions(pod: &Pod) -> Option<&[PodCondition]> {
    pod.status.as_ref()?.conditions.as_deref()
}

/// The condition of this type.
pub fn condition<'a>(pod: &'a Pod, kind: &str) -> Option<&'a PodCondition> {
    conditions::find(conditions(pod), kind)
}

/// True when the pod is ready to be sent requests.
pub fn is_ready(pod: &Pod) -> bool {
    conditions::is_true(conditions(pod), "Ready")
}

/// Is the pod ready, and has it been for this long?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// Ready for long enough.
    Available,
    /// Ready, and available after this long if it stays so.
    In(SignedDuration),
    /// Not ready.
    NotReady,
}

/// The pod's availability at `now`.
pub fn availability(pod: &Pod, min_ready_seconds: i32, now: &Time) -> Availability {
    if !is_ready(pod) {
        return Availability::NotReady;
    }
    if min_ready_seconds <= 0 {
        return Availability::Available;
    }
    let Some(since) = ready_since(pod) else { return Availability::NotReady };
    let left = SignedDuration::from_secs(min_ready_seconds.into()) - now.0.duration_since(since.0);
    if left.is_positive() { Availability::In(left) } else { Availability::Available }
}

/// True when the pod has been ready for `min_ready_seconds`.
pub fn is_available(pod: &Pod, min_ready_seconds: i32, now: &Time) -> bool {
    availability(pod, min_ready_seconds, now) == Availability::Available
}

/// Since when the pod has been ready (or not ready).
pub fn ready_since(pod: &Pod) -> Option<&Time> {
    condition(pod, "Ready")?.last_transition_time.as_ref()
}

/// True when the pod has ended for good.
pub fn is_terminal(pod: &Pod) -> bool {
    matches!(phase(pod), "Succeeded" | "Failed")
}

/// True when somebody asked for the pod's deletion.
pub fn is_terminating(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_some()
}

/// True when the pod counts as a replica: it has neither ended nor been asked to.
pub fn is_active(pod: &Pod) -> bool {
    !is_terminal(pod) && !is_terminating(pod)
}

/// The node the pod is bound to, empty while it has none.
pub fn node(pod: &Pod) -> &str {
    pod.spec.as_ref().and_then(|s| s.node_name.as_deref()).unwrap_or_default()
}

/// The pod's addresses: `podIPs`, or `podIP` alone.
pub fn addresses(pod: &Pod) -> Vec<&str> {
    let Some(status) = &pod.status else { return Vec::new() };
    let listed: Vec<&str> =
        status.pod_ips.iter().flatten().map(|ip| ip.ip.as_str()).filter(|ip| !ip.is_empty()).collect();
    if listed.is_empty() {
        return status.pod_ip.as_deref().filter(|ip| !ip.is_empty()).into_iter().collect();
    }
    listed
}

/// True for an init container that keeps running beside the others.
pub fn is_sidecar(container: &Container) -> bool {
    container.restart_policy.as_deref() == Some("Always")
}

/// The pod's ordinary and init containers.
pub fn all_containers(spec: &PodSpec) -> impl Iterator<Item = &Container> {
    spec.init_containers.iter().flatten().chain(&spec.containers)
}

/// The statuses of the pod's ordinary containers.
pub fn container_statuses(pod: &Pod) -> &[ContainerStatus] {
    pod.status.as_ref().and_then(|s| s.container_statuses.as_deref()).unwrap_or_default()
}

/// How many times the pod's containers were restarted, sidecars included; and the most of one container.
pub fn restarts(pod: &Pod) -> (i32, i32) {
    let Some(status) = &pod.status else { return (0, 0) };
    let sidecars = status.init_container_statuses.iter().flatten().filter(|s| {
        pod.spec.iter().flat_map(|p| p.init_containers.iter().flatten()).any(|c| c.name == s.name && is_sidecar(c))
    });
    let counts: Vec<i32> =
        status.container_statuses.iter().flatten().chain(sidecars).map(|s| s.restart_count).collect();
    (counts.iter().sum(), counts.iter().copied().max().unwrap_or(0))
}

/// The container port of this name and protocol, for a named target port.
pub fn named_port(pod: &Pod, name: &str, protocol: &str) -> Option<i32> {
    let spec = pod.spec.as_ref()?;
    let sidecars = spec.init_containers.iter().flatten().filter(|c| is_sidecar(c));
    spec.containers
        .iter()
        .chain(sidecars)
        .flat_map(|c| c.ports.iter().flatten())
        .find(|p| p.name.as_deref() == Some(name) && p.protocol.as_deref().unwrap_or("TCP") == protocol)
        .map(|p| p.container_port)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::PodStatus;

    use super::*;
    use crate::time;

    fn ready(since: &Time) -> Pod {
        let condition = PodCondition {
            type_: "Ready".into(),
            status: "True".into(),
            last_transition_time: Some(since.clone()),
            ..PodCondition::default()
        };
        Pod { status: Some(PodStatus { conditions: Some(vec![condition]), ..PodStatus::default() }), ..Pod::default() }
    }

    #[test]
    fn availability_waits_for_min_ready_seconds() {
        let start = time::now();
        let pod = ready(&start);
        assert_eq!(availability(&pod, 0, &start), Availability::Available);
        let later = time::plus_seconds(&start, 4);
        assert_eq!(availability(&pod, 10, &later), Availability::In(SignedDuration::from_secs(6)));
        assert!(is_available(&pod, 10, &time::plus_seconds(&start, 10)));
        assert_eq!(availability(&Pod::default(), 0, &start), Availability::NotReady);
    }
}
