//! The rules for volume mounts, and for paths inside volumes.

use std::collections::BTreeSet;

use serde_json::Value;

use super::containers::Volumes;
use crate::field::{Errors, Path};
use crate::kinds::access::Look;

/// The rules for the mounts of one container, in a pod whose sound volumes are `volumes`.
pub fn validate(container: &Value, volumes: &Volumes<'_>, at: &Path, errors: &mut Errors) {
    let devices = container.items("volumeDevices");
    let mut taken = BTreeSet::new();
    for (i, mount) in container.items("volumeMounts").iter().enumerate() {
        let item = at.index(i);
        let (name, path) = (mount.text("name"), mount.text("mountPath"));
        let (name_at, path_at) = (item.child("name"), item.child("mountPath"));
        if name.is_empty() {
            errors.required(&name_at, "");
        }
        if !volumes.has(name) {
            errors.not_found(&name_at, name);
        }
        if path.is_empty() {
            errors.required(&path_at, "");
        }
        if !taken.insert(path) {
            errors.invalid(&path_at, path, "must be unique");
        }
        if devices.iter().any(|d| d.text("name") == name) {
            errors.invalid(&name_at, name, "must not already exist in volumeDevices");
        }
        if devices.iter().any(|d| d.text("devicePath") == path) {
            errors.invalid(&path_at, path, "must not already exist as a path in volumeDevices");
        }
        let (sub, expression) = (mount.text("subPath"), mount.text("subPathExpr"));
        descending(sub, &at.child("subPath"), errors);
        if !expression.is_empty() && !sub.is_empty() {
            let why = "subPathExpr and subPath are mutually exclusive";
            errors.invalid(&item.child("subPathExpr"), expression, why);
        }
        descending(expression, &at.child("subPathExpr"), errors);
        let privileged = container.flag("securityContext.privileged");
        propagation(mount.text("mountPropagation"), privileged, &at.child("mountPropagation"), errors);
        read_only(mount, &item.child("recursiveReadOnly"), errors);
    }
}

/// Mounts that go both ways reach out of the container.
fn propagation(mode: &str, privileged: bool, at: &Path, errors: &mut Errors) {
    const MODES: [&str; 3] = ["Bidirectional", "HostToContainer", "None"];
    match mode {
        "Bidirectional" if !privileged => {
            errors.forbidden(at, "Bidirectional mount propagation is available only to privileged containers");
        }
        "" => {}
        known if MODES.contains(&known) => {}
        other => errors.not_supported(at, other, &MODES),
    }
}

fn read_only(mount: &Value, at: &Path, errors: &mut Errors) {
    const MODES: [&str; 3] = ["Disabled", "Enabled", "IfPossible"];
    match mount.text("recursiveReadOnly") {
        "" | "Disabled" => {}
        "Enabled" | "IfPossible" => {
            if !mount.flag("readOnly") {
                errors.forbidden(at, "may only be specified when readOnly is true");
            }
            if !matches!(mount.text("mountPropagation"), "" | "None") {
                errors.forbidden(at, "may only be specified when mountPropagation is None or not specified");
            }
        }
        other => errors.not_supported(at, other, &MODES),
    }
}

/// A path that stays below where it starts.
pub fn descending(path: &str, at: &Path, errors: &mut Errors) {
    if path.starts_with('/') {
        errors.invalid(at, path, "must be a relative path");
    }
    no_backsteps(path, at, errors);
}

/// A path whose parts are all names.
pub fn no_backsteps(path: &str, at: &Path, errors: &mut Errors) {
    if path.split('/').any(|part| part == "..") {
        errors.invalid(at, path, "must not contain '..'");
    }
}

/// A path of a projected file: it stays below, and leaves names that start with two dots to the node.
pub fn projected(path: &str, at: &Path, errors: &mut Errors) {
    descending(path, at, errors);
    if path.starts_with("..") {
        errors.invalid(at, path, "must not start with '..'");
    }
}
