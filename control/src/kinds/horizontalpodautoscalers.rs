//! HorizontalPodAutoscalers, of autoscaling/v2 and v1: stored and shown; nothing scales by them yet.
//!
//! They are stored in the shape of v2; [`from_v1`] and [`to_v1`] translate for those who ask for v1.

mod rules;
mod v1;

pub use v1::{from_v1, to_v1};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::access::{Change, Look};
use super::columns::{AGE, Column, NAME};
use super::generic::keep_status;
use super::{Behavior, cells};

const SHOWN: usize = 2;

/// What autoscalers do.
pub const BEHAVIOR: Behavior = Behavior {
    default,
    prepare_create: |hpa| hpa.set("", "status", json!({"desiredReplicas": 0, "currentMetrics": null})),
    prepare_update: keep_status,
    validate: rules::validate,
    warnings: |_| vec!["spec: not supported by Sampan, ignored: replicas stay as they are".into()],
    columns: &[
        NAME,
        Column::text(
            "Reference",
            "scaleTargetRef points to the target resource to scale, and is used to the pods for which metrics should be \
             collected, as well as to actually change the replica count.",
        ),
        Column::text(
            "Targets",
            "metrics contains the specifications for which to use to calculate the desired replica count (the maximum \
             replica count across all metrics will be used).  The desired replica count is calculated multiplying the \
             ratio between the target value and the current value by the current number of pods.  Ergo, metrics used \
             must decrease as the pod count is increased, and vice-versa.  See the individual metric source types for \
             more information about how each type of metric must respond.",
        ),
        Column::text(
            "MinPods",
            "minReplicas is the lower limit for the number of replicas to which the autoscaler can scale down.  It \
             defaults to 1 pod.  minReplicas is allowed to be 0 if the alpha feature gate HPAScaleToZero is enabled \
             and at least one Object or External metric is configured.  Scaling is active as long as at least one \
             metric value is available.",
        ),
        Column::text(
            "MaxPods",
            "maxReplicas is the upper limit for the number of pods that can be set by the autoscaler; cannot be \
             smaller than MinReplicas.",
        ),
        Column::text(
            "Replicas",
            "currentReplicas is current number of replicas of pods managed by this autoscaler, as last seen by the \
             autoscaler.",
        ),
        AGE,
    ],
    row,
    ..Behavior::GENERIC
};

fn default(hpa: &mut Value) {
    hpa.set_default("spec", "minReplicas", 1);
    if hpa.items("spec.metrics").is_empty() {
        hpa.set("spec", "metrics", json!([utilization(80.into())]));
    }
    for (direction, policies) in [
        (
            "spec.behavior.scaleUp",
            json!([{"type": "Pods", "value": 4, "periodSeconds": 15},
            {"type": "Percent", "value": 100, "periodSeconds": 15}]),
        ),
        ("spec.behavior.scaleDown", json!([{"type": "Percent", "value": 100, "periodSeconds": 15}])),
    ] {
        if hpa.has("spec.behavior") {
            if direction == "spec.behavior.scaleUp" {
                hpa.set_default(direction, "stabilizationWindowSeconds", 0);
            }
            hpa.set_default(direction, "selectPolicy", "Max");
            hpa.set_default(direction, "policies", policies);
        }
    }
}

fn utilization(percent: Value) -> Value {
    json!({"type": "Resource", "resource": {"name": "cpu",
        "target": {"type": "Utilization", "averageUtilization": percent}}})
}

fn row(hpa: &Value, now: Timestamp) -> Vec<Value> {
    vec![
        cells::name(hpa),
        format!("{}/{}", hpa.text("spec.scaleTargetRef.kind"), hpa.text("spec.scaleTargetRef.name")).into(),
        targets(hpa).into(),
        hpa.int("spec.minReplicas").map_or("<unset>".into(), |n| n.to_string()).into(),
        cells::count(hpa, "spec.maxReplicas"),
        cells::count(hpa, "status.currentReplicas"),
        cells::age(hpa, now),
    ]
}

/// `cpu: <unknown>/80%`.
fn targets(hpa: &Value) -> String {
    let specs = hpa.items("spec.metrics");
    if specs.is_empty() {
        return "<none>".into();
    }
    let current = hpa.items("status.currentMetrics");
    let all: Vec<String> = specs.iter().enumerate().map(|(i, spec)| target(spec, current.get(i))).collect();
    match all.len() {
        n if n > SHOWN => format!("{} + {} more...", all[..SHOWN].join(", "), n - SHOWN),
        _ => all.join(", "),
    }
}

fn target(spec: &Value, current: Option<&Value>) -> String {
    let (field, label) = match spec.text("type") {
        "Resource" => ("resource", format!("{}: ", spec.text("resource.name"))),
        "ContainerResource" => ("containerResource", format!("{}: ", spec.text("containerResource.name"))),
        "Pods" => ("pods", String::new()),
        "Object" => ("object", String::new()),
        "External" => ("external", String::new()),
        _ => return "<unknown type>".into(),
    };
    let wanted = spec.at(field).at("target");
    let (unit, amount) = match wanted.text("type") {
        "Utilization" => ("%", "averageUtilization"),
        "AverageValue" => ("", "averageValue"),
        _ => ("", "value"),
    };
    let shown = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(format!("{text}{unit}")),
        other => Some(format!("{other}{unit}")),
    };
    let now = current.and_then(|c| shown(c.at(field).at("current").at(amount))).unwrap_or_else(|| "<unknown>".into());
    format!("{label}{now}/{}", shown(wanted.at(amount)).unwrap_or_else(|| "<auto>".into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::Errors;

    #[test]
    fn eighty_percent_unless_it_says_otherwise() {
        let mut hpa = json!({"spec": {"maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "web"}}});
        default(&mut hpa);
        assert_eq!((targets(&hpa), hpa.int("spec.minReplicas")), ("cpu: <unknown>/80%".into(), Some(1)));
        let mut errors = Errors::default();
        rules::validate(
            &json!({"spec": {"minReplicas": 2, "maxReplicas": 1, "scaleTargetRef": {"kind": "X"}}}),
            &mut errors,
        );
        assert_eq!(
            errors.to_string(),
            "[spec.maxReplicas: Invalid value: 1: must be greater than or equal to `minReplicas`, spec.scaleTargetRef.name: \
             Required value]"
        );
    }
}
