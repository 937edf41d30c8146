//! The rules for autoscalers.

use objects::names;
use serde_json::Value;

use crate::field::{Errors, Path};
use crate::kinds::access::Look;
use crate::kinds::numbers::quantity;
use crate::kinds::selectors;

/// Each source of metrics, by its name in `type`.
const SOURCES: [(&str, &str); 5] = [
    ("ContainerResource", "containerResource"),
    ("External", "external"),
    ("Object", "object"),
    ("Pods", "pods"),
    ("Resource", "resource"),
];
const WINDOW_MAX: i64 = 3600;
const PERIOD_MAX: i64 = 1800;

/// The rules for an autoscaler in the shape of v2.
pub fn validate(hpa: &Value, errors: &mut Errors) {
    let (spec, at) = (hpa.at("spec"), Path::new("spec"));
    let (min, max) = (spec.int("minReplicas"), spec.int("maxReplicas").unwrap_or_default());
    if let Some(min) = min.filter(|n| *n < 1) {
        errors.invalid(&at.child("minReplicas"), min, "must be greater than or equal to 1");
    }
    if max < 1 {
        errors.invalid(&at.child("maxReplicas"), max, "must be greater than 0");
    }
    if min.is_some_and(|min| max < min) {
        errors.invalid(&at.child("maxReplicas"), max, "must be greater than or equal to `minReplicas`");
    }
    reference(spec.at("scaleTargetRef"), &at.child("scaleTargetRef"), errors);
    for (i, metric) in spec.items("metrics").iter().enumerate() {
        self::metric(metric, &at.child("metrics").index(i), errors);
    }
    for direction in ["scaleUp", "scaleDown"] {
        let rules = spec.at("behavior").at(direction);
        if !rules.is_null() {
            scaling(rules, &at.child("behavior").child(direction), errors);
        }
    }
}

fn reference(reference: &Value, at: &Path, errors: &mut Errors) {
    for field in ["kind", "name"] {
        match reference.text(field) {
            "" => errors.required(&at.child(field), ""),
            text => errors.all_invalid(&at.child(field), text, names::path_segment(text)),
        }
    }
}

fn metric(metric: &Value, at: &Path, errors: &mut Errors) {
    let kind = metric.text("type");
    if kind.is_empty() {
        return errors.required(&at.child("type"), "must specify a metric source type");
    }
    let known: Vec<&str> = SOURCES.iter().map(|(kind, _)| *kind).collect();
    let Some((_, field)) = SOURCES.iter().find(|(known, _)| *known == kind) else {
        return errors.not_supported(&at.child("type"), kind, &known);
    };
    if !metric.has(field) {
        errors.required(&at.child(field), "must populate information for the given metric source");
    }
    for (_, other) in SOURCES.iter().filter(|(_, other)| other != field && metric.has(other)) {
        errors.forbidden(&at.child(other), "must populate the given metric source only");
    }
    if metric.has(field) {
        source(kind, metric.at(field), &at.child(field), errors);
    }
}

fn source(kind: &str, source: &Value, at: &Path, errors: &mut Errors) {
    let (target, target_at) = (source.at("target"), at.child("target"));
    match kind {
        "Resource" | "ContainerResource" => {
            if source.text("name").is_empty() {
                errors.required(&at.child("name"), "must specify a resource name");
            }
            if kind == "ContainerResource" && source.text("container").is_empty() {
                errors.required(&at.child("container"), "must specify a container");
            }
        }
        _ => named_metric(source, at, errors),
    }
    if kind == "Object" {
        reference(source.at("describedObject"), &at.child("describedObject"), errors);
    }
    self::target(target, &target_at, errors);
    let (utilization, average, value) =
        (target.has("averageUtilization"), target.has("averageValue"), target.has("value"));
    match kind {
        "Resource" | "ContainerResource" => match (utilization, average) {
            (false, false) => errors.required(
                &target_at.child("averageUtilization"),
                "must set either a target raw value or a target utilization",
            ),
            (true, true) => errors.forbidden(
                &target_at.child("averageValue"),
                "may not set both a target raw value and a target utilization",
            ),
            _ => {}
        },
        "Pods" if !average => {
            errors.required(&target_at.child("averageValue"), "must specify a positive target averageValue");
        }
        "Object" | "External" if !value && !average => {
            let why = "must set either a target value for metric or a per-pod target";
            errors.required(&target_at.child("averageValue"), why);
        }
        "Object" | "External" if value && average => {
            let why = "may not set both a target value for metric and a per-pod target";
            errors.forbidden(&target_at.child("value"), why);
        }
        _ => {}
    }
}

fn named_metric(source: &Value, at: &Path, errors: &mut Errors) {
    let (metric, at) = (source.at("metric"), at.child("metric"));
    match metric.text("name") {
        "" => errors.required(&at.child("name"), "must specify a metric name"),
        name => errors.all_invalid(&at.child("name"), name, names::path_segment(name)),
    }
    selectors::validate(metric.at("selector"), &at.child("selector"), errors);
}

fn target(target: &Value, at: &Path, errors: &mut Errors) {
    match target.text("type") {
        "" => errors.required(&at.child("type"), "must specify a metric target type"),
        "Utilization" | "Value" | "AverageValue" => {}
        other => errors.invalid(&at.child("type"), other, "must be either Utilization, Value, or AverageValue"),
    }
    for field in ["value", "averageValue"] {
        if target.has(field) && quantity(target.at(field)).signum() != 1 {
            errors.invalid(&at.child(field), target.at(field).clone(), "must be positive");
        }
    }
    if let Some(percent) = target.int("averageUtilization").filter(|n| *n < 1) {
        errors.invalid(&at.child("averageUtilization"), percent, "must be greater than 0");
    }
}

fn scaling(rules: &Value, at: &Path, errors: &mut Errors) {
    if let Some(seconds) = rules.int("stabilizationWindowSeconds") {
        let at = at.child("stabilizationWindowSeconds");
        if seconds < 0 {
            errors.invalid(&at, seconds, "must be greater than or equal to zero");
        }
        if seconds > WINDOW_MAX {
            errors.invalid(&at, seconds, &format!("must be less than or equal to {WINDOW_MAX}"));
        }
    }
    let selects = ["Disabled", "Max", "Min"];
    let select = rules.text("selectPolicy");
    if !select.is_empty() && !selects.contains(&select) {
        errors.not_supported(&at.child("selectPolicy"), select, &selects);
    }
    let (policies, at) = (rules.items("policies"), at.child("policies"));
    if policies.is_empty() {
        errors.required(&at, "must specify at least one Policy");
    }
    for (i, policy) in policies.iter().enumerate() {
        let at = at.index(i);
        let kind = policy.text("type");
        if !matches!(kind, "Pods" | "Percent") {
            errors.not_supported(&at.child("type"), kind, &["Percent", "Pods"]);
        }
        for field in ["value", "periodSeconds"] {
            let n = policy.int(field).unwrap_or_default();
            if n <= 0 {
                errors.invalid(&at.child(field), n, "must be greater than zero");
            }
        }
        if let Some(n) = policy.int("periodSeconds").filter(|n| *n > PERIOD_MAX) {
            errors.invalid(&at.child("periodSeconds"), n, &format!("must be less than or equal to {PERIOD_MAX}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn metrics_have_one_source_and_one_target() {
        let hpa = json!({"spec": {"maxReplicas": 1, "scaleTargetRef": {"kind": "D", "name": "d"}, "metrics": [
            {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization"}}},
            {"type": "Zap"}, {"type": "Pods", "resource": {}}]}});
        let mut errors = Errors::default();
        validate(&hpa, &mut errors);
        assert_eq!(
            errors.to_string(),
            "[spec.metrics[0].resource.target.averageUtilization: Required value: must set either a target raw value or a \
             target utilization, spec.metrics[1].type: Unsupported value: \"Zap\": supported values: \
             \"ContainerResource\", \"External\", \"Object\", \"Pods\", \"Resource\", spec.metrics[2].pods: \
             Required value: must populate information for the given metric source, spec.metrics[2].resource: Forbidden: \
             must populate the given metric source only]"
        );
    }
}
