//! Autoscalers in the shape of autoscaling/v1.
//!
//! That version knows one metric, the processor's use. Everything else rides along in annotations, as JSON, so that who
//! reads and writes the old version loses nothing; the stored object never has them.

use serde_json::Value;

use super::utilization;
use crate::kinds::access::{Change, Look};

const METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";
const BEHAVIOR: &str = "autoscaling.alpha.kubernetes.io/behavior";
const CURRENT: &str = "autoscaling.alpha.kubernetes.io/current-metrics";
const CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";

/// Of each source of metrics: its name in a metric, where v2 keeps what v1 has beside it, and that under v1's name.
type Moves = &'static [(&'static str, &'static str, &'static str)];

const SOURCES: &[(&str, Moves)] = &[
    (
        "resource",
        &[
            ("target", "averageUtilization", "targetAverageUtilization"),
            ("target", "averageValue", "targetAverageValue"),
        ],
    ),
    (
        "containerResource",
        &[
            ("target", "averageUtilization", "targetAverageUtilization"),
            ("target", "averageValue", "targetAverageValue"),
        ],
    ),
    (
        "pods",
        &[
            ("metric", "name", "metricName"),
            ("metric", "selector", "selector"),
            ("target", "averageValue", "targetAverageValue"),
        ],
    ),
    (
        "object",
        &[
            ("metric", "name", "metricName"),
            ("metric", "selector", "selector"),
            ("target", "value", "targetValue"),
            ("target", "averageValue", "averageValue"),
        ],
    ),
    (
        "external",
        &[
            ("metric", "name", "metricName"),
            ("metric", "selector", "metricSelector"),
            ("target", "value", "targetValue"),
            ("target", "averageValue", "targetAverageValue"),
        ],
    ),
];

/// An autoscaler of autoscaling/v1 in the shape in which it is stored.
pub fn from_v1(mut hpa: Value) -> Value {
    hpa.set("", "apiVersion", "autoscaling/v2");
    let mut metrics: Vec<Value> =
        annotation(&mut hpa, METRICS).map(|old| old.items("").iter().map(metric_from_v1).collect()).unwrap_or_default();
    if let Some(percent) = hpa.unset("spec", "targetCPUUtilizationPercentage") {
        metrics.push(utilization(percent));
    }
    if !metrics.is_empty() {
        hpa.set("spec", "metrics", metrics);
    }
    if let Some(behavior) = annotation(&mut hpa, BEHAVIOR) {
        hpa.set("spec", "behavior", behavior);
    }
    for told in [CURRENT, CONDITIONS] {
        annotation(&mut hpa, told);
    }
    hpa.unset("status", "currentCPUUtilizationPercentage");
    hpa
}

/// A stored autoscaler in the shape of autoscaling/v1.
pub fn to_v1(mut hpa: Value) -> Value {
    hpa.set("", "apiVersion", "autoscaling/v1");
    let metrics = hpa.unset("spec", "metrics").unwrap_or_default();
    let (plain, others): (Vec<&Value>, Vec<&Value>) =
        metrics.items("").iter().partition(|metric| percent(metric, "target").is_some());
    if let Some(percent) = plain.last().and_then(|metric| percent(metric, "target")) {
        hpa.set("spec", "targetCPUUtilizationPercentage", percent);
    }
    if !others.is_empty() {
        let others: Vec<Value> = others.into_iter().map(metric_to_v1).collect();
        annotate(&mut hpa, METRICS, Value::from(others));
    }
    if let Some(behavior) = hpa.unset("spec", "behavior") {
        annotate(&mut hpa, BEHAVIOR, behavior);
    }
    if hpa.has("status") {
        status_to_v1(&mut hpa);
    }
    hpa
}

fn status_to_v1(hpa: &mut Value) {
    let current = hpa.unset("status", "currentMetrics").unwrap_or_default();
    if let Some(conditions) = hpa.unset("status", "conditions").filter(|c| !c.items("").is_empty()) {
        annotate(hpa, CONDITIONS, conditions);
    }
    hpa.set_default("status", "currentReplicas", 0);
    hpa.set_default("status", "desiredReplicas", 0);
    if let Some(percent) = current.items("").iter().find_map(|metric| percent(metric, "current")) {
        hpa.set("status", "currentCPUUtilizationPercentage", percent);
    }
}

/// The share of the processor that a metric asks for (`target`) or tells (`current`), if it is that metric.
fn percent(metric: &Value, of: &str) -> Option<Value> {
    let source = metric.at("resource");
    let cpu = metric.text("type") == "Resource" && source.text("name") == "cpu";
    Some(source.at(of).at("averageUtilization").clone()).filter(|percent| cpu && percent.is_number())
}

fn metric_to_v1(metric: &Value) -> Value {
    let mut metric = metric.clone();
    for (source, moves) in SOURCES {
        if !metric.has(source) {
            continue;
        }
        for (part, field, old) in *moves {
            if let Some(value) = metric.unset(&format!("{source}.{part}"), field) {
                metric.set(source, old, value);
            }
        }
        metric.unset(source, "target");
        metric.unset(source, "metric");
        if let Some(described) = metric.unset(source, "describedObject") {
            metric.set(source, "target", described);
        }
    }
    metric
}

fn metric_from_v1(metric: &Value) -> Value {
    let mut metric = metric.clone();
    for (source, moves) in SOURCES {
        if !metric.has(source) {
            continue;
        }
        if let Some(described) = metric.unset(source, "target") {
            metric.set(source, "describedObject", described);
        }
        for (part, field, old) in *moves {
            if let Some(value) = metric.unset(source, old) {
                metric.set(&format!("{source}.{part}"), field, value);
            }
        }
        let target = metric.at(source).at("target");
        let ty = match () {
            () if target.has("averageUtilization") => "Utilization",
            () if target.has("averageValue") => "AverageValue",
            () => "Value",
        };
        metric.set(&format!("{source}.target"), "type", ty);
    }
    metric
}

/// Takes an annotation off and reads it, if it is JSON.
fn annotation(hpa: &mut Value, name: &str) -> Option<Value> {
    let told = hpa.unset("metadata.annotations", name)?;
    if hpa.entries("metadata.annotations").next().is_none() {
        hpa.unset("metadata", "annotations");
    }
    serde_json::from_str(told.as_str()?).ok()
}

fn annotate(hpa: &mut Value, name: &str, value: Value) {
    hpa.set("metadata.annotations", name, value.to_string());
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_old_shape_translates() {
        let old =
            json!({"apiVersion": "autoscaling/v1", "spec": {"maxReplicas": 3, "targetCPUUtilizationPercentage": 50}});
        let stored = from_v1(old.clone());
        assert_eq!(stored["spec"]["metrics"], json!([utilization(50.into())]));
        assert_eq!(to_v1(stored), old);
    }

    #[test]
    fn what_the_old_version_does_not_know_comes_back_from_it() {
        let value = |amount: &str| json!({"type": "Value", "value": amount});
        let average = |amount: &str| json!({"type": "AverageValue", "averageValue": amount});
        let metric = json!({"name": "hits", "selector": {"matchLabels": {"a": "b"}}});
        let stored = json!({"apiVersion": "autoscaling/v2", "metadata": {"annotations": {"own": "x"}}, "spec": {
        "behavior": {"scaleUp": {"selectPolicy": "Max"}},
        "metrics": [
            {"type": "Resource", "resource": {"name": "memory", "target": average("1Gi")}},
            {"type": "Pods", "pods": {"metric": metric, "target": average("5")}},
            {"type": "Object", "object": {"metric": metric, "target": value("7"),
                "describedObject": {"kind": "Ingress", "name": "i"}}},
            {"type": "External", "external": {"metric": metric, "target": value("9")}},
            {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "c",
                "target": {"type": "Utilization", "averageUtilization": 60}}},
            utilization(80.into()),
        ]}});
        let old = to_v1(stored.clone());
        assert_eq!(old["spec"], json!({"targetCPUUtilizationPercentage": 80}));
        assert!(old["metadata"]["annotations"][METRICS].as_str().is_some_and(|told| {
            told.contains(r#"{"type":"External","external":{"metricName":"hits","metricSelector":{"matchLabels":{"a":"b"}},"targetValue":"9"}}"#)
        }));
        assert_eq!(from_v1(old), stored);
    }
}
