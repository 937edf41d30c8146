//! HorizontalPodAutoscalers: `autoscaling/v1` knows one metric, the CPU; `autoscaling/v2` any number of any sort.
//!
//! What v1 cannot say is left out of what it shows. Upstream parks it in annotations.

use serde_json::{Map, Value, json};

const TARGET: &str = "targetCPUUtilizationPercentage";
const CURRENT: &str = "currentCPUUtilizationPercentage";

/// v1 as v2: the percentage becomes a metric.
pub fn to_v2(object: &mut Value) {
    if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut)
        && let Some(percent) = spec.shift_remove(TARGET)
    {
        let target = json!({"type": "Utilization", "averageUtilization": percent});
        let cpu = json!([{"type": "Resource", "resource": {"name": "cpu", "target": target}}]);
        spec.insert("metrics".to_owned(), cpu);
    }
    if let Some(status) = object.get_mut("status").and_then(Value::as_object_mut)
        && let Some(percent) = status.shift_remove(CURRENT)
    {
        let current = json!({"averageUtilization": percent});
        let cpu = json!([{"type": "Resource", "resource": {"name": "cpu", "current": current}}]);
        status.insert("currentMetrics".to_owned(), cpu);
    }
}

/// v2 as v1: the CPU's utilization, and nothing else of the metrics.
pub fn to_v1(object: &mut Value) {
    if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
        let metrics = spec.shift_remove("metrics").unwrap_or_default();
        spec.shift_remove("behavior");
        put(spec, TARGET, cpu(&metrics, "/resource/target/averageUtilization"));
    }
    if let Some(status) = object.get_mut("status").and_then(Value::as_object_mut) {
        let metrics = status.shift_remove("currentMetrics").unwrap_or_default();
        status.shift_remove("conditions");
        // Fields of v1 that are numbers are always shown; v2 leaves out a count that is zero.
        for count in ["currentReplicas", "desiredReplicas"] {
            let number = status.shift_remove(count).unwrap_or_else(|| 0.into());
            status.insert(count.to_owned(), number);
        }
        put(status, CURRENT, cpu(&metrics, "/resource/current/averageUtilization"));
    }
}

fn cpu(metrics: &Value, at: &str) -> Option<Value> {
    let resources = metrics.as_array()?.iter().filter(|m| m.get("type").is_some_and(|t| t == "Resource"));
    let mut cpus = resources.filter(|m| m.pointer("/resource/name").is_some_and(|n| n == "cpu"));
    cpus.find_map(|m| m.pointer(at).cloned())
}

fn put(fields: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        fields.insert(name.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_survives_the_way_there_and_back() {
        let v1 = json!({
            "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "minReplicas": 1, "maxReplicas": 3, TARGET: 80},
            "status": {"currentReplicas": 2, "desiredReplicas": 0, CURRENT: 40},
        });
        let mut object = v1.clone();
        to_v2(&mut object);
        assert_eq!(object["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"], 80);
        assert_eq!(object["status"]["currentMetrics"][0]["resource"]["current"]["averageUtilization"], 40);
        to_v1(&mut object);
        assert_eq!(object, v1);
    }

    #[test]
    fn other_metrics_are_not_of_v1() {
        let mut object = json!({"spec": {"metrics": [{"type": "Pods"}], "behavior": {}}, "status": {"conditions": []}});
        to_v1(&mut object);
        assert_eq!(object, json!({"spec": {}, "status": {"currentReplicas": 0, "desiredReplicas": 0}}));
    }
}
