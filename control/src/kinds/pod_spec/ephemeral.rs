//! The rules for ephemeral containers: debuggers that join a pod that runs.

use std::collections::BTreeSet;

use serde_json::Value;

use super::containers;
use crate::field::{Errors, Path};
use crate::kinds::access::Look;

/// The fields that such a container may not have: it is nothing that a pod could rely on.
const NOT_HERE: [&str; 8] = [
    "ports",
    "resources",
    "resizePolicy",
    "restartPolicy",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "lifecycle",
];
const WHY: &str = "cannot be set for an Ephemeral Container";

/// What is wrong with the ephemeral containers of a pod spec; `names` are those of its other containers.
pub fn validate(
    spec: &Value,
    volumes: &containers::Volumes<'_>,
    names: &BTreeSet<&str>,
    at: &Path,
    errors: &mut Errors,
) {
    let mut taken = names.clone();
    for (i, container) in spec.items("ephemeralContainers").iter().enumerate() {
        let at = at.child("ephemeralContainers").index(i);
        containers::any(container, spec, volumes, &at, errors);
        let name = container.text("name");
        if !taken.insert(name) {
            errors.duplicate(&at.child("name"), name);
        }
        let target = container.text("targetContainerName");
        if !target.is_empty() && !names.contains(target) {
            errors.not_found(&at.child("targetContainerName"), target);
        }
        for field in NOT_HERE.into_iter().filter(|f| !is_zero(container.at(f))) {
            errors.forbidden(&at.child(field), WHY);
        }
        for (i, mount) in container.items("volumeMounts").iter().enumerate() {
            for field in ["subPath", "subPathExpr"].into_iter().filter(|f| !mount.text(f).is_empty()) {
                errors.forbidden(&at.child("volumeMounts").index(i).child(field), WHY);
            }
        }
    }
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}
