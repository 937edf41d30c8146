//! The rules for volume mounts, and for paths inside volumes.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::field::{Errors, Path};
use crate::kinds::access::Look;

/// The rules for the mounts of one container, in a pod whose sound volumes are `volumes`.
pub fn validate(mounts: &[Value], volumes: &BTreeSet<&str>, at: &Path, errors: &mut Errors) {
    let mut taken = BTreeSet::new();
    for (i, mount) in mounts.iter().enumerate() {
        let item = at.index(i);
        let (name, path) = (mount.text("name"), mount.text("mountPath"));
        if name.is_empty() {
            errors.required(&item.child("name"), "");
        }
        if !volumes.contains(name) {
            errors.not_found(&item.child("name"), name);
        }
        if path.is_empty() {
            errors.required(&item.child("mountPath"), "");
        }
        if !taken.insert(path) {
            errors.invalid(&item.child("mountPath"), path, "must be unique");
        }
        let (sub, expression) = (mount.text("subPath"), mount.text("subPathExpr"));
        descending(sub, &at.child("subPath"), errors);
        if !expression.is_empty() && !sub.is_empty() {
            let why = "subPathExpr and subPath are mutually exclusive";
            errors.invalid(&item.child("subPathExpr"), expression, why);
        }
        descending(expression, &at.child("subPathExpr"), errors);
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
