//! What can be done to a pod that runs: evict it, join it, resize it; and to a certificate request: approve it.

use serde_json::{Value, json};

use crate::harness::*;

const BUDGETS: &str = "/apis/policy/v1/namespaces/golden/poddisruptionbudgets";

fn eviction(pod: &str) -> Value {
    json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": "golden"}})
}

/// A pod that runs and is ready, with a label.
async fn running(server: &Server, name: &str) {
    let mut pod = pod(name);
    pod["metadata"]["labels"] = json!({"a": "b"});
    server.make(PODS, pod).await;
    let ready = json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}});
    server.patch(&format!("{PODS}/{name}/status"), MERGE, ready).await.with(200);
}

#[tokio::test]
async fn a_budget_has_its_say_in_an_eviction() {
    let server = Server::start().await;
    for name in ["p1", "p2"] {
        running(&server, name).await;
    }
    let budget =
        json!({"metadata": {"name": "b"}, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"a": "b"}}}});
    server.make(BUDGETS, budget).await;
    let path = format!("{PODS}/p1/eviction");
    let early = server.post(&path, eviction("p1")).await;
    assert_eq!(early.header("retry-after"), "10");
    assert_eq!(
        early.refused(429, "TooManyRequests"),
        "Cannot evict pod as it would violate the pod's disruption budget."
    );
    let status = json!({"status": {"observedGeneration": 1, "disruptionsAllowed": 1, "currentHealthy": 2,
        "desiredHealthy": 1, "expectedPods": 2}});
    server.patch(&format!("{BUDGETS}/b/status"), MERGE, status).await.with(200);
    server.post(&format!("{path}?dryRun=All"), eviction("p1")).await.with(201);
    assert_eq!(server.read(&format!("{BUDGETS}/b")).await["status"]["disruptionsAllowed"], 1);
    let done = server.post(&path, eviction("p1")).await.with(201);
    assert_eq!((&done["kind"], &done["status"]), (&json!("Status"), &json!("Success")));
    server.get(&format!("{PODS}/p1")).await.refused(404, "NotFound");
    let refusal = server.post(&format!("{PODS}/p2/eviction"), eviction("p2")).await.with(429);
    assert_eq!(
        refusal["details"]["causes"],
        json!([{"reason": "DisruptionBudget",
            "message": "The disruption budget b needs 1 healthy pods and has 2 currently"}])
    );
    let words = server.post(&format!("{PODS}/p2/eviction"), eviction("other")).await.refused(400, "BadRequest");
    assert_eq!(words, "name in URL does not match name in Eviction object");
    server.post(&format!("{PODS}/none/eviction"), eviction("none")).await.refused(404, "NotFound");
}

#[tokio::test]
async fn a_debugger_joins_and_stays() {
    let server = Server::start().await;
    let with = json!({"metadata": {"name": "d"}, "spec": {"containers": [{"name": "c", "image": "echo"}],
        "ephemeralContainers": [{"name": "e", "image": "echo"}]}});
    let words = server.post(PODS, with).await.refused(422, "Invalid");
    assert_eq!(words, "Pod \"d\" is invalid: spec.ephemeralContainers: Forbidden: cannot be set on create");
    server.make(PODS, pod("p")).await;
    let path = format!("{PODS}/p/ephemeralcontainers");
    let patch = json!({"spec": {"ephemeralContainers": [{"name": "e", "image": "echo", "targetContainerName": "c"}]}});
    let pod = server.patch(&path, STRATEGIC, patch).await.with(200);
    assert_eq!(pod["spec"]["ephemeralContainers"][0]["imagePullPolicy"], "Always");
    assert_eq!(pod["metadata"]["generation"], 2);
    let patch =
        json!({"spec": {"ephemeralContainers": [{"name": "f", "image": "echo", "targetContainerName": "zzz"}]}});
    let words = server.patch(&path, STRATEGIC, patch).await.refused(422, "Invalid");
    assert_eq!(words, "Pod \"p\" is invalid: spec.ephemeralContainers[0].targetContainerName: Not found: \"zzz\"");
}

#[tokio::test]
async fn a_resize_changes_amounts_and_nothing_else() {
    let server = Server::start().await;
    let container = |cpu: &str, image: &str| json!({"spec": {"containers": [{"name": "c", "image": image, "resources": {"requests": {"cpu": cpu}}}]}});
    let mut pod = container("1", "echo");
    pod["metadata"] = json!({"name": "p"});
    server.make(PODS, pod).await;
    let path = format!("{PODS}/p/resize");
    let resized = server.patch(&path, STRATEGIC, container("2", "other")).await.with(200);
    let container_now = &resized["spec"]["containers"][0];
    assert_eq!(
        (&container_now["image"], &container_now["resources"]["requests"]["cpu"]),
        (&json!("echo"), &json!("2"))
    );
    assert_eq!(server.read(&path).await, resized);
}

#[tokio::test]
async fn a_certificate_request_is_approved_apart_from_its_status() {
    let server = Server::start().await;
    let requests = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
    let request = json!({"metadata": {"name": "r"}, "spec": {"signerName": "example.com/s", "usages": ["client auth"],
        "request": "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0="}});
    server.make(requests, request).await;
    let approved = json!({"status": {"conditions": [{"type": "Approved", "status": "True", "reason": "Tested"}]}});
    let path = format!("{requests}/r");
    let after = server.patch(&format!("{path}/status"), MERGE, approved.clone()).await.with(200);
    assert_eq!(after["status"], json!({}), "not through the status");
    let after = server.patch(&format!("{path}/approval"), MERGE, approved).await.with(200);
    assert_eq!(after["status"]["conditions"][0]["type"], "Approved");
    assert!(after["status"]["conditions"][0]["lastTransitionTime"].is_string());
    let signed = json!({"status": {"certificate": "YQ==", "conditions": []}});
    let after = server.patch(&format!("{path}/status"), MERGE, signed).await.with(200);
    assert_eq!(after["status"]["conditions"][0]["type"], "Approved", "the status does not take it back");
    let table = server.request("GET", &path).accept(TABLE).send().await.with(200);
    assert_eq!(table["rows"][0]["cells"][5], "Approved,Issued");
}
