//! metrics.k8s.io: what the nodes say of themselves and their pods.

use std::sync::Arc;

use control::http::{Body, NodeTransport};
use control::store;
use futures::FutureExt as _;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};

use crate::harness::*;

const GROUP: &str = "/apis/metrics.k8s.io/v1beta1";

/// `pi` answers; no way leads to other nodes.
fn nodes(summary: impl Fn() -> Value + Send + Sync + 'static) -> NodeTransport {
    Arc::new(move |node: &str, request: Request<Body>| {
        let text = (node == "pi" && request.uri().path() == "/stats/summary").then(|| summary().to_string())?;
        let body = Full::from(text).map_err(|never| match never {}).boxed_unsync();
        Some(async { Ok(Response::new(body)) }.boxed())
    })
}

async fn server() -> Server {
    let cpu = json!({"time": "2026-01-01T00:00:00Z", "window": "10s", "usageNanoCores": 5_000_000});
    // The uid of a pod is not known before it is made: the summary names whatever there is.
    let uid = Arc::new(parking_lot::Mutex::new(Value::Null));
    let known = uid.clone();
    let summary = move || {
        let container = json!({"name": "c", "cpu": cpu, "memory": {"workingSetBytes": 3_145_728}});
        json!({
            "node": {"nodeName": "pi", "cpu": cpu, "memory": {"workingSetBytes": 9_437_184}},
            "pods": [{"podRef": {"namespace": "golden", "name": "web", "uid": *known.lock()}, "containers": [container]}],
        })
    };
    let server = Server::with_nodes(store::Config::default(), nodes(summary)).await;
    for name in ["pi", "gone"] {
        server.make(NODES, json!({"metadata": {"name": name, "labels": {"node": name}}})).await;
    }
    for (name, node) in [("web", "pi"), ("lost", "gone")] {
        let mut pod = pod(name);
        pod["metadata"]["labels"] = json!({"app": name});
        pod["spec"]["nodeName"] = node.into();
        let made = server.make(PODS, pod).await;
        if name == "web" {
            *uid.lock() = made["metadata"]["uid"].clone();
        }
    }
    server
}

#[tokio::test]
async fn pods_and_nodes_are_measured_when_somebody_asks() {
    let server = server().await;
    let pods = server.read(&format!("{GROUP}/pods")).await;
    assert_eq!((&pods["kind"], &pods["items"][1]), (&json!("PodMetricsList"), &Value::Null), "one node is silent");
    let web = &pods["items"][0];
    assert_eq!(web["containers"], json!([{"name": "c", "usage": {"cpu": "5000000n", "memory": "3072Ki"}}]));
    assert_eq!((&web["metadata"]["labels"]["app"], &web["window"]), (&json!("web"), &json!("10s")));
    let one = server.read(&format!("{GROUP}/namespaces/golden/pods/web")).await;
    assert_eq!((&one["kind"], &one["containers"]), (&json!("PodMetrics"), &web["containers"]));
    let node = server.read(&format!("{GROUP}/nodes/pi")).await;
    assert_eq!(node["usage"], json!({"cpu": "5000000n", "memory": "9216Ki"}));
}

#[tokio::test]
async fn selectors_choose_by_the_labels_of_what_is_measured() {
    let server = server().await;
    let named = |list: Value| list["items"].as_array().map(|items| items.len());
    let select = |selector: &str| format!("{GROUP}/namespaces/golden/pods?labelSelector={selector}");
    assert_eq!(named(server.read(&select("app%3Dweb")).await), Some(1));
    assert_eq!(named(server.read(&select("app%3Dother")).await), Some(0));
    assert_eq!(named(server.read(&format!("{GROUP}/nodes?labelSelector=node%3Dpi")).await), Some(1));
}

#[tokio::test]
async fn what_is_not_measured_is_not_found() {
    let server = server().await;
    let words = server.get(&format!("{GROUP}/namespaces/golden/pods/lost")).await.refused(404, "NotFound");
    assert_eq!(words, "pods.metrics.k8s.io \"lost\" not found");
    server.get(&format!("{GROUP}/nodes/gone")).await.refused(404, "NotFound");
    server.post(&format!("{GROUP}/nodes"), json!({"metadata": {"name": "x"}})).await.refused(405, "MethodNotAllowed");
}

#[tokio::test]
async fn discovery_names_both() {
    let server = server().await;
    let list = server.read(GROUP).await;
    let rows: Vec<_> = list["resources"].as_array().into_iter().flatten().collect();
    let short = rows.iter().map(|r| (r["name"].as_str().unwrap_or_default(), &r["kind"], &r["verbs"]));
    let verbs = json!(["get", "list"]);
    let expected = [("nodes", &json!("NodeMetrics"), &verbs), ("pods", &json!("PodMetrics"), &verbs)];
    assert_eq!(short.collect::<Vec<_>>(), expected);
}
