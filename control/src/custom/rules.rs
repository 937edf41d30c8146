//! The rules for a CustomResourceDefinition, in upstream's words.

pub mod approval;
mod columns;
mod conversion;
mod names;
mod versions;

use serde_json::Value;

pub use conversion::REVIEWS;

use super::condition;
use super::schema;
use crate::field::{Errors, Path};
use crate::kinds::Look;
use objects::names as rules;

/// What is wrong with a definition.
pub fn validate(definition: &Value, errors: &mut Errors) {
    named_after_itself(definition, errors);
    spec(definition, errors);
    validate_status(definition, errors);
    versions::stored(definition, errors);
    preserves_nothing(definition, errors);
    if definition.items("status.conditions").is_empty() {
        // Nobody has judged it yet: it is new.
        approval::validate(definition, None, errors);
    }
}

/// What is wrong with a change of a definition.
pub fn validate_update(new: &Value, old: &Value, errors: &mut Errors) {
    let at = Path::new("spec");
    let mut immutable = |path: &str, field: &Path| {
        if new.at(path) != old.at(path) {
            errors.invalid(field, new.at(path).clone(), "field is immutable");
        }
    };
    if condition::holds(old, "Established") {
        // What is stored depends on these.
        immutable("spec.scope", &at.child("scope"));
        immutable("spec.names.kind", &at.child("names").child("kind"));
    }
    immutable("spec.group", &at.child("group"));
    immutable("spec.names.plural", &at.child("names").child("plural"));
    if !new.items("status.conditions").is_empty() {
        approval::validate(new, Some(old), errors);
    }
}

/// What is wrong with a status.
pub fn validate_status(definition: &Value, errors: &mut Errors) {
    names::validate(definition.at("status.acceptedNames"), &Path::new("status").child("acceptedNames"), errors);
}

/// What to tell who writes a definition that is accepted.
pub fn warnings(definition: &Value) -> Vec<String> {
    let versions = definition.items("spec.versions").iter();
    let schemas = versions.filter_map(|v| v.get("schema")?.get("openAPIV3Schema"));
    schemas.flat_map(schema::unrecognized_formats).collect()
}

fn named_after_itself(definition: &Value, errors: &mut Errors) {
    let name = definition.text("metadata.name");
    let wanted = format!("{}.{}", definition.text("spec.names.plural"), definition.text("spec.group"));
    if !name.is_empty() && name != wanted {
        errors.invalid(&Path::new("metadata").child("name"), name, "must be spec.names.plural+\".\"+spec.group");
    }
}

fn preserves_nothing(definition: &Value, errors: &mut Errors) {
    if definition.flag("spec.preserveUnknownFields") {
        let words =
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
        errors.invalid(&Path::new("spec").child("preserveUnknownFields"), true, words);
    }
}

fn spec(definition: &Value, errors: &mut Errors) {
    let (spec, at) = (definition.at("spec"), Path::new("spec"));
    group(spec.text("group"), &at.child("group"), errors);
    match spec.text("scope") {
        "" => errors.required(&at.child("scope"), ""),
        "Cluster" | "Namespaced" => {}
        other => errors.not_supported(&at.child("scope"), other, &["Cluster", "Namespaced"]),
    }
    versions::validate(spec, &at, errors);
    let names = at.child("names");
    for field in ["plural", "singular", "kind", "listKind"] {
        if spec.at("names").text(field).is_empty() {
            errors.required(&names.child(field), "");
        }
    }
    names::validate(spec.at("names"), &names, errors);
    conversion::validate(spec, &at.child("conversion"), errors);
}

fn group(group: &str, at: &Path, errors: &mut Errors) {
    let wrong = rules::dns1123_subdomain(group);
    match group {
        "" => errors.required(at, ""),
        _ if !wrong.is_empty() => errors.invalid(at, group, &wrong.join(",")),
        _ if !group.contains('.') => errors.invalid(at, group, "should be a domain with at least one dot"),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
