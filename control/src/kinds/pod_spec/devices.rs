//! The rules for block devices, and for how a container's resources change while it runs.

use std::collections::BTreeSet;

use serde_json::Value;

use super::containers::Volumes;
use crate::field::{Errors, Path};
use crate::kinds::access::Look;

/// The rules for the devices of one container with these mounts.
pub fn validate(container: &Value, volumes: &Volumes<'_>, at: &Path, errors: &mut Errors) {
    let mounts = container.items("volumeMounts");
    let (mut names, mut paths) = (BTreeSet::new(), BTreeSet::new());
    for (i, device) in container.items("volumeDevices").iter().enumerate() {
        let at = at.index(i);
        let (name_at, path_at) = (at.child("name"), at.child("devicePath"));
        let (name, path) = (device.text("name"), device.text("devicePath"));
        if name.is_empty() {
            errors.required(&name_at, "");
        }
        if !names.insert(name) {
            errors.invalid(&name_at, name, "must be unique");
        }
        match volumes.claims(name) {
            None => errors.not_found(&name_at, name),
            Some(true) => {}
            Some(false) => {
                let why = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
                errors.invalid(&name_at, name, why);
            }
        }
        if path.is_empty() {
            errors.required(&path_at, "");
        } else if !paths.insert(path) {
            errors.invalid(&path_at, path, "must be unique");
        }
        if path.split('/').any(|part| part == "..") {
            errors.invalid(&path_at, path, "can not contain backsteps ('..')");
        }
        if mounts.iter().any(|m| m.text("name") == name) {
            errors.invalid(&name_at, name, "must not already exist in volumeMounts");
        }
        if mounts.iter().any(|m| m.text("mountPath") == path) {
            errors.invalid(&path_at, path, "must not already exist as a path in volumeMounts");
        }
    }
}

/// The rules for `resizePolicy`, in a pod that restarts its containers so.
pub fn resize(policies: &[Value], restart: &str, at: &Path, errors: &mut Errors) {
    let mut taken = BTreeSet::new();
    for (i, policy) in policies.iter().enumerate() {
        let (name, action) = (policy.text("resourceName"), policy.text("restartPolicy"));
        if !taken.insert(name) {
            errors.duplicate(&at.index(i), name);
        }
        match name {
            "cpu" | "memory" => {}
            "" => errors.required(at, ""),
            other => errors.not_supported(at, other, &["cpu", "memory"]),
        }
        match action {
            "NotRequired" => {}
            "RestartContainer" if restart == "Never" => {
                errors.invalid(at, action, "must be 'NotRequired' when `restartPolicy` is 'Never'");
            }
            "RestartContainer" => {}
            "" => errors.required(at, ""),
            other => errors.not_supported(at, other, &["NotRequired", "RestartContainer"]),
        }
    }
}
