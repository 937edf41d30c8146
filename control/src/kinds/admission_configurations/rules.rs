//! What webhooks and policies share: rules about resources, selectors, match conditions.

use std::collections::HashSet;

use objects::names;
use serde_json::Value;

use crate::admission::expression::{Wanted, compile, scope};
use crate::field::{Errors, Path};
use crate::kinds::{Look, metadata, selectors};

/// The most match conditions.
const CONDITIONS: usize = 64;

/// `failurePolicy` and the like: one of a few words.
pub fn one_of(owner: &Value, field: &str, supported: &[&str], at: &Path, errors: &mut Errors) {
    let word = owner.text(field);
    if owner.has(field) && !supported.contains(&word) {
        errors.not_supported(&at.child(field), word, supported);
    }
}

/// `failurePolicy`
pub const FAILURE_POLICIES: &[&str] = &["Fail", "Ignore"];
/// `matchPolicy`
pub const MATCH_POLICIES: &[&str] = &["Equivalent", "Exact"];
const OPERATIONS: &[&str] = &["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
const SCOPES: &[&str] = &["*", "Cluster", "Namespaced"];

/// The selectors of a webhook, of `matchConstraints`, of `matchResources`.
pub fn selectors(owner: &Value, at: &Path, errors: &mut Errors) {
    for field in ["namespaceSelector", "objectSelector"] {
        if owner.has(field) {
            selectors::validate(owner.at(field), &at.child(field), errors);
        }
    }
}

/// `matchConstraints`, `matchResources`.
pub fn resources(constraints: &Value, at: &Path, errors: &mut Errors) {
    one_of(constraints, "matchPolicy", MATCH_POLICIES, at, errors);
    selectors(constraints, at, errors);
    for list in ["resourceRules", "excludeResourceRules"] {
        for (i, one) in constraints.items(list).iter().enumerate() {
            let at = at.child(list).index(i);
            resource_names(one, &at, errors);
            rule(one, &at, errors);
        }
    }
}

fn resource_names(rule: &Value, at: &Path, errors: &mut Errors) {
    let mut seen = HashSet::new();
    for (i, name) in rule.items("resourceNames").iter().filter_map(Value::as_str).enumerate() {
        let at = at.child("resourceNames").index(i);
        errors.all_invalid(&at, name, names::path_segment(name));
        if !seen.insert(name) {
            errors.duplicate(&at, name);
        }
    }
}

/// A rule with operations.
pub fn rule(rule: &Value, at: &Path, errors: &mut Errors) {
    let operations = rule.items("operations");
    if operations.is_empty() {
        errors.required(&at.child("operations"), "");
    }
    if operations.len() > 1 && operations.iter().any(|one| one == "*") {
        let shown = typed("OperationType", operations);
        errors.invalid_as(&at.child("operations"), &shown, "if '*' is present, must not specify other operations");
    }
    for (i, operation) in operations.iter().filter_map(Value::as_str).enumerate() {
        if !OPERATIONS.contains(&operation) {
            errors.not_supported(&at.child("operations").index(i), operation, OPERATIONS);
        }
    }
    for (field, what) in [("apiGroups", "API groups"), ("apiVersions", "API versions")] {
        if rule.items(field).is_empty() {
            errors.required(&at.child(field), "");
        }
        alone(rule, field, what, at, errors);
    }
    for (i, version) in rule.items("apiVersions").iter().enumerate() {
        if version == "" {
            errors.required(&at.child("apiVersions").index(i), "");
        }
    }
    patterns(rule.items("resources"), &at.child("resources"), errors);
    one_of(rule, "scope", SCOPES, at, errors);
}

/// A list of words with a type of their own, as Go's `%#v` shows it.
pub fn typed(ty: &str, words: &[Value]) -> String {
    let words: Vec<String> = words.iter().map(Value::to_string).collect();
    format!("[]admissionregistration.{ty}{{{}}}", words.join(", "))
}

/// A star says all: nothing may stand beside it.
fn alone(rule: &Value, field: &str, what: &str, at: &Path, errors: &mut Errors) {
    let list = rule.items(field);
    if list.len() > 1 && list.iter().any(|one| one == "*") {
        let why = format!("if '*' is present, must not specify other {what}");
        errors.invalid(&at.child(field), rule.at(field).clone(), &why);
    }
}

fn patterns(resources: &[Value], at: &Path, errors: &mut Errors) {
    if resources.is_empty() {
        errors.required(at, "");
    }
    let (mut all_parts, mut any_resource) = (HashSet::new(), HashSet::new());
    let mut plain = false;
    for (i, pattern) in resources.iter().filter_map(Value::as_str).enumerate() {
        let at = at.index(i);
        if pattern.is_empty() {
            errors.required(&at, "");
            continue;
        }
        let Some((resource, part)) = pattern.split_once('/') else {
            plain = pattern != "*";
            continue;
        };
        if all_parts.contains(resource) {
            errors.invalid(&at, pattern, &format!("if '{resource}/*' is present, must not specify {pattern}"));
        }
        if any_resource.contains(part) {
            errors.invalid(&at, pattern, &format!("if '*/{part}' is present, must not specify {pattern}"));
        }
        if part == "*" {
            all_parts.insert(resource);
        }
        if resource == "*" {
            any_resource.insert(part);
        }
    }
    let has = |wanted: &str| resources.iter().any(|one| one == wanted);
    if resources.len() > 1 && has("*/*") {
        errors.invalid(at, resources.to_vec(), "if '*/*' is present, must not specify other resources");
    }
    if has("*") && plain {
        let why = "if '*' is present, must not specify other resources without subresources";
        errors.invalid(at, resources.to_vec(), why);
    }
}

/// `matchConditions`
pub fn conditions(owner: &Value, params: bool, at: &Path, errors: &mut Errors) {
    let (conditions, at) = (owner.items("matchConditions"), at.child("matchConditions"));
    if conditions.len() > CONDITIONS {
        errors.too_many(&at, conditions.len(), CONDITIONS);
    }
    let mut seen = HashSet::new();
    for (i, condition) in conditions.iter().enumerate() {
        let at = at.index(i);
        match condition.text("expression").trim() {
            "" => errors.required(&at.child("expression"), ""),
            text => {
                if let Err(why) = compile(text, &scope(params, true), Wanted::Bool) {
                    errors.invalid(&at.child("expression"), text, &why);
                }
            }
        }
        match condition.text("name") {
            "" => errors.required(&at.child("name"), ""),
            name => {
                errors.all_invalid(&at.child("name"), name, names::qualified_name(name));
                if !seen.insert(name) {
                    errors.duplicate(&at.child("name"), name);
                }
            }
        }
    }
}

/// A name that has to be a domain.
pub fn subdomain(name: &str, at: &Path, errors: &mut Errors) {
    errors.all_invalid(at, name, metadata::subdomain(name, false));
}
