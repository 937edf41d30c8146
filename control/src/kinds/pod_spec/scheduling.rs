//! The rules for tolerations and spreading.

use objects::names;
use serde_json::Value;

use super::affinity::topology_key;
use crate::field::{Errors, Path};
use crate::kinds::access::Look;
use crate::kinds::selectors;

/// The effects that a taint may have.
pub const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

const ACTIONS: [&str; 2] = ["DoNotSchedule", "ScheduleAnyway"];

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
                errors.invalid_as(&at.child("operator"), &shown(toleration), why);
            }
            "Exists" => {}
            other => errors.not_supported(&at.child("operator"), other, &["Equal", "Exists"]),
        }
        if !effect.is_empty() && !EFFECTS.contains(&effect) {
            errors.not_supported(&at.child("effect"), effect, &EFFECTS);
        }
    }
}

/// A toleration as Go's `%#v` shows it.
fn shown(toleration: &Value) -> String {
    let text = |field| Value::from(toleration.text(field));
    let seconds = if toleration.has("tolerationSeconds") { "0xc000000000" } else { "nil" };
    format!(
        "core.Toleration{{Key:{}, Operator:{}, Value:{}, Effect:{}, TolerationSeconds:(*int64)({seconds})}}",
        text("key"),
        text("operator"),
        text("value"),
        text("effect")
    )
}

/// The rules for topology spread constraints.
pub fn spread(constraints: &[Value], at: &Path, errors: &mut Errors) {
    for (i, constraint) in constraints.iter().enumerate() {
        let at = at.index(i);
        let skew = constraint.int("maxSkew").unwrap_or_default();
        if skew <= 0 {
            errors.invalid(&at.child("maxSkew"), skew, "must be greater than zero");
        }
        let (key, when) = (constraint.text("topologyKey"), constraint.text("whenUnsatisfiable"));
        topology_key(key, &at, errors);
        if !ACTIONS.contains(&when) {
            errors.not_supported(&at.child("whenUnsatisfiable"), when, &ACTIONS);
        }
        let same = |c: &&Value| c.text("topologyKey") == key && c.text("whenUnsatisfiable") == when;
        if constraints[i + 1..].iter().find(same).is_some() {
            errors.duplicate(&at.child("{topologyKey, whenUnsatisfiable}"), format!("{{{key}, {when}}}"));
        }
        if let Some(domains) = constraint.int("minDomains") {
            let at = at.child("minDomains");
            if domains <= 0 {
                errors.invalid(&at, domains, "must be greater than zero");
            }
            if when != ACTIONS[0] {
                let why = format!("can only use minDomains if whenUnsatisfiable={}, not {when}", ACTIONS[0]);
                errors.invalid(&at, domains, &why);
            }
        }
        for field in ["nodeAffinityPolicy", "nodeTaintsPolicy"] {
            let policy = constraint.text(field);
            if !policy.is_empty() && !["Honor", "Ignore"].contains(&policy) {
                errors.not_supported(&at.child(field), policy, &["Honor", "Ignore"]);
            }
        }
        keys(constraint, &at, errors);
        selectors::validate(constraint.at("labelSelector"), &at.child("labelSelector"), errors);
    }
}

/// Labels whose values a pod adds to the selector.
fn keys(constraint: &Value, at: &Path, errors: &mut Errors) {
    let (keys, at) = (constraint.items("matchLabelKeys"), at.child("matchLabelKeys"));
    if !keys.is_empty() && !constraint.has("labelSelector") {
        errors.forbidden(&at, "must not be specified when labelSelector is not set");
    }
    for (i, key) in keys.iter().filter_map(Value::as_str).enumerate() {
        errors.all_invalid(&at.index(i), key, names::qualified_name(key));
        if constraint.at("labelSelector.matchLabels").get(key).is_some() {
            errors.invalid(&at.index(i), key, "exists in both matchLabelKeys and labelSelector");
        }
    }
}
