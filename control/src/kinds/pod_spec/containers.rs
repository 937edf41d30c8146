//! The rules for containers: of their own, and among each other.

use std::collections::{BTreeMap, BTreeSet};

use objects::names;
use serde_json::Value;

use super::validate::one_of;
use super::{devices, env, ephemeral, handlers, mounts, ports, resources, security};
use crate::field::{Errors, Path};
use crate::kinds::access::Look;

/// The sound volumes of a pod: whether each is a claim, which alone can be a block device.
#[derive(Default)]
pub struct Volumes<'a>(BTreeMap<&'a str, bool>);

impl<'a> Volumes<'a> {
    /// Adds a volume.
    pub fn add(&mut self, name: &'a str, is_claim: bool) {
        self.0.insert(name, is_claim);
    }

    /// True for a volume that is there.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether the volume is a claim; none where it is not there.
    pub fn claims(&self, name: &str) -> Option<bool> {
        self.0.get(name).copied()
    }
}

/// What is wrong with the containers of the pod spec at `at`, whose sound volumes are `volumes`.
pub fn validate(spec: &Value, volumes: &Volumes<'_>, at: &Path, errors: &mut Errors) {
    let containers = spec.items("containers");
    let list = at.child("containers");
    if containers.is_empty() {
        errors.required(&list, "");
    }
    let mut taken = BTreeSet::new();
    let grace = spec.int("terminationGracePeriodSeconds");
    for (i, container) in containers.iter().enumerate() {
        let at = list.index(i);
        any(container, spec, volumes, &at, errors);
        unique(container, &mut taken, &at, errors);
        handlers::hooks(container.at("lifecycle"), grace, &at.child("lifecycle"), errors);
        handlers::probes(container, grace, &at, errors);
        if container.has("restartPolicy") {
            errors.forbidden(&at.child("restartPolicy"), "may not be set for non-init containers");
        }
    }
    ports::host_ports(containers, &list, errors);
    for (i, container) in spec.items("initContainers").iter().enumerate() {
        let at = at.child("initContainers").index(i);
        any(container, spec, volumes, &at, errors);
        init(container, grace, &at, errors);
        unique(container, &mut taken, &at, errors);
    }
    ephemeral::validate(spec, volumes, &taken, at, errors);
    if spec.flag("hostNetwork") {
        ports::same_on_the_host(containers, &list, errors);
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
fn init(container: &Value, grace: Option<i64>, at: &Path, errors: &mut Errors) {
    match container.text("restartPolicy") {
        "Always" => {
            handlers::hooks(container.at("lifecycle"), grace, &at.child("lifecycle"), errors);
            handlers::probes(container, grace, at, errors);
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
    ports::host_ports(std::slice::from_ref(container), at, errors);
}

/// The rules for any container of a pod spec.
pub fn any(container: &Value, spec: &Value, volumes: &Volumes<'_>, at: &Path, errors: &mut Errors) {
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
    mounts::validate(container, volumes, &at.child("volumeMounts"), errors);
    devices::validate(container, volumes, &at.child("volumeDevices"), errors);
    one_of(container, "imagePullPolicy", &["Always", "IfNotPresent", "Never"], at, errors);
    resources::validate(container.at("resources"), spec.items("resourceClaims"), &at.child("resources"), errors);
    let policies = container.items("resizePolicy");
    devices::resize(policies, spec.text("restartPolicy"), &at.child("resizePolicy"), errors);
    let own_users = spec.at("hostUsers").as_bool() == Some(false);
    security::container(container.at("securityContext"), own_users, &at.child("securityContext"), errors);
}
