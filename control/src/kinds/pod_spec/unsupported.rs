//! The fields of a pod spec that Sampan accepts and does not act on, each named in a `Warning:` header.
//!
//! A pod written for Linux containers runs here as far as it can, and its author learns what has no effect, of what he
//! wrote himself and when he wrote it. When the node learns to honour a field, its line goes.

use serde_json::Value;

use crate::field::Path;
use crate::kinds::access::Look;

/// When a field counts as set.
enum When {
    /// It is there, and not empty, false or zero.
    Set,
    /// It is there and none of these.
    NotOneOf(&'static [&'static str]),
    /// It has other fields than these.
    Besides(&'static [&'static str]),
}
use When::{Besides, NotOneOf, Set};

const IGNORED: &str = "not supported by Sampan, ignored";
const NETWORK: &str = "not supported by Sampan, ignored: a pod has its own network inside the process";
const SANDBOXED: &str = "not supported by Sampan, ignored: a guest has no user and no system calls to restrict";
const PROCESSES: &str = "not supported by Sampan, ignored: a guest is no process of the host";
const NAMESERVERS: &str = "not asked by Sampan: they are shown in /etc/resolv.conf, and the node looks names up";
const NO_HOOK: &str = "not supported, as in Kubernetes: the hook fails";
const ABSENT: &str = "not supported by Sampan";

/// Fields of the pod spec.
const POD: &[(&str, When, &str)] = &[
    ("hostNetwork", Set, NETWORK),
    ("hostPID", Set, PROCESSES),
    ("hostIPC", Set, PROCESSES),
    ("hostUsers", Set, IGNORED),
    ("shareProcessNamespace", Set, PROCESSES),
    ("securityContext", Set, SANDBOXED),
    ("dnsConfig.nameservers", Set, NAMESERVERS),
    ("affinity.podAffinity", Set, IGNORED),
    ("affinity.podAntiAffinity", Set, IGNORED),
    ("topologySpreadConstraints", Set, IGNORED),
    ("schedulerName", NotOneOf(&["default-scheduler"]), "not supported by Sampan: no such scheduler places the pod"),
    ("runtimeClassName", Set, IGNORED),
    ("os", Set, IGNORED),
    ("resourceClaims", Set, IGNORED),
    ("resources", Set, IGNORED),
];

/// Fields of each container.
const CONTAINER: &[(&str, When, &str)] = &[
    ("lifecycle.postStart.tcpSocket", Set, NO_HOOK),
    ("lifecycle.preStop.tcpSocket", Set, NO_HOOK),
    ("lifecycle.stopSignal", Set, "not supported by Sampan, ignored: WASI has no signals"),
    ("securityContext", Besides(&["readOnlyRootFilesystem"]), SANDBOXED),
    ("volumeDevices", Set, IGNORED),
    ("resources.claims", Set, IGNORED),
];

/// Fields of each volume mount.
const MOUNT: &[(&str, When, &str)] = &[("mountPropagation", NotOneOf(&["None"]), IGNORED)];

/// Fields of each volume.
const VOLUME: &[(&str, When, &str)] = &[("emptyDir.medium", NotOneOf(&["Memory"]), ABSENT)];

/// The volume sources that a node provides. All others are named in a warning.
const VOLUMES: &[&str] = &[
    "emptyDir",
    "configMap",
    "secret",
    "projected",
    "downwardAPI",
    "hostPath",
    "persistentVolumeClaim",
    "ephemeral",
    "image",
];

/// One line for each field of the pod spec at `path` that has no effect.
pub fn warnings(spec: &Value, path: &Path) -> Vec<String> {
    let mut said = Vec::new();
    check(spec, path, POD, &mut said);
    for list in ["initContainers", "containers"] {
        for (i, container) in spec.items(list).iter().enumerate() {
            let path = path.child(list).index(i);
            check(container, &path, CONTAINER, &mut said);
            // In `initContainers` it makes a sidecar, which runs.
            if list == "containers" && is_set(container.at("restartPolicy")) {
                said.push(format!("{}: {IGNORED}", path.child("restartPolicy")));
            }
            for (i, mount) in container.items("volumeMounts").iter().enumerate() {
                check(mount, &path.child("volumeMounts").index(i), MOUNT, &mut said);
            }
        }
    }
    for (i, volume) in spec.items("volumes").iter().enumerate() {
        let path = path.child("volumes").index(i);
        check(volume, &path, VOLUME, &mut said);
        let source = volume.entries("").map(|(field, _)| field).find(|f| *f != "name" && !VOLUMES.contains(f));
        if let Some(source) = source {
            said.push(format!("{}: {ABSENT}", path.child(source)));
        }
    }
    said
}

fn check(value: &Value, path: &Path, table: &[(&str, When, &str)], said: &mut Vec<String>) {
    for (field, when, words) in table {
        let found = value.at(field);
        let warn = match when {
            Set => is_set(found),
            NotOneOf(fine) => found.as_str().is_some_and(|text| !text.is_empty() && !fine.contains(&text)),
            Besides(known) => found.entries("").any(|(field, value)| !known.contains(&field) && is_set(value)),
        };
        if warn {
            said.push(format!("{}: {words}", path.child(field)));
        }
    }
}

fn is_set(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Number(n) => n.as_i64() != Some(0),
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
        Value::Bool(true) => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_unsupported_field_is_named() {
        let spec = json!({
            "hostNetwork": true,
            "securityContext": {},
            "dnsPolicy": "ClusterFirst",
            "containers": [{"name": "c", "lifecycle": {"preStop": {"tcpSocket": {"port": 80}}}, "resources": {"limits": {"cpu": "1", "memory": "1Mi"}},
                "volumeMounts": [{"name": "v", "mountPath": "/x", "mountPropagation": "HostToContainer"}]}],
            "volumes": [{"name": "v", "nfs": {"path": "/"}}, {"name": "w", "emptyDir": {"sizeLimit": "1Mi"}}],
        });
        let said = warnings(&spec, &Path::new("spec"));
        assert_eq!(
            said,
            [
                "spec.hostNetwork: not supported by Sampan, ignored: a pod has its own network inside the process",
                "spec.containers[0].lifecycle.preStop.tcpSocket: not supported, as in Kubernetes: the hook fails",
                "spec.containers[0].volumeMounts[0].mountPropagation: not supported by Sampan, ignored",
                "spec.volumes[0].nfs: not supported by Sampan",
            ]
        );
    }

    #[test]
    fn a_supported_pod_is_accepted_in_silence() {
        let mut spec = json!({"containers": [{"name": "c", "image": "web:1", "ports": [{"containerPort": 80}],
            "readinessProbe": {"httpGet": {"port": 80}}, "securityContext": {"readOnlyRootFilesystem": true}, "env": [{"name": "A", "value": "b"}]}]});
        crate::kinds::pod_spec::default(&mut spec);
        assert_eq!(warnings(&spec, &Path::new("spec")), Vec::<String>::new());
    }
}
