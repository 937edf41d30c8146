//! The rules for tolerations, affinity and spreading.

use objects::names;
use serde_json::Value;

use crate::field::{Errors, Path};
use crate::kinds::access::Look;

/// The effects that a taint may have.
pub const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

/// The rules for tolerations.
pub fn tolerations(tolerations: &[Value], at: &Path, errors: &mut Errors) {
    for (i, toleration) in tolerations.iter().enumerate() {
        let at = at.index(i);
        let (key, operator) = (toleration.text("key"), toleration.text("operator"));
        let (value, effect) = (toleration.text("value"), toleration.text("effect"));
        if !key.is_empty() {
            errors.all_invalid(&at.child("key"), key, names::qualified_name(key));
        } else if operator != "Exists" {
            let why = "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
            errors.invalid(&at.child("operator"), operator, why);
        }
        if toleration.has("tolerationSeconds") && effect != "NoExecute" {
            let why = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            errors.invalid(&at.child("effect"), effect, why);
        }
        match operator {
            "" | "Equal" => {
                let wrong = names::label_value(value);
                if !wrong.is_empty() {
                    errors.invalid(&at.child("operator"), value, &wrong.join(";"));
                }
            }
            "Exists" if !value.is_empty() => {
                let why = "value must be empty when `operator` is 'Exists'";
                errors.invalid(&at.child("operator"), toleration.clone(), why);
            }
            "Exists" => {}
            other => errors.not_supported(&at.child("operator"), other, &["Equal", "Exists"]),
        }
        if !effect.is_empty() && !EFFECTS.contains(&effect) {
            errors.not_supported(&at.child("effect"), effect, &EFFECTS);
        }
    }
}

/// The rules for affinity to nodes; affinity to pods is not acted upon.
pub fn affinity(affinity: &Value, at: &Path, errors: &mut Errors) {
    let node = affinity.at("nodeAffinity");
    let at = at.child("nodeAffinity");
    let required = node.at("requiredDuringSchedulingIgnoredDuringExecution");
    if !required.is_null() {
        let terms_at = at.child("requiredDuringSchedulingIgnoredDuringExecution").child("nodeSelectorTerms");
        let terms = required.items("nodeSelectorTerms");
        if terms.is_empty() {
            errors.required(&terms_at, "must have at least one node selector term");
        }
        for (i, term) in terms.iter().enumerate() {
            node_term(term, &terms_at.index(i), errors);
        }
    }
    let preferred = "preferredDuringSchedulingIgnoredDuringExecution";
    for (i, term) in node.items(preferred).iter().enumerate() {
        let at = at.child(preferred).index(i);
        if let Some(weight) = term.int("weight").filter(|w| !(1..=100).contains(w)) {
            errors.invalid(&at.child("weight"), weight, "must be in the range 1-100");
        }
        node_term(term.at("preference"), &at.child("preference"), errors);
    }
}

fn node_term(term: &Value, at: &Path, errors: &mut Errors) {
    for (i, requirement) in term.items("matchExpressions").iter().enumerate() {
        let at = at.child("matchExpressions").index(i);
        let values = requirement.items("values");
        match (requirement.text("operator"), values.len()) {
            ("In" | "NotIn", 0) => {
                errors.required(&at.child("values"), "must be specified when `operator` is 'In' or 'NotIn'");
            }
            ("Exists" | "DoesNotExist", 1..) => {
                errors.forbidden(
                    &at.child("values"),
                    "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
                );
            }
            ("Gt" | "Lt", 0 | 2..) => {
                errors.required(&at.child("values"), "must be specified single value when `operator` is 'Lt' or 'Gt'");
            }
            ("In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt", _) => {}
            (other, _) => errors.invalid(&at.child("operator"), other, "not a valid selector operator"),
        }
        let key = requirement.text("key");
        errors.all_invalid(&at.child("key"), key, names::qualified_name(key));
    }
}

/// The rules for topology spread constraints.
pub fn spread(constraints: &[Value], at: &Path, errors: &mut Errors) {
    for (i, constraint) in constraints.iter().enumerate() {
        let at = at.index(i);
        if let Some(skew) = constraint.int("maxSkew").filter(|s| *s <= 0) {
            errors.invalid(&at.child("maxSkew"), skew, "must be greater than zero");
        }
        if constraint.text("topologyKey").is_empty() {
            errors.required(&at.child("topologyKey"), "can not be empty");
        }
        let when = constraint.text("whenUnsatisfiable");
        let actions = ["DoNotSchedule", "ScheduleAnyway"];
        if !actions.contains(&when) {
            errors.not_supported(&at.child("whenUnsatisfiable"), when, &actions);
        }
    }
}
