//! What a pod spec and its containers get when they do not say otherwise, in pods and in templates alike.

use serde_json::{Value, json};

use crate::kinds::access::{Change, Look};

/// Fills in one pod spec.
pub fn apply(spec: &mut Value) {
    for volume in spec.items_mut("volumes") {
        self::volume(volume);
    }
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        for container in spec.items_mut(list) {
            self::container(container);
        }
    }
    spec.set_default("", "restartPolicy", "Always");
    spec.set_default("", "terminationGracePeriodSeconds", 30);
    spec.set_default("", "dnsPolicy", "ClusterFirst");
    spec.set_default("", "securityContext", json!({}));
    spec.set_default("", "schedulerName", "default-scheduler");
    same_account(spec);
}

/// `serviceAccount` is the old name of `serviceAccountName`; both are always shown.
fn same_account(spec: &mut Value) {
    let name = [spec.text("serviceAccountName"), spec.text("serviceAccount")].into_iter().find(|n| !n.is_empty());
    if let Some(name) = name.map(str::to_owned) {
        spec.set("", "serviceAccountName", name.clone());
        spec.set("", "serviceAccount", name);
    }
}

fn container(container: &mut Value) {
    for port in container.items_mut("ports") {
        port.set_default("", "protocol", "TCP");
    }
    for variable in container.items_mut("env") {
        if variable.has("valueFrom.fieldRef") {
            variable.set_default("valueFrom.fieldRef", "apiVersion", "v1");
        }
    }
    container.set_default("", "resources", json!({}));
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if container.has(probe) {
            self::probe(container.map_at("").entry(probe).or_insert(Value::Null));
        }
    }
    for hook in ["lifecycle.postStart", "lifecycle.preStop"] {
        if container.has(hook) {
            http_get(container, hook);
        }
    }
    container.set_default("", "terminationMessagePath", "/dev/termination-log");
    container.set_default("", "terminationMessagePolicy", "File");
    let policy = pull_policy(container.text("image"));
    container.set_default("", "imagePullPolicy", policy);
}

fn probe(probe: &mut Value) {
    http_get(probe, "");
    if probe.has("grpc") {
        probe.set_default("grpc", "service", "");
    }
    probe.set_default("", "timeoutSeconds", 1);
    probe.set_default("", "periodSeconds", 10);
    probe.set_default("", "successThreshold", 1);
    probe.set_default("", "failureThreshold", 3);
}

fn http_get(action: &mut Value, at: &str) {
    let at = if at.is_empty() { "httpGet".to_owned() } else { format!("{at}.httpGet") };
    if action.has(&at) {
        action.set_default(&at, "path", "/");
        action.set_default(&at, "scheme", "HTTP");
    }
}

/// `Always` for the tag `latest` and for no tag, unless a digest pins the image.
fn pull_policy(image: &str) -> &'static str {
    let (name, pinned) = match image.split_once('@') {
        Some((name, _)) => (name, true),
        None => (image, false),
    };
    let last = name.rsplit('/').next().unwrap_or_default();
    match last.split_once(':') {
        Some((_, "latest")) => "Always",
        None if !pinned && !last.is_empty() => "Always",
        _ => "IfNotPresent",
    }
}

fn volume(volume: &mut Value) {
    if volume.entries("").all(|(field, source)| field == "name" || source.is_null()) {
        volume.set("", "emptyDir", json!({}));
    }
    for source in ["secret", "configMap", "downwardAPI", "projected"] {
        if volume.has(source) {
            volume.set_default(source, "defaultMode", 420);
        }
    }
    for item in volume.items_mut("downwardAPI.items") {
        field_version(item);
    }
    for source in volume.items_mut("projected.sources") {
        for item in source.items_mut("downwardAPI.items") {
            field_version(item);
        }
        if source.has("serviceAccountToken") {
            source.set_default("serviceAccountToken", "expirationSeconds", 3600);
        }
    }
    for (source, field, value) in [
        ("hostPath", "type", json!("")),
        ("iscsi", "iscsiInterface", json!("default")),
        ("rbd", "pool", json!("rbd")),
        ("rbd", "user", json!("admin")),
        ("rbd", "keyring", json!("/etc/ceph/keyring")),
        ("azureDisk", "cachingMode", json!("ReadWrite")),
        ("azureDisk", "fsType", json!("ext4")),
        ("azureDisk", "readOnly", json!(false)),
        ("azureDisk", "kind", json!("Shared")),
        ("scaleIO", "storageMode", json!("ThinProvisioned")),
        ("scaleIO", "fsType", json!("xfs")),
        ("ephemeral.volumeClaimTemplate.spec", "volumeMode", json!("Filesystem")),
    ] {
        if volume.has(source) {
            volume.set_default(source, field, value);
        }
    }
}

fn field_version(item: &mut Value) {
    if item.has("fieldRef") {
        item.set_default("fieldRef", "apiVersion", "v1");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_decides_the_pull_policy() {
        for (image, policy) in [
            ("web", "Always"),
            ("web:latest", "Always"),
            ("localhost:5000/web", "Always"),
            ("web:1.21", "IfNotPresent"),
            ("localhost:5000/web:1.21", "IfNotPresent"),
            ("web@sha256:00", "IfNotPresent"),
            ("web:latest@sha256:00", "Always"),
        ] {
            assert_eq!(pull_policy(image), policy, "{image}");
        }
    }

    #[test]
    fn a_second_pass_changes_nothing() {
        let mut spec = json!({
            "volumes": [{"name": "a", "configMap": {"name": "x"}}, {"name": "b"}, {"name": "h", "hostPath": {"path": "/x"}},
                {"name": "p", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}],
            "containers": [{"name": "c", "image": "nginx", "ports": [{"containerPort": 80}],
                "env": [{"name": "N", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
                "livenessProbe": {"httpGet": {"port": 80}}}],
        });
        apply(&mut spec);
        let once = spec.clone();
        apply(&mut spec);
        assert_eq!(spec, once);
        assert_eq!(
            once,
            json!({
                "volumes": [{"name": "a", "configMap": {"name": "x", "defaultMode": 420}}, {"name": "b", "emptyDir": {}},
                    {"name": "h", "hostPath": {"path": "/x", "type": ""}},
                    {"name": "p", "projected": {"sources": [{"serviceAccountToken": {"path": "t", "expirationSeconds": 3600}}],
                        "defaultMode": 420}}],
                "containers": [{"name": "c", "image": "nginx", "ports": [{"containerPort": 80, "protocol": "TCP"}],
                    "env": [{"name": "N", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name", "apiVersion": "v1"}}}],
                    "livenessProbe": {"httpGet": {"port": 80, "path": "/", "scheme": "HTTP"}, "timeoutSeconds": 1,
                        "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3},
                    "resources": {}, "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
                    "imagePullPolicy": "Always"}],
                "restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst",
                "securityContext": {}, "schedulerName": "default-scheduler",
            })
        );
    }
}
