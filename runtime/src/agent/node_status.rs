//! The Node object of this machine. Pure.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Node, NodeAddress, NodeCondition, NodeSpec, NodeStatus, NodeSystemInfo};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};

use super::Config;
use super::facts::Facts;
use crate::engine::Engine;
use crate::eviction::Pressure;

/// The object to register.
pub fn node(config: &Config, facts: &Facts, now: &Time) -> Node {
    Node {
        metadata: ObjectMeta {
            name: Some(config.node_name.clone()),
            labels: Some(labels(config, facts)),
            ..ObjectMeta::default()
        },
        spec: Some(NodeSpec { pod_cidr: config.pod_cidr.clone(), ..NodeSpec::default() }),
        status: Some(status(config, facts, Pressure::default(), None, now)),
    }
}

/// The labels that every node has, and this one's own.
pub fn labels(config: &Config, facts: &Facts) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    let mut set = |key: &str, value: &str| labels.insert(key.to_owned(), value.to_owned());
    for domain in ["beta.kubernetes.io", "kubernetes.io"] {
        set(&format!("{domain}/arch"), facts.architecture);
        set(&format!("{domain}/os"), "linux");
    }
    set("kubernetes.io/hostname", &config.node_name);
    if config.control_plane {
        set("node-role.kubernetes.io/control-plane", "");
    }
    labels.extend(config.labels.clone());
    labels
}

/// The status, which keeps the times of conditions that `before` had already.
pub fn status(
    config: &Config,
    facts: &Facts,
    pressure: Pressure,
    before: Option<&NodeStatus>,
    now: &Time,
) -> NodeStatus {
    let address = |kind: &str, address: String| NodeAddress { type_: kind.to_owned(), address };
    let conditions = [
        match pressure.memory {
            false => {
                ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available")
            }
            true => {
                ("MemoryPressure", "True", "KubeletHasInsufficientMemory", "kubelet has insufficient memory available")
            }
        },
        match pressure.disk {
            false => ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
            true => ("DiskPressure", "True", "KubeletHasDiskPressure", "kubelet has disk pressure"),
        },
        ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
    ];
    let old = before.and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    let conditions = conditions.map(|(kind, status, reason, message)| {
        let same = old.iter().find(|old| old.type_ == kind && old.status == status);
        NodeCondition {
            type_: kind.to_owned(),
            status: status.to_owned(),
            reason: Some(reason.to_owned()),
            message: Some(message.to_owned()),
            last_heartbeat_time: Some(now.clone()),
            last_transition_time: same.and_then(|old| old.last_transition_time.clone()).or_else(|| Some(now.clone())),
        }
    });
    NodeStatus {
        addresses: Some(vec![
            address("InternalIP", config.node_ip.to_string()),
            address("Hostname", config.node_name.clone()),
        ]),
        capacity: Some(facts.capacity.clone()),
        allocatable: Some(facts.capacity.clone()),
        conditions: Some(conditions.into()),
        node_info: Some(NodeSystemInfo {
            architecture: facts.architecture.to_owned(),
            boot_id: facts.boot_id.clone(),
            container_runtime_version: Engine::version().to_owned(),
            kernel_version: facts.kernel.clone(),
            kubelet_version: config.version.clone(),
            machine_id: facts.machine_id.clone(),
            operating_system: "linux".to_owned(),
            os_image: facts.os_image.clone(),
            system_uuid: facts.machine_id.clone(),
            ..NodeSystemInfo::default()
        }),
        ..NodeStatus::default()
    }
}

/// Whether the two say the same, whenever they said it.
pub fn is_same(one: &NodeStatus, other: &NodeStatus) -> bool {
    let facts = |status: &NodeStatus| {
        let conditions = status.conditions.iter().flatten();
        let conditions: Vec<_> =
            conditions.map(|it| (it.type_.clone(), it.status.clone(), it.reason.clone())).collect();
        (
            status.addresses.clone(),
            status.capacity.clone(),
            status.allocatable.clone(),
            status.node_info.clone(),
            conditions,
        )
    };
    facts(one) == facts(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_facts_make_a_difference() {
        let config = Config::new("pi", "/nowhere", [192, 0, 2, 1].into());
        let facts = Facts::gather(&config);
        let (then, now) = (Time("2026-01-01T00:00:00Z".parse().expect("time")), objects::time::now());
        let old = status(&config, &facts, Pressure::default(), None, &then);
        let new = status(&config, &facts, Pressure::default(), Some(&old), &now);
        assert!(is_same(&old, &new));
        let ready = new.conditions.iter().flatten().find(|condition| condition.type_ == "Ready").expect("ready");
        assert_eq!(ready.last_transition_time, Some(then), "it has been ready since");
        let grown = Facts { cores: 1, kernel: "other".into(), ..facts };
        assert!(!is_same(&new, &status(&config, &grown, Pressure::default(), Some(&new), &now)));
    }

    #[test]
    fn pressure_is_a_condition() {
        let config = Config::new("pi", "/nowhere", [192, 0, 2, 1].into());
        let (facts, now) = (Facts::gather(&config), objects::time::now());
        let well = status(&config, &facts, Pressure::default(), None, &now);
        let ill = status(&config, &facts, Pressure { memory: true, disk: false }, Some(&well), &now);
        assert!(!is_same(&well, &ill));
        let of = |kind: &str| ill.conditions.iter().flatten().find(|c| c.type_ == kind).map(|c| c.status.clone());
        assert_eq!((of("MemoryPressure").as_deref(), of("DiskPressure").as_deref()), (Some("True"), Some("False")));
    }

    #[test]
    fn the_role_is_a_label() {
        let config = Config { control_plane: false, ..Config::new("pi", "/nowhere", [192, 0, 2, 1].into()) };
        let facts = Facts::gather(&config);
        assert!(!labels(&config, &facts).contains_key("node-role.kubernetes.io/control-plane"));
        let config = Config { control_plane: true, ..config };
        assert_eq!(labels(&config, &facts)["node-role.kubernetes.io/control-plane"], "");
    }
}
