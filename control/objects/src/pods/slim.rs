//! What loops need of a pod.
//!
//! A pod as its type has it takes four times its JSON, most of it for fields that are there for the node alone: what a
//! container is started with, how it is asked how it is, what its volumes are made of. Who keeps every pod of a cluster
//! in memory keeps it without those.

use k8s_openapi::api::core::v1::{Container, EphemeralContainer, Pod, PodSpec, PodStatus, Volume};

/// Leaves out what only nodes act on. Names, ports and resources of containers stay, and volumes that are somebody's
/// claim; so do metadata, placement and status. Such a pod must not be written back, but for its status.
pub fn slim(pod: &mut Pod) {
    pod.metadata.managed_fields = None;
    if let Some(owners) = &mut pod.metadata.owner_references {
        owners.shrink_to_fit();
    }
    if let Some(spec) = &mut pod.spec {
        slim_spec(spec);
    }
    if let Some(status) = &mut pod.status {
        shrink_status(status);
    }
}

/// Gives back the room that a decoded pod does not use, and leaves all that it says.
pub fn shrink(pod: &mut Pod) {
    if let Some(owners) = &mut pod.metadata.owner_references {
        owners.shrink_to_fit();
    }
    if let Some(spec) = &mut pod.spec {
        spec.containers.shrink_to_fit();
        shrink_list(&mut spec.init_containers);
        shrink_list(&mut spec.tolerations);
        shrink_list(&mut spec.volumes);
        for container in spec.containers.iter_mut().chain(spec.init_containers.iter_mut().flatten()) {
            shrink_list(&mut container.env);
            shrink_list(&mut container.ports);
            shrink_list(&mut container.volume_mounts);
        }
        for projected in spec.volumes.iter_mut().flatten().filter_map(|volume| volume.projected.as_mut()) {
            shrink_list(&mut projected.sources);
        }
    }
    if let Some(status) = &mut pod.status {
        shrink_status(status);
    }
}

fn shrink_list<T>(list: &mut Option<Vec<T>>) {
    if let Some(list) = list {
        list.shrink_to_fit();
    }
}

fn slim_spec(spec: &mut PodSpec) {
    spec.containers = spec.containers.drain(..).map(container).collect();
    spec.init_containers = spec.init_containers.take().map(|all| all.into_iter().map(container).collect());
    spec.ephemeral_containers = spec.ephemeral_containers.take().map(|all| all.into_iter().map(ephemeral).collect());
    spec.volumes = spec.volumes.take().map(claims).filter(|volumes| !volumes.is_empty());
    if let Some(tolerations) = &mut spec.tolerations {
        tolerations.shrink_to_fit();
    }
}

fn container(whole: Container) -> Container {
    let Container { name, image, ports, resources, restart_policy, .. } = whole;
    Container { name, image, ports: ports.map(shrunk), resources, restart_policy, ..Container::default() }
}

fn ephemeral(whole: EphemeralContainer) -> EphemeralContainer {
    EphemeralContainer { name: whole.name, image: whole.image, ..EphemeralContainer::default() }
}

fn claims(volumes: Vec<Volume>) -> Vec<Volume> {
    let claimed = |v: &Volume| v.persistent_volume_claim.is_some() || v.ephemeral.is_some();
    shrunk(volumes.into_iter().filter(claimed).collect())
}

fn shrink_status(status: &mut PodStatus) {
    let PodStatus { conditions, container_statuses, init_container_statuses, host_ips, pod_ips, .. } = status;
    *conditions = conditions.take().map(shrunk);
    *container_statuses = container_statuses.take().map(shrunk);
    *init_container_statuses = init_container_statuses.take().map(shrunk);
    *host_ips = host_ips.take().map(shrunk);
    *pod_ips = pod_ips.take().map(shrunk);
}

/// Decoders do not know how long a list gets, and leave room.
fn shrunk<T>(mut list: Vec<T>) -> Vec<T> {
    list.shrink_to_fit();
    list
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;
    use crate::pods::{named_port, qos_class, requests};

    #[test]
    fn a_shrunk_pod_says_the_same() {
        let mut pod: Pod = from_value(json!({"metadata": {"name": "p"}, "spec": {
            "containers": [{"name": "c", "env": [{"name": "A"}]}],
            "volumes": [{"name": "t", "projected": {"sources": [{"configMap": {"name": "c"}}]}}]}}))
        .expect("pod");
        let whole = pod.clone();
        pod.spec.as_mut().expect("spec").containers.reserve(8);
        shrink(&mut pod);
        assert_eq!(pod, whole);
        assert_eq!(pod.spec.expect("spec").containers.capacity(), 1);
    }

    #[test]
    fn what_loops_ask_for_stays() {
        let whole: Pod = from_value(json!({
            "metadata": {"name": "p", "labels": {"a": "b"}, "managedFields": [{"manager": "m"}]},
            "spec": {
                "nodeSelector": {"disk": "ssd"},
                "containers": [{
                    "name": "c", "image": "i", "args": ["x"], "env": [{"name": "A", "value": "b"}],
                    "ports": [{"name": "http", "containerPort": 80}],
                    "resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "1"}},
                    "livenessProbe": {"httpGet": {"port": 80}},
                }],
                "volumes": [
                    {"name": "token", "projected": {"sources": []}},
                    {"name": "data", "persistentVolumeClaim": {"claimName": "d"}},
                ],
            },
            "status": {"phase": "Running", "containerStatuses": [
                {"name": "c", "image": "i", "imageID": "", "ready": true, "restartCount": 2},
            ]},
        }))
        .expect("pod");
        let mut slimmed = whole.clone();
        slim(&mut slimmed);
        assert_eq!(slimmed.status, whole.status);
        assert_eq!((requests(&slimmed), qos_class(&slimmed)), (requests(&whole), qos_class(&whole)));
        assert_eq!(named_port(&slimmed, "http", "TCP"), Some(80));
        let spec = slimmed.spec.expect("spec");
        let volumes: Vec<_> = spec.volumes.iter().flatten().map(|v| v.name.as_str()).collect();
        assert_eq!((volumes, spec.node_selector), (vec!["data"], whole.spec.expect("spec").node_selector));
        assert_eq!((&spec.containers[0].env, &spec.containers[0].liveness_probe), (&None, &None));
        assert_eq!((slimmed.metadata.managed_fields, slimmed.metadata.labels), (None, whole.metadata.labels));
    }
}
