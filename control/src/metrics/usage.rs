//! From a node's summary (the kubelet's `stats.kubelet/v1alpha1`) to the objects of the metrics API.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::kinds::Look;

/// What one node said, its pods by namespace and name.
pub struct Summary {
    node: Value,
    pods: HashMap<(String, String), Value>,
}

impl Summary {
    /// Takes a summary apart.
    pub fn new(mut summary: Value) -> Self {
        let pods = summary.get_mut("pods").map(Value::take).unwrap_or_default();
        let pods = match pods {
            Value::Array(pods) => pods,
            _ => Vec::new(),
        };
        let name = |pod: &Value| (pod.text("podRef.namespace").to_owned(), pod.text("podRef.name").to_owned());
        let node = summary.get_mut("node").map(Value::take).unwrap_or_default();
        Self { node, pods: pods.into_iter().map(|pod| (name(&pod), pod)).collect() }
    }

    fn pod(&self, namespace: &str, name: &str) -> Option<&Value> {
        self.pods.get(&(namespace.to_owned(), name.to_owned()))
    }
}

/// The NodeMetrics of a node; none when it has not measured anything.
pub fn node_metrics(node: &Value, summary: &Summary) -> Option<Value> {
    let mut metrics = object("NodeMetrics", node, &summary.node)?;
    metrics["usage"] = usage(&summary.node)?;
    Some(metrics)
}

/// The PodMetrics of a pod; none when nothing of it runs.
pub fn pod_metrics(pod: &Value, summary: &Summary) -> Option<Value> {
    let measured = summary.pod(pod.text("metadata.namespace"), pod.text("metadata.name"))?;
    if measured.at("podRef").text("uid") != pod.text("metadata.uid") {
        return None;
    }
    let container = |c: &Value| Some(json!({"name": c.text("name"), "usage": usage(c)?}));
    let containers: Vec<Value> = measured.items("containers").iter().filter_map(container).collect();
    let mut metrics = object("PodMetrics", pod, measured.items("containers").first()?)?;
    metrics["containers"] = containers.into();
    Some(metrics)
}

/// Both kinds begin alike: the name and the labels of what they are about, and when that was measured.
fn object(kind: &str, of: &Value, measured: &Value) -> Option<Value> {
    let timestamp = measured.at("cpu").text("time");
    if timestamp.is_empty() {
        return None;
    }
    let mut metadata = json!({"name": of.text("metadata.name")});
    if let Some(namespace) = of.at("metadata").get("namespace") {
        metadata["namespace"] = namespace.clone();
    }
    metadata["creationTimestamp"] = timestamp.into();
    if let Some(labels) = of.at("metadata").get("labels") {
        metadata["labels"] = labels.clone();
    }
    let window = measured.at("cpu").text("window");
    Some(json!({
        "kind": kind,
        "apiVersion": "metrics.k8s.io/v1beta1",
        "metadata": metadata,
        "timestamp": timestamp,
        "window": window,
    }))
}

fn usage(measured: &Value) -> Option<Value> {
    let cpu = measured.at("cpu").get("usageNanoCores")?.as_u64()?;
    let memory = measured.at("memory").get("workingSetBytes")?.as_u64()?;
    Some(json!({"cpu": format!("{cpu}n"), "memory": format!("{}Ki", memory / 1024)}))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary() -> Summary {
        let cpu = json!({"time": "2026-01-01T00:00:00Z", "window": "15s", "usageNanoCores": 250_000_000});
        let one = json!({"name": "c", "cpu": cpu, "memory": {"workingSetBytes": 2048}});
        Summary::new(json!({
            "node": {"nodeName": "pi", "cpu": cpu, "memory": {"workingSetBytes": 1_048_576}},
            "pods": [{"podRef": {"namespace": "dev", "name": "web", "uid": "1"}, "containers": [one]}],
        }))
    }

    #[test]
    fn a_pod_uses_what_its_containers_do() {
        let pod = json!({"metadata": {"namespace": "dev", "name": "web", "uid": "1", "labels": {"a": "b"}}});
        let metrics = pod_metrics(&pod, &summary()).expect("metrics");
        assert_eq!(metrics["containers"], json!([{"name": "c", "usage": {"cpu": "250000000n", "memory": "2Ki"}}]));
        assert_eq!(metrics["metadata"]["labels"], json!({"a": "b"}));
        assert_eq!((&metrics["timestamp"], &metrics["window"]), (&json!("2026-01-01T00:00:00Z"), &json!("15s")));
    }

    #[test]
    fn another_pod_of_the_same_name_has_none() {
        let pod = json!({"metadata": {"namespace": "dev", "name": "web", "uid": "2"}});
        assert_eq!(pod_metrics(&pod, &summary()), None);
        let other = json!({"metadata": {"namespace": "dev", "name": "db", "uid": "1"}});
        assert_eq!(pod_metrics(&other, &summary()), None);
    }

    #[test]
    fn a_node_that_measured_nothing_has_none() {
        let node = json!({"metadata": {"name": "pi"}});
        assert_eq!(node_metrics(&node, &summary()).expect("metrics")["usage"]["memory"], "1024Ki");
        assert_eq!(node_metrics(&node, &Summary::new(json!({"node": {}}))), None);
    }
}
