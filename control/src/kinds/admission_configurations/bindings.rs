//! The rules for bindings.

use std::collections::HashSet;

use objects::names;
use serde_json::Value;

use super::rules;
use crate::field::{Errors, Path};
use crate::kinds::{Look, selectors};

const ACTIONS: &[&str] = &["Audit", "Deny", "Warn"];

/// All that is wrong with a binding.
pub fn validate(binding: &Value, errors: &mut Errors) {
    let (spec, at) = (binding.at("spec"), Path::new("spec"));
    match spec.text("policyName") {
        "" => errors.required(&at.child("policyName"), ""),
        name => rules::subdomain(name, &at.child("policyName"), errors),
    }
    if spec.has("paramRef") {
        param_ref(spec.at("paramRef"), &at.child("paramRef"), errors);
    }
    if spec.has("matchResources") {
        // Upstream's own spelling.
        rules::resources(spec.at("matchResources"), &at.child("matchResouces"), errors);
    }
    actions(spec, &at.child("validationActions"), errors);
}

fn param_ref(reference: &Value, at: &Path, errors: &mut Errors) {
    const EXCLUSIVE: &str = "name and selector are mutually exclusive";
    let (name, selector) = (reference.text("name"), reference.has("selector"));
    if !name.is_empty() {
        errors.all_invalid(&at.child("name"), name, names::path_segment(name));
        if selector {
            errors.forbidden(&at.child("name"), EXCLUSIVE);
        }
    }
    if selector {
        selectors::validate(reference.at("selector"), &at.child("selector"), errors);
        if !name.is_empty() {
            errors.forbidden(&at.child("selector"), EXCLUSIVE);
        }
    }
    if name.is_empty() && !selector {
        errors.required(at, "one of name or selector must be specified");
    }
    match reference.text("parameterNotFoundAction") {
        "" => errors.required(&at.child("parameterNotFoundAction"), ""),
        "Allow" | "Deny" => {}
        other => errors.not_supported(&at.child("parameterNotFoundAction"), other, &["Deny", "Allow"]),
    }
}

fn actions(spec: &Value, at: &Path, errors: &mut Errors) {
    let mut seen = HashSet::new();
    for (i, action) in spec.items("validationActions").iter().filter_map(Value::as_str).enumerate() {
        if !ACTIONS.contains(&action) {
            errors.not_supported(&at.index(i), action, ACTIONS);
        }
        if !seen.insert(action) {
            errors.duplicate(&at.index(i), action);
        }
    }
    if seen.contains("Deny") && seen.contains("Warn") {
        let why = "must not contain both Deny and Warn (repeating the same validation failure information in the API \
                   response and headers serves no purpose)";
        errors.invalid_as(at, &rules::typed("ValidationAction", spec.items("validationActions")), why);
    }
    if seen.is_empty() {
        errors.required(at, "at least one validation action is required");
    }
}
