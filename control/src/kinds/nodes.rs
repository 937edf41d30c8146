//! Nodes.

use std::collections::BTreeSet;

use jiff::Timestamp;
use objects::names;
use serde_json::Value;

use super::access::{Change, Look};
use super::columns::{AGE, Column, NAME};
use super::generic::keep_status;
use super::{Behavior, cells};
use crate::field::{Errors, Path};

const ADDRESSES: &str = "List of addresses reachable to the node. Queried from cloud provider, if available. More info: \
    https://kubernetes.io/docs/reference/node/node-status/#addresses Note: This field is declared as \
    mergeable, but the merge key is not sufficiently unique, which can cause data corruption when it is \
    merged. Callers should instead use a full-replacement patch. See https://pr.k8s.io/79391 for an example. \
    Consumers should assume that addresses can change during the lifetime of a Node. However, there are some \
    exceptions where this may not be possible, such as Pods that inherit a Node's address in its own status \
    or consumers of the downward API (status.hostIP).";

/// What nodes do.
pub const BEHAVIOR: Behavior = Behavior {
    prepare_create,
    prepare_update: keep_status,
    validate,
    validate_update,
    columns: &[
        NAME,
        Column::text("Status", "The status of the node"),
        Column::text("Roles", "The roles of the node"),
        AGE,
        Column::text("Version", "Kubelet Version reported by the node."),
        Column::text("Internal-IP", ADDRESSES).wide(),
        Column::text("External-IP", ADDRESSES).wide(),
        Column::text(
            "OS-Image",
            "OS Image reported by the node from /etc/os-release (e.g. Debian GNU/Linux 7 (wheezy)).",
        )
        .wide(),
        Column::text(
            "Kernel-Version",
            "Kernel Version reported by the node from 'uname -r' (e.g. 3.16.0-0.bpo.4-amd64).",
        )
        .wide(),
        Column::text(
            "Container-Runtime",
            "ContainerRuntime Version reported by the node through runtime remote API (e.g. containerd://1.4.2).",
        )
        .wide(),
    ],
    row,
    fields: &["spec.unschedulable"],
    field: |node, path| node.flag(path).to_string(),
    ..Behavior::GENERIC
};

/// A node may report its status with its registration.
fn prepare_create(node: &mut Value) {
    node.set_default("status.daemonEndpoints.kubeletEndpoint", "Port", 0);
    for field in [
        "machineID",
        "systemUUID",
        "bootID",
        "kernelVersion",
        "osImage",
        "containerRuntimeVersion",
        "kubeletVersion",
        "kubeProxyVersion",
        "operatingSystem",
        "architecture",
    ] {
        node.set_default("status.nodeInfo", field, "");
    }
}

fn validate(node: &Value, errors: &mut Errors) {
    let at = Path::new("spec").child("taints");
    let mut taken = BTreeSet::new();
    for (i, taint) in node.items("spec.taints").iter().enumerate() {
        let at = at.index(i);
        let (key, value, effect) = (taint.text("key"), taint.text("value"), taint.text("effect"));
        errors.all_invalid(&at.child("key"), key, names::qualified_name(key));
        let wrong = names::label_value(value);
        if !wrong.is_empty() {
            errors.invalid(&at.child("value"), value, &wrong.join(";"));
        }
        let effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
        match effect {
            "" => errors.required(&at.child("effect"), ""),
            other if !effects.contains(&other) => errors.not_supported(&at.child("effect"), other, &effects),
            _ => {}
        }
        if !taken.insert((key, effect)) {
            errors.duplicate(&at, taint.clone());
        }
    }
}

fn validate_update(new: &Value, old: &Value, errors: &mut Errors) {
    for field in ["podCIDR", "providerID"] {
        let (now, before) = (new.at("spec").text(field), old.at("spec").text(field));
        if !before.is_empty() && now != before {
            let why = match field {
                "podCIDR" => "node updates may not change podCIDR except from \"\" to valid",
                _ => "node updates may not change providerID except from \"\" to valid",
            };
            errors.forbidden(&Path::new("spec").child(field), why);
        }
    }
}

fn row(node: &Value, now: Timestamp) -> Vec<Value> {
    let or_unknown = |path: &str| cells::or(node.text(path), "<unknown>");
    vec![
        cells::name(node),
        status(node).into(),
        cells::or(&roles(node), "<none>"),
        cells::age(node, now),
        node.text("status.nodeInfo.kubeletVersion").into(),
        address(node, "InternalIP"),
        address(node, "ExternalIP"),
        or_unknown("status.nodeInfo.osImage"),
        or_unknown("status.nodeInfo.kernelVersion"),
        or_unknown("status.nodeInfo.containerRuntimeVersion"),
    ]
}

fn status(node: &Value) -> String {
    let ready = node.items("status.conditions").iter().find(|c| c.text("type") == "Ready");
    let mut status = match ready.map(|c| c.text("status")) {
        Some("True") => "Ready".to_owned(),
        Some(_) => "NotReady".to_owned(),
        None => "Unknown".to_owned(),
    };
    if node.flag("spec.unschedulable") {
        status.push_str(",SchedulingDisabled");
    }
    status
}

/// Labels like `node-role.kubernetes.io/control-plane`, and the older `kubernetes.io/role`.
fn roles(node: &Value) -> String {
    let roles: BTreeSet<&str> = node
        .entries("metadata.labels")
        .filter_map(|(label, value)| match label.strip_prefix("node-role.kubernetes.io/") {
            Some(role) => Some(role),
            None if label == "kubernetes.io/role" => value.as_str(),
            None => None,
        })
        .filter(|role| !role.is_empty())
        .collect();
    roles.into_iter().collect::<Vec<_>>().join(",")
}

fn address(node: &Value, kind: &str) -> Value {
    let found = node.items("status.addresses").iter().find(|a| a.text("type") == kind);
    cells::or(found.map(|a| a.text("address")).unwrap_or_default(), "<none>")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_as_the_reference_prints_it() {
        let now = "2026-11-20T09:25:32Z".parse().expect("a time");
        let bare = json!({"metadata": {"name": "gn1", "creationTimestamp": "2026-11-20T09:25:29Z"}});
        let cells =
            json!(["gn1", "Unknown", "<none>", "3s", "", "<none>", "<none>", "<unknown>", "<unknown>", "<unknown>"]);
        assert_eq!(Value::from(row(&bare, now)), cells);
        let ready = json!({"metadata": {"labels": {"node-role.kubernetes.io/control-plane": ""}},
            "spec": {"unschedulable": true}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}});
        assert_eq!((status(&ready), roles(&ready)), ("Ready,SchedulingDisabled".into(), "control-plane".into()));
    }
}
