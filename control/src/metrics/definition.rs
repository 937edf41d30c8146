//! The two kinds, as a definition would have them.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::custom::{self, Kind};

/// The group of both.
pub const GROUP: &str = "metrics.k8s.io";

/// NodeMetrics and PodMetrics, which can be read and nothing else.
pub fn kinds() -> Vec<Arc<Kind>> {
    let column = |name: &str, path: &str| json!({"name": name, "type": "string", "jsonPath": path});
    let of_nodes = [column("cpu", ".usage.cpu"), column("memory", ".usage.memory"), column("Window", ".window")];
    let of_pods = [
        column("cpu", ".containers[*].usage.cpu"),
        column("memory", ".containers[*].usage.memory"),
        column("Window", ".window"),
    ];
    let containers = json!({
        "type": "array",
        "description": "Metrics for all containers are collected within the same time window.",
        "items": {
            "type": "object",
            "description": "ContainerMetrics sets resource usage metrics of a container.",
            "properties": {
                "name": {"type": "string", "description": "Container name corresponding to the one from pod.spec.containers."},
                "usage": usage(),
            },
        },
    });
    let nodes = definition("nodes", "NodeMetrics", "Cluster", "usage", usage(), &of_nodes);
    let pods = definition("pods", "PodMetrics", "Namespaced", "containers", containers, &of_pods);
    [nodes, pods].iter().flat_map(custom::read_only).collect()
}

fn usage() -> Value {
    json!({
        "type": "object",
        "description": "The memory usage is the memory working set.",
        "additionalProperties": {"x-kubernetes-int-or-string": true},
    })
}

fn definition(plural: &str, kind: &str, scope: &str, field: &str, schema: Value, columns: &[Value]) -> Value {
    let taken = "The following fields define time interval from which metrics were collected from the interval [Timestamp-Window, Timestamp].";
    json!({
        "metadata": {"name": format!("{plural}.{GROUP}"), "generation": 1},
        "spec": {
            "group": GROUP,
            "scope": scope,
            "versions": [{
                "name": "v1beta1",
                "served": true,
                "storage": true,
                "additionalPrinterColumns": columns,
                "schema": {"openAPIV3Schema": {
                    "type": "object",
                    "description": format!("{kind} sets resource usage metrics."),
                    "properties": {
                        "timestamp": {"type": "string", "format": "date-time", "description": taken},
                        "window": {"type": "string"},
                        (field): schema,
                    },
                }},
            }],
        },
        "status": {"acceptedNames": {
            "plural": plural,
            "kind": kind,
            "listKind": format!("{kind}List"),
        }},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_can_be_read_and_nothing_else() {
        let kinds = kinds();
        let rows: Vec<_> = kinds.iter().map(|k| (&*k.row.resource, k.row.namespaced, k.row.verbs.clone())).collect();
        assert_eq!(rows, [("nodes", false, vec!["get", "list"]), ("pods", true, vec!["get", "list"])]);
    }
}
