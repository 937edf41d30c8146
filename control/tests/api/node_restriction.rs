use control::auth::Caller;
use serde_json::{Value, json};

use crate::harness::*;

fn node(name: &str) -> Caller {
    Caller::authenticated(&format!("system:node:{name}"), ["system:nodes".to_owned()])
}

async fn refused(server: &Server, method: &str, path: &str, body: Value) -> String {
    let format = if method == "PATCH" { MERGE } else { JSON };
    let body = if method == "GET" || method == "DELETE" { String::new() } else { body.to_string() };
    server.request(method, path).by(node("n1")).body(format, body).send().await.refused(403, "Forbidden")
}

async fn done(server: &Server, method: &str, path: &str, body: Value) -> Value {
    let format = if method == "PATCH" { MERGE } else { JSON };
    let body = if method == "GET" { String::new() } else { body.to_string() };
    let answer = server.request(method, path).by(node("n1")).body(format, body).send().await;
    assert!(answer.code < 300, "{method} {path}: {}", answer.text);
    answer.json()
}

#[tokio::test]
async fn a_node_reads_the_secrets_of_its_pods_only() {
    let server = Server::with_roles().await;
    let secrets = "/api/v1/namespaces/golden/secrets";
    for name in ["own", "other"] {
        server.make(secrets, json!({"metadata": {"name": name}})).await;
    }
    let mut object = pod("p");
    object["spec"]["volumes"] = json!([{"name": "v", "secret": {"secretName": "own"}}]);
    server.make(PODS, object).await;
    let own = format!("{secrets}/own");
    assert_eq!(
        refused(&server, "GET", &own, json!({})).await,
        "secrets \"own\" is forbidden: User \"system:node:n1\" cannot get resource \"secrets\" in API group \"\" in the \
         namespace \"golden\": no relationship found between node 'n1' and this object"
    );
    bind(&server, "p").await;
    done(&server, "GET", &own, json!({})).await;
    refused(&server, "GET", &format!("{secrets}/other"), json!({})).await;
    refused(&server, "GET", secrets, json!({})).await;
    server.delete(&format!("{PODS}/p?gracePeriodSeconds=0")).await.with(200);
    refused(&server, "GET", &own, json!({})).await;
}

#[tokio::test]
async fn a_node_writes_its_own_node_only() {
    let server = Server::with_roles().await;
    let made =
        done(&server, "POST", NODES, json!({"metadata": {"name": "n1", "labels": {"kubernetes.io/os": "x"}}})).await;
    assert_eq!(made["metadata"]["name"], "n1");
    assert_eq!(
        refused(&server, "POST", NODES, json!({"metadata": {"name": "n2"}})).await,
        "nodes \"n2\" is forbidden: node \"n1\" is not allowed to modify node \"n2\""
    );
    let own = format!("{NODES}/n1");
    done(&server, "PATCH", &format!("{own}/status"), json!({"status": {"capacity": {"cpu": "1"}}})).await;
    done(&server, "PATCH", &own, json!({"metadata": {"labels": {"tier": "a"}}})).await;
    for (patch, why) in [
        (json!({"spec": {"taints": []}}), "node \"n1\" is not allowed to modify taints"),
        (
            json!({"metadata": {"labels": {"node-restriction.kubernetes.io/a": "b", "k8s.io/c": "d"}}}),
            "node \"n1\" is not allowed to modify labels: k8s.io/c, node-restriction.kubernetes.io/a",
        ),
    ] {
        assert_eq!(refused(&server, "PATCH", &own, patch).await, format!("nodes \"n1\" is forbidden: {why}"));
    }
}

#[tokio::test]
async fn a_node_reports_on_its_own_pods_only() {
    let server = Server::with_roles().await;
    for name in ["own", "other"] {
        server.make(PODS, pod(name)).await;
    }
    bind(&server, "own").await;
    let status = json!({"status": {"phase": "Running"}});
    done(&server, "PATCH", &format!("{PODS}/own/status"), status.clone()).await;
    assert_eq!(
        refused(&server, "PATCH", &format!("{PODS}/other/status"), status).await,
        "pods \"other\" is forbidden: node \"n1\" can only update pod status for pods with spec.nodeName set to itself"
    );
    assert_eq!(
        refused(&server, "DELETE", &format!("{PODS}/other"), json!({})).await,
        "pods \"other\" is forbidden: node \"n1\" can only delete pods with spec.nodeName set to itself"
    );
    assert_eq!(
        refused(&server, "POST", PODS, pod("new")).await,
        "pods \"new\" is forbidden: pod does not have \"kubernetes.io/config.mirror\" annotation, node \"n1\" can only create \
         mirror pods"
    );
}

#[tokio::test]
async fn a_node_renews_its_own_lease_only() {
    let server = Server::with_roles().await;
    server.namespace("kube-node-lease", json!({})).await;
    let leases = |namespace: &str| format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases");
    done(&server, "POST", &leases("kube-node-lease"), json!({"metadata": {"name": "n1"}, "spec": {}})).await;
    let words = refused(&server, "POST", &leases("kube-node-lease"), json!({"metadata": {"name": "n2"}})).await;
    assert!(words.ends_with("can only access node lease with the same name as the requesting node"), "{words}");
    let words = refused(&server, "POST", &leases("golden"), json!({"metadata": {"name": "n1"}})).await;
    assert!(words.ends_with("can only access leases in the \"kube-node-lease\" system namespace"), "{words}");
}
