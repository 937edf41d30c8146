//! The objects that the measures make.

use serde_json::{Value, json};

use crate::connection::Connection;
use crate::home::image;

/// Where they are made.
pub const PODS: &str = "/api/v1/namespaces/bench/pods";
pub const CONFIG_MAPS: &str = "/api/v1/namespaces/bench/configmaps";
pub const SERVICES: &str = "/api/v1/namespaces/bench/services";
pub const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/bench/deployments";

/// The size of a pod as it is stored, about: what real ones have, with their managed fields, tokens and conditions.
const POD_BYTES: usize = 3 << 10;

/// Makes the namespace, and the account that pods want, where no controller does.
pub async fn namespace(api: &mut Connection) -> anyhow::Result<()> {
    let named = |kind: &str, name: &str| json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}});
    api.post("/api/v1/namespaces", &named("Namespace", "bench")).await?;
    // A controller may have been faster.
    let _ = api.post("/api/v1/namespaces/bench/serviceaccounts", &named("ServiceAccount", "default")).await;
    Ok(())
}

/// A pod that runs a sample guest.
pub fn pod(name: &str, guest: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": guest}},
        "spec": pod_spec(guest),
    })
}

/// A pod of usual size on a node that there is not: the API keeps it and nobody else has work with it.
pub fn idle_pod(name: &str) -> Value {
    let mut pod = pod(name, "tcp-echo");
    pod["spec"]["nodeName"] = "elsewhere".into();
    let missing = POD_BYTES.saturating_sub(pod.to_string().len());
    pod["metadata"]["annotations"] = json!({"bench/filling": "x".repeat(missing)});
    pod
}

/// A Deployment of a sample guest.
pub fn deployment(guest: &str, replicas: usize) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": guest},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": guest}},
            "template": {"metadata": {"labels": {"app": guest}}, "spec": pod_spec(guest)},
        },
    })
}

/// A Service of a sample guest's pods, with a port on the node.
pub fn node_port(guest: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": guest},
        "spec": {"type": "NodePort", "selector": {"app": guest}, "ports": [{"port": 80}]},
    })
}

/// A ConfigMap with a kilobyte in it.
pub fn config_map(name: &str, version: usize) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name},
        "data": {"version": version.to_string(), "text": "x".repeat(1000)},
    })
}

fn pod_spec(guest: &str) -> Value {
    json!({
        "terminationGracePeriodSeconds": 0,
        "containers": [{"name": "guest", "image": image(guest), "ports": [{"containerPort": 80}]}],
    })
}
