//! What the admission plug-ins of a default cluster do to a new pod: ServiceAccount, DefaultTolerationSeconds, Priority.

use serde_json::{Value, json};

use crate::kinds::access::{Change, Look};
use crate::kinds::pod_spec;

const TOKENS: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
const VOLUME_PREFIX: &str = "kube-api-access-";

/// Changes a pod that is about to be created.
pub fn admit(pod: &mut Value) {
    let spec = pod.map_at("").entry("spec").or_insert_with(|| json!({}));
    priority(spec);
    account(spec);
    tolerate_lost_nodes(spec);
}

/// Changes a pod that is about to replace `old`: what a client leaves out that admission put in stays.
pub fn admit_update(pod: &mut Value, old: &Value) {
    for field in ["priority", "preemptionPolicy"] {
        if !pod.at("spec").has(field) {
            pod.restore("spec", field, old);
        }
    }
    tolerate_lost_nodes(pod.map_at("").entry("spec").or_insert_with(|| json!({})));
}

fn priority(spec: &mut Value) {
    let priority = match spec.text("priorityClassName") {
        "system-node-critical" => 2_000_001_000,
        "system-cluster-critical" => 2_000_000_000,
        _ => 0,
    };
    spec.set_default("", "priority", priority);
    spec.set_default("", "preemptionPolicy", "PreemptLowerPriority");
}

fn account(spec: &mut Value) {
    spec.set_default("", "serviceAccountName", "default");
    pod_spec::same_account(spec);
    if spec.at("automountServiceAccountToken").as_bool() == Some(false) {
        return;
    }
    let existing = spec.items("volumes").iter().map(|v| v.text("name")).find(|n| n.starts_with(VOLUME_PREFIX));
    let (name, is_new) = match existing {
        Some(name) => (name.to_owned(), false),
        None => (objects::names::generate(VOLUME_PREFIX), true),
    };
    let mut mounted = false;
    for list in ["initContainers", "containers"] {
        for container in spec.items_mut(list) {
            mounted |= mount(container, &name);
        }
    }
    if is_new && mounted {
        push(spec, "volumes", token_volume(&name));
    }
}

/// Mounts the token volume where the container has nothing at that place.
fn mount(container: &mut Value, volume: &str) -> bool {
    if container.items("volumeMounts").iter().any(|m| m.text("mountPath") == TOKENS) {
        return false;
    }
    push(container, "volumeMounts", json!({"name": volume, "readOnly": true, "mountPath": TOKENS}));
    true
}

fn token_volume(name: &str) -> Value {
    json!({"name": name, "projected": {
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [{"path": "namespace",
                "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}},
        ],
        "defaultMode": 420,
    }})
}

/// A pod stays five minutes on a node that is not ready or not reachable, unless it says otherwise.
fn tolerate_lost_nodes(spec: &mut Value) {
    for taint in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let tolerated = spec.items("tolerations").iter().any(|t| {
            matches!(t.text("key"), key if key.is_empty() || key == taint)
                && matches!(t.text("effect"), "" | "NoExecute")
        });
        if !tolerated {
            let toleration =
                json!({"key": taint, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300});
            push(spec, "tolerations", toleration);
        }
    }
}

fn push(object: &mut Value, list: &str, item: Value) {
    match object.map_at("").entry(list).or_insert_with(|| json!([])) {
        Value::Array(items) => items.push(item),
        other => *other = json!([item]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_may_opt_out() {
        let mut pod = json!({"spec": {"automountServiceAccountToken": false, "serviceAccountName": "robot",
            "tolerations": [{"operator": "Exists"}], "containers": [{"name": "c"}]}});
        admit(&mut pod);
        assert_eq!(pod.items("spec.volumes"), [] as [Value; 0]);
        assert_eq!(pod.text("spec.serviceAccount"), "robot");
        assert_eq!(pod.items("spec.tolerations").len(), 1);
    }

    #[test]
    fn a_mount_of_the_author_stays() {
        let mut pod =
            json!({"spec": {"containers": [{"name": "c", "volumeMounts": [{"name": "mine", "mountPath": TOKENS}]}]}});
        admit(&mut pod);
        assert_eq!(pod.items("spec.volumes"), [] as [Value; 0]);
        assert_eq!(pod.items("spec.containers")[0].items("volumeMounts").len(), 1);
    }
}
