//! The rules for containers: of their own, and among each other.

use std::collections::BTreeSet;

use objects::names;
use serde_json::Value;

use super::validate::one_of;
use super::{env, handlers, mounts, ports, resources};
use crate::field::{Errors, Path};
use crate::kinds::access::Look;

/// What is wrong with the containers of the pod spec at `at`, whose sound volumes are `volumes`.
pub fn validate(spec: &Value, volumes: &BTreeSet<&str>, at: &Path, errors: &mut Errors) {
    let containers = spec.items("containers");
    let list = at.child("containers");
    if containers.is_empty() {
        errors.required(&list, "");
    }
    let mut taken = BTreeSet::new();
    for (i, container) in containers.iter().enumerate() {
        let at = list.index(i);
        any(container, volumes, &at, errors);
        unique(container, &mut taken, &at, errors);
        handlers::hooks(container.at("lifecycle"), &at.child("lifecycle"), errors);
        handlers::probes(container, &at, errors);
        if container.has("restartPolicy") {
            errors.forbidden(&at.child("restartPolicy"), "may not be set for non-init containers");
        }
    }
    ports::host_ports(containers, &list, errors);
    for (i, container) in spec.items("initContainers").iter().enumerate() {
        let at = at.child("initContainers").index(i);
        any(container, volumes, &at, errors);
        unique(container, &mut taken, &at, errors);
        init(container, &at, errors);
    }
}

/// Names are unique among the containers and the init containers of a pod together.
fn unique<'a>(container: &'a Value, taken: &mut BTreeSet<&'a str>, at: &Path, errors: &mut Errors) {
    let name = container.text("name");
    if !taken.insert(name) && !name.is_empty() {
        errors.duplicate(&at.child("name"), name);
    }
}

/// An init container that ends has neither hooks nor probes; one that stays (a sidecar) has both.
fn init(container: &Value, at: &Path, errors: &mut Errors) {
    match container.text("restartPolicy") {
        "Always" => {
            handlers::hooks(container.at("lifecycle"), &at.child("lifecycle"), errors);
            handlers::probes(container, at, errors);
        }
        "" => {
            for field in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] {
                if container.has(field) {
                    errors
                        .forbidden(&at.child(field), "may not be set for init containers without restartPolicy=Always");
                }
            }
        }
        other => errors.not_supported(&at.child("restartPolicy"), other, &["Always"]),
    }
}

fn any(container: &Value, volumes: &BTreeSet<&str>, at: &Path, errors: &mut Errors) {
    match container.text("name") {
        "" => errors.required(&at.child("name"), ""),
        name => errors.all_invalid(&at.child("name"), name, names::dns1123_label(name)),
    }
    let image = container.text("image");
    if image.is_empty() {
        errors.required(&at.child("image"), "");
    } else if image.trim() != image {
        errors.invalid(&at.child("image"), image, "must not have leading or trailing whitespace");
    }
    one_of(container, "terminationMessagePolicy", &["FallbackToLogsOnError", "File"], at, errors);
    ports::validate(container.items("ports"), &at.child("ports"), errors);
    env::variables(container.items("env"), &at.child("env"), errors);
    env::sources(container.items("envFrom"), &at.child("envFrom"), errors);
    mounts::validate(container.items("volumeMounts"), volumes, &at.child("volumeMounts"), errors);
    one_of(container, "imagePullPolicy", &["Always", "IfNotPresent", "Never"], at, errors);
    resources::validate(container.at("resources"), &at.child("resources"), errors);
}
