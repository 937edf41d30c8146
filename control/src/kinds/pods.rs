//! Pods.

mod parts;
mod qos;
mod table;
mod update;

use serde_json::{Value, json};

use super::access::{Change, Look};
use super::columns::{AGE, Column, NAME};
use super::generic::keep_status;
use super::{Behavior, Generation, pod_spec};
use crate::field::{Errors, Path};

pub use qos::class as quality_of;

/// What pods do.
pub const BEHAVIOR: Behavior = Behavior {
    default,
    prepare_create,
    prepare_update: keep_status,
    prepare_status_update,
    validate,
    validate_create,
    validate_update: update::validate,
    parts: &[parts::EPHEMERAL_CONTAINERS, parts::RESIZE],
    warnings: |pod| pod_spec::warnings(pod.at("spec"), &Path::new("spec")),
    columns: &[
        NAME,
        Column::text("Ready", "The aggregate readiness state of this pod for accepting traffic."),
        Column::text("Status", "The aggregate status of the containers in this pod."),
        Column::text(
            "Restarts",
            "The number of times the containers in this pod have been restarted and when the last container in this \
             pod has restarted.",
        ),
        AGE,
        Column::text(
            "IP",
            "podIP address allocated to the pod. Routable at least within the cluster. Empty if not yet allocated.",
        )
        .wide(),
        Column::text(
            "Node",
            "NodeName indicates in which node this pod is scheduled. If empty, this pod is a candidate for scheduling \
             by the scheduler defined in schedulerName. Once this field is set, the kubelet for this node becomes \
             responsible for the lifecycle of this pod. This field should not be used to express a desire for the pod \
             to be scheduled on a specific node. \
             https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#nodename",
        )
        .wide(),
        Column::text(
            "Nominated Node",
            "nominatedNodeName is set only when this pod preempts other pods on the node, but it cannot be scheduled \
             right away as preemption victims receive their graceful termination periods. This field does not \
             guarantee that the pod will be scheduled on this node. Scheduler may decide to place the pod elsewhere \
             if other nodes become available sooner. Scheduler may also decide to give the resources on this node to \
             a higher priority pod that is created after preemption. As a result, this field may be different than \
             PodSpec.nodeName when the pod is scheduled.",
        )
        .wide(),
        Column::text(
            "Readiness Gates",
            "If specified, all readiness gates will be evaluated for pod readiness. A pod is ready when all its \
             containers are ready AND all conditions specified in the readiness gates have status equal to \"True\" \
             More info: https://git.k8s.io/enhancements/keps/sig-network/580-pod-readiness-gates",
        )
        .wide(),
    ],
    row: table::row,
    fields: &[
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.podIPs",
        "status.nominatedNodeName",
    ],
    field,
    generation: Generation::Spec,
    ..Behavior::GENERIC
};

fn default(pod: &mut Value) {
    let Some(spec) = pod.map_mut("").and_then(|pod| pod.get_mut("spec")) else { return };
    for list in ["initContainers", "containers"] {
        for container in spec.items_mut(list) {
            request_the_limits(container);
        }
    }
    spec.set_default("", "enableServiceLinks", true);
    if spec.flag("hostNetwork") {
        for container in spec.items_mut("containers") {
            for port in container.items_mut("ports") {
                let container_port = port.at("containerPort").clone();
                port.set_default("", "hostPort", container_port);
            }
        }
    }
    pod_spec::default(spec);
    if pod.has("status.podIP") && !pod.has("status.podIPs") {
        let ip = pod.text("status.podIP").to_owned();
        pod.set("status", "podIPs", json!([{"ip": ip}]));
    }
}

/// A limit without a request requests as much.
fn request_the_limits(container: &mut Value) {
    let limits: Vec<(String, Value)> =
        container.entries("resources.limits").map(|(name, limit)| (name.to_owned(), limit.clone())).collect();
    for (name, limit) in limits {
        container.set_default("resources.requests", &name, limit);
    }
}

fn prepare_create(pod: &mut Value) {
    let mut status = json!({"phase": "Pending", "qosClass": qos::class(pod.at("spec"))});
    if !pod.items("spec.schedulingGates").is_empty() {
        status["conditions"] = json!([{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated",
            "message": "Scheduling is blocked due to non-empty scheduling gates"}]);
    }
    pod.set("", "status", status);
}

fn validate(pod: &Value, errors: &mut Errors) {
    pod_spec::validate(pod.at("spec"), &Path::new("spec"), errors);
}

fn validate_create(pod: &Value, errors: &mut Errors) {
    let at = Path::new("spec");
    if !pod.items("spec.ephemeralContainers").is_empty() {
        errors.forbidden(&at.child("ephemeralContainers"), "cannot be set on create");
    }
    if !pod.items("spec.schedulingGates").is_empty() && !pod.text("spec.nodeName").is_empty() {
        errors.forbidden(&at.child("nodeName"), "cannot be set until all schedulingGates have been cleared");
    }
}

fn prepare_status_update(new: &mut Value, old: &Value) {
    super::generic::keep_all_but_status(new, old);
    new.restore("metadata", "ownerReferences", old);
    if !new.has("status.qosClass") {
        new.restore("status", "qosClass", old);
    }
    default(new);
}

fn field(pod: &Value, path: &str) -> String {
    match path {
        "spec.hostNetwork" => pod.flag(path).to_string(),
        "status.podIPs" => pod.items(path).iter().map(|ip| ip.text("ip")).collect::<Vec<_>>().join(","),
        _ => pod.text(path).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minimal_pod_becomes_what_kubernetes_makes_of_it() {
        let mut pod = json!({"metadata": {"name": "p", "namespace": "d"},
            "spec": {"containers": [{"name": "c", "image": "web:1", "resources": {"limits": {"memory": "1Mi"}}}]}});
        (BEHAVIOR.default)(&mut pod);
        (BEHAVIOR.prepare_create)(&mut pod);
        assert_eq!(pod.at("status"), &json!({"phase": "Pending", "qosClass": "Burstable"}));
        assert_eq!(pod.items("spec.containers")[0].at("resources.requests"), &json!({"memory": "1Mi"}));
        let once = pod.clone();
        (BEHAVIOR.default)(&mut pod);
        assert_eq!(pod, once);
    }

    #[test]
    fn the_status_endpoint_changes_only_the_status() {
        let old = json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "a"}]},
            "status": {"phase": "Pending", "qosClass": "BestEffort"}});
        let mut new = json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "zzz"}]},
            "status": {"phase": "Running", "podIP": "10.42.0.2"}});
        prepare_status_update(&mut new, &old);
        assert_eq!(new.items("spec.containers")[0].text("image"), "a");
        assert_eq!(new.text("status.qosClass"), "BestEffort");
        assert_eq!(field(&new, "status.podIPs"), "10.42.0.2");
        assert_eq!(field(&new, "spec.hostNetwork"), "false");
    }
}
