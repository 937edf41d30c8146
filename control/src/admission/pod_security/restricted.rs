//! The checks that the restricted level adds.

use std::collections::BTreeSet;

use serde_json::Value;

use super::baseline;
use super::words::{Violation, blamed, containers, named, names, plural, quoted};
use crate::kinds::Look;

/// Volume sources that stay inside the cluster.
const VOLUMES: &[&str] =
    &["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"];

/// Volume sources that have a name in the message.
const OTHER_VOLUMES: &[&str] = &[
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "gitRepo",
    "nfs",
    "iscsi",
    "glusterfs",
    "rbd",
    "flexVolume",
    "cinder",
    "cephfs",
    "flocker",
    "fc",
    "azureFile",
    "vsphereVolume",
    "quobyte",
    "azureDisk",
    "portworxVolume",
    "photonPersistentDisk",
    "scaleIO",
    "storageos",
];

/// A rule that Windows has no means to break, since 1.25.
pub fn unless_windows(
    check: fn(&Value, &Value) -> Option<Violation>,
    metadata: &Value,
    spec: &Value,
) -> Option<Violation> {
    if spec.text("os.name") == "windows" { None } else { check(metadata, spec) }
}

/// No process gets more rights than its parent.
pub fn privilege_escalation(_: &Value, spec: &Value) -> Option<Violation> {
    let bad = names(spec, |c| c.at("securityContext.allowPrivilegeEscalation").as_bool() != Some(false));
    (!bad.is_empty()).then(|| Violation {
        reason: "allowPrivilegeEscalation != false",
        detail: format!("{} must set securityContext.allowPrivilegeEscalation=false", named(&bad)),
    })
}

/// All capabilities are dropped, and at most one comes back.
pub fn capabilities(_: &Value, spec: &Value) -> Option<Violation> {
    let keeps = |c: &&Value| !c.items("securityContext.capabilities.drop").iter().any(|n| n == "ALL");
    let added = |c: &Value| -> BTreeSet<String> {
        let names = c.items("securityContext.capabilities.add").iter().filter_map(Value::as_str);
        names.filter(|n| *n != "NET_BIND_SERVICE").map(str::to_owned).collect()
    };
    let (keeping, adding) = (names(spec, keeps), names(spec, |c| !added(c).is_empty()));
    let mut said = Vec::new();
    if !keeping.is_empty() {
        said.push(format!("{} must set securityContext.capabilities.drop=[\"ALL\"]", named(&keeping)));
    }
    if !adding.is_empty() {
        let all: BTreeSet<String> = containers(spec).flat_map(added).collect();
        said.push(format!("{} must not include {} in securityContext.capabilities.add", named(&adding), quoted(&all)));
    }
    (!said.is_empty()).then(|| Violation { reason: "unrestricted capabilities", detail: said.join("; ") })
}

/// Only volumes of the cluster itself, and claims.
pub fn volumes(_: &Value, spec: &Value) -> Option<Violation> {
    let is_bad = |v: &&Value| !VOLUMES.iter().any(|source| v.has(source));
    let bad: Vec<&Value> = spec.items("volumes").iter().filter(is_bad).collect();
    let names: Vec<&str> = bad.iter().map(|v| v.text("name")).collect();
    let kind = |v: &&Value| *OTHER_VOLUMES.iter().find(|source| v.has(source)).unwrap_or(&"unknown");
    let kinds: BTreeSet<&str> = bad.iter().map(kind).collect();
    (!bad.is_empty()).then(|| Violation {
        reason: "restricted volume types",
        detail: format!(
            "{} {} {} {} {}",
            plural("volume", "volumes", names.len()),
            quoted(&names),
            plural("uses", "use", names.len()),
            plural("restricted volume type", "restricted volume types", kinds.len()),
            quoted(&kinds)
        ),
    })
}

/// The user is not root, and says so.
pub fn non_root(_: &Value, spec: &Value) -> Option<Violation> {
    const AT: &str = "securityContext.runAsNonRoot";
    let violation = |detail| Violation { reason: "runAsNonRoot != true", detail };
    let refuses = |owner: &Value| owner.at(AT).as_bool() == Some(false);
    if let Some(setters) = blamed(refuses(spec), &names(spec, |c| refuses(c))) {
        return Some(violation(format!("{setters} must not set securityContext.runAsNonRoot=false")));
    }
    let silent = names(spec, |c| !spec.flag(AT) && !c.has(AT));
    (!silent.is_empty())
        .then(|| violation(format!("pod or {} must set securityContext.runAsNonRoot=true", named(&silent))))
}

/// The user is not 0.
pub fn user(_: &Value, spec: &Value) -> Option<Violation> {
    let is_root = |owner: &Value| owner.int("securityContext.runAsUser") == Some(0);
    let setters = blamed(is_root(spec), &names(spec, |c| is_root(c)))?;
    Some(Violation { reason: "runAsUser=0", detail: format!("{setters} must not set runAsUser=0") })
}

/// seccomp is on, and says so.
pub fn seccomp(metadata: &Value, spec: &Value) -> Option<Violation> {
    const AT: &str = "securityContext.seccompProfile";
    if let Some(violation) = baseline::seccomp(metadata, spec) {
        return Some(violation);
    }
    let silent = names(spec, |c| !spec.has(AT) && !c.has(AT));
    (!silent.is_empty()).then(|| Violation {
        reason: "seccompProfile",
        detail: format!(
            "pod or {} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"",
            named(&silent)
        ),
    })
}
