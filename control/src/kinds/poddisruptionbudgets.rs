//! PodDisruptionBudgets.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::access::{Change, Look};
use super::columns::{AGE, Column, NAME};
use super::generic::{keep_status, text_of};
use super::{Behavior, Generation, cells, numbers, selectors};
use crate::field::{Errors, Path};

/// What budgets do.
pub const BEHAVIOR: Behavior = Behavior {
    prepare_create: |budget| {
        let status = json!({"disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0});
        budget.set("", "status", status);
    },
    prepare_update: keep_status,
    validate,
    validate_status_update,
    columns: &[
        NAME,
        Column::text("Min Available", "The minimum number of pods that must be available."),
        Column::text("Max Unavailable", "The maximum number of pods that may be unavailable."),
        Column::integer("Allowed Disruptions", "Calculated number of pods that may be disrupted at this time."),
        AGE,
    ],
    row: |budget, now: Timestamp| {
        let amount = |path: &str| cells::or(&text_of(budget.at(path)), "N/A");
        vec![
            cells::name(budget),
            amount("spec.minAvailable"),
            amount("spec.maxUnavailable"),
            cells::count(budget, "status.disruptionsAllowed"),
            cells::age(budget, now),
        ]
    },
    generation: Generation::Spec,
    ..Behavior::GENERIC
};

fn validate(budget: &Value, errors: &mut Errors) {
    let (spec, at) = (budget.at("spec"), Path::new("spec"));
    if spec.has("minAvailable") && spec.has("maxUnavailable") {
        errors.invalid_as(
            &at,
            "policy.PodDisruptionBudgetSpec{}",
            "minAvailable and maxUnavailable cannot be both set",
        );
    }
    for field in ["minAvailable", "maxUnavailable"] {
        numbers::int_or_percent(spec.at(field), &at.child(field), errors);
        numbers::not_more_than_all(spec.at(field), &at.child(field), errors);
    }
    selectors::validate(spec.at("selector"), &at.child("selector"), errors);
    let (policy, policies) = (spec.text("unhealthyPodEvictionPolicy"), ["AlwaysAllow", "IfHealthyBudget"]);
    if !policy.is_empty() && !policies.contains(&policy) {
        errors.not_supported(&at.child("unhealthyPodEvictionPolicy"), policy, &policies);
    }
}

fn validate_status_update(new: &Value, _: &Value, errors: &mut Errors) {
    let counts = ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"];
    numbers::not_negative(new.at("status"), &counts, &Path::new("status"), errors);
}
