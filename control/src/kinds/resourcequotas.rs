//! ResourceQuotas: admission charges them, and a controller counts.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::access::{Change, Look};
use super::columns::{AGE, Column, NAME};
use super::generic::keep_status;
use super::{Behavior, cells, metadata, resource_names};
use crate::field::{Errors, Path};

const SCOPES: [&str; 6] =
    ["Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "PriorityClass", "CrossNamespacePodAffinity"];
const OPPOSITES: [[&str; 2]; 2] = [["BestEffort", "NotBestEffort"], ["Terminating", "NotTerminating"]];
const EXISTS_ONLY: &str = "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, \
    ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or \
    ResourceQuotaScopeCrossNamespacePodAffinity";

/// What quotas do.
pub const BEHAVIOR: Behavior = Behavior {
    prepare_create: |quota| quota.set("", "status", json!({})),
    prepare_update: keep_status,
    validate,
    validate_update: |new, old, errors| {
        let scopes = |quota: &Value| -> BTreeSet<String> {
            quota.items("spec.scopes").iter().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        if scopes(new) != scopes(old) {
            errors.invalid_as(&Path::new("spec").child("scopes"), &shown(new.at("spec")), metadata::IMMUTABLE);
        }
    },
    validate_status_update: |new, _, errors| {
        amounts_of(new, "status", "hard", errors);
        amounts_of(new, "status", "used", errors);
    },
    columns: &[
        NAME,
        Column::text("Request", "Request represents a minimum amount of cpu/memory that a container may consume."),
        Column::text(
            "Limit",
            "Limits control the maximum amount of cpu/memory that a container may use independent of contention on the \
             node.",
        ),
        AGE,
    ],
    row: |quota: &Value, now: Timestamp| {
        vec![cells::name(quota), amounts(quota, false).into(), amounts(quota, true).into(), cells::age(quota, now)]
    },
    ..Behavior::GENERIC
};

fn validate(quota: &Value, errors: &mut Errors) {
    amounts_of(quota, "spec", "hard", errors);
    let spec = quota.at("spec");
    let at = Path::new("spec").child("scopes");
    let names: Vec<&str> = spec.items("scopes").iter().filter_map(Value::as_str).collect();
    for name in &names {
        if !SCOPES.contains(name) {
            errors.invalid_as(&at, &shown(spec), "unsupported scope");
        }
        for _ in outside(spec, name) {
            errors.invalid_as(&at, &shown(spec), "unsupported scope applied to resource");
        }
    }
    conflicts(&names, spec, &at, errors);
    let at = Path::new("spec").child("scopeSelector").child("matchExpressions");
    let expressions = spec.items("scopeSelector.matchExpressions");
    for expression in expressions {
        selected(expression, spec, &at, errors);
    }
    let names: Vec<&str> = expressions.iter().map(|e| e.text("scopeName")).collect();
    conflicts(&names, spec, &at, errors);
}

fn amounts_of(quota: &Value, part: &str, list: &str, errors: &mut Errors) {
    let at = Path::new(part).child(list);
    for (name, amount) in quota.at(part).entries(list) {
        resource_names::of_quotas(name, amount, &at.key(name), errors);
    }
}

fn selected(expression: &Value, spec: &Value, at: &Path, errors: &mut Errors) {
    let (name, operator) = (expression.text("scopeName"), expression.text("operator"));
    if !SCOPES.contains(&name) {
        errors.invalid(&at.child("scopeName"), name, "unsupported scope");
    }
    for _ in outside(spec, name) {
        let selector = spec.at("scopeSelector").clone();
        errors.invalid(at, selector, "unsupported scope applied to resource");
    }
    if SCOPES.contains(&name) && name != "PriorityClass" && operator != "Exists" {
        errors.invalid(&at.child("operator"), operator, EXISTS_ONLY);
    }
    let values = expression.items("values");
    match operator {
        "In" | "NotIn" if values.is_empty() => errors.required(
            &at.child("values"),
            "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
        ),
        "Exists" | "DoesNotExist" if !values.is_empty() => errors.invalid(
            &at.child("values"),
            Value::from(values),
            "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
        ),
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        other => errors.invalid(&at.child("operator"), other, "not a valid selector operator"),
    }
}

/// The limited resources that the scope says nothing about.
fn outside<'a>(spec: &'a Value, scope: &'a str) -> impl Iterator<Item = &'a str> {
    let compute = ["cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"];
    let covers = move |name: &str| match scope {
        "BestEffort" => name == "pods",
        scope if SCOPES.contains(&scope) => name == "pods" || compute.contains(&name),
        _ => true,
    };
    spec.entries("hard").map(|(name, _)| name).filter(move |n| resource_names::is_quota(n) && !covers(n))
}

fn conflicts(names: &[&str], spec: &Value, at: &Path, errors: &mut Errors) {
    for _ in OPPOSITES.iter().filter(|pair| pair.iter().all(|name| names.contains(name))) {
        errors.invalid_as(at, &shown(spec), "conflicting scopes");
    }
}

/// The scopes as Go shows them.
fn shown(spec: &Value) -> String {
    let scopes: Vec<String> = spec.items("scopes").iter().map(Value::to_string).collect();
    match scopes.is_empty() {
        true => "[]core.ResourceQuotaScope(nil)".to_owned(),
        false => format!("[]core.ResourceQuotaScope{{{}}}", scopes.join(", ")),
    }
}

/// `pods: 5/100, …` sorted by name.
fn amounts(quota: &Value, limits: bool) -> String {
    let mut all: Vec<String> = quota
        .entries("status.hard")
        .filter(|(name, _)| name.starts_with("limits") == limits)
        .map(|(name, hard)| {
            let used = quota.at("status.used").get(name).and_then(Value::as_str).unwrap_or("0");
            format!("{name}: {used}/{}", hard.as_str().unwrap_or_default())
        })
        .collect();
    all.sort();
    all.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(spec: Value) -> String {
        let mut errors = Errors::default();
        validate(&json!({"spec": spec}), &mut errors);
        if errors.is_empty() { String::new() } else { errors.to_string() }
    }

    #[test]
    fn quotas_by_message() {
        let scopes = "spec.scopes: Invalid value: []core.ResourceQuotaScope";
        let select = |name: &str, operator: &str, values: Value| json!({"scopeSelector": {"matchExpressions": [{"scopeName": name, "operator": operator, "values": values}]}});
        let at = "spec.scopeSelector.matchExpressions";
        for (spec, want) in [
            (json!({"hard": {"pods": "5", "count/deployments.apps": "2", "requests.storage": "1.5Gi"}}), String::new()),
            (json!({"hard": {"pods": "-1"}}), "spec.hard[pods]: Invalid value: \"-1\": must be greater than or equal to 0".into()),
            (json!({"hard": {"pods": "500m"}}), "spec.hard[pods]: Invalid value: \"500m\": must be an integer".into()),
            (
                json!({"hard": {"widgets": "1"}}),
                "[spec.hard[widgets]: Invalid value: \"widgets\": must be a standard resource type or fully qualified, \
                 spec.hard[widgets]: Invalid value: \"widgets\": must be a standard resource for quota]"
                    .into(),
            ),
            (
                json!({"hard": {"secrets": "1"}, "scopes": ["Terminating"]}),
                format!("{scopes}{{\"Terminating\"}}: unsupported scope applied to resource"),
            ),
            (
                json!({"hard": {"pods": "1"}, "scopes": ["BestEffort", "NotBestEffort"]}),
                format!("{scopes}{{\"BestEffort\", \"NotBestEffort\"}}: conflicting scopes"),
            ),
            (select("PriorityClass", "In", json!(["a"])), String::new()),
            (
                select("PriorityClass", "In", json!([])),
                format!(
                    "{at}.values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope \
                     selector"
                ),
            ),
            (
                select("BestEffort", "DoesNotExist", json!([])),
                format!("{at}.operator: Invalid value: \"DoesNotExist\": {EXISTS_ONLY}"),
            ),
        ] {
            assert_eq!(said(spec), want);
        }
    }
}
