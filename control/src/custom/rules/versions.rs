//! The rules for versions: their names, schemas, sub-resources, and which of them is stored.

use std::collections::BTreeSet;

use objects::names::dns1035_label;
use serde_json::Value;

use super::columns;
use crate::custom::schema;
use crate::field::{Errors, Path};
use crate::kinds::Look;

/// The longest warning about a deprecated version.
const LONGEST_WARNING: usize = 256;

/// Checks all versions.
pub fn validate(spec: &Value, at: &Path, errors: &mut Errors) {
    let (versions, at) = (spec.items("versions"), at.child("versions"));
    for (i, version) in versions.iter().enumerate() {
        if !version.at("schema").has("openAPIV3Schema") {
            errors.required(&at.index(i).child("schema").child("openAPIV3Schema"), "schemas are required");
        }
    }
    for (i, version) in versions.iter().enumerate() {
        let at = at.index(i);
        let wrong = dns1035_label(version.text("name"));
        if !wrong.is_empty() {
            errors.invalid(&at.child("name"), version.text("name"), &wrong.join(","));
        }
        one(version, &at, errors);
    }
    let names: BTreeSet<&str> = versions.iter().map(|v| v.text("name")).collect();
    if names.len() != versions.len() {
        errors.invalid(&at, Value::from(versions), "must contain unique version names");
    }
    if versions.iter().filter(|v| v.flag("storage")).count() != 1 {
        let words = "must have exactly one version marked as storage version";
        match versions {
            [] => errors.invalid_as(&at, "[]apiextensions.CustomResourceDefinitionVersion(nil)", words),
            versions => errors.invalid(&at, Value::from(versions), words),
        }
    }
}

/// Checks that the versions in which objects may be stored are still there.
pub fn stored(definition: &Value, errors: &mut Errors) {
    let (stored, at) = (definition.items("status.storedVersions"), Path::new("status").child("storedVersions"));
    if stored.is_empty() {
        return errors.invalid_as(&at, "[]string(nil)", "must have at least one stored version");
    }
    let versions = definition.items("spec.versions");
    for version in versions.iter().filter(|v| v.flag("storage") && !stored.contains(v.at("name"))) {
        let words = format!("must have the storage version {}", version.text("name"));
        errors.invalid(&at, Value::from(stored), &words);
    }
    for (i, name) in stored.iter().enumerate() {
        if !versions.iter().any(|v| v.at("name") == name) {
            errors.invalid(&at.index(i), name.clone(), "must appear in spec.versions");
        }
    }
}

fn one(version: &Value, at: &Path, errors: &mut Errors) {
    if let Some(warning) = version.at("deprecationWarning").as_str() {
        deprecation(version, warning, &at.child("deprecationWarning"), errors);
    }
    if let Some(openapi) = version.at("schema").get("openAPIV3Schema") {
        let at = at.child("schema").child("openAPIV3Schema");
        schema::check(openapi, &at, errors);
        if version.has("subresources.status") {
            schema::check_beside_status(openapi, &at, errors);
        }
    }
    scale(version.at("subresources.scale"), &at.child("subresources"), errors);
    columns::validate(version, at, errors);
}

fn deprecation(version: &Value, warning: &str, at: &Path, errors: &mut Errors) {
    if !version.flag("deprecated") {
        return errors.invalid(at, warning, "can only be set for deprecated versions");
    }
    if warning.len() > LONGEST_WARNING {
        errors.invalid(at, warning, &format!("must be <= {LONGEST_WARNING} characters long"));
    }
    if warning.is_empty() {
        errors.invalid(at, warning, "must not be an empty string");
    }
    if let Some((i, _)) = warning.char_indices().find(|(_, c)| c.is_control()) {
        let words = format!("must only contain printable UTF-8 characters; non-printable character found at index {i}");
        errors.invalid(at, warning, &words);
    }
}

fn scale(scale: &Value, at: &Path, errors: &mut Errors) {
    if !scale.is_object() {
        return;
    }
    for (field, root, words) in [
        ("specReplicasPath", ".spec.", "should be a json path under .spec"),
        ("statusReplicasPath", ".status.", "should be a json path under .status"),
    ] {
        let (path, at) = (scale.text(field), at.child(&format!("scale.{field}")));
        match path {
            "" => errors.required(&at, ""),
            _ if !simple(path, &at, errors) => {}
            _ if !path.starts_with(root) => errors.invalid(&at, path, words),
            _ => {}
        }
    }
    let (path, at) = (scale.text("labelSelectorPath"), at.child("scale.labelSelectorPath"));
    let below = path.starts_with(".spec.") || path.starts_with(".status.");
    if !path.is_empty() && simple(path, &at, errors) && !below {
        errors.invalid(&at, path, "should be a json path under either .status or .spec");
    }
}

/// Checks that a path is of fields only.
pub fn simple(path: &str, at: &Path, errors: &mut Errors) -> bool {
    let starts = path.starts_with('.');
    if !starts {
        errors.invalid(at, path, "must be a simple json path starting with .");
    }
    starts
}
