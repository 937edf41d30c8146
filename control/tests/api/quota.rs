//! ResourceQuotas as clients meet them. No controller counts here, so the tests fill in the status as it would.

use serde_json::{Value, json};

use super::harness::{PODS, SERVICES, Server, pod};

const QUOTAS: &str = "/api/v1/namespaces/golden/resourcequotas";
const QUOTA: &str = "/api/v1/namespaces/golden/resourcequotas/q";
const SECRETS: &str = "/api/v1/namespaces/golden/secrets";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/golden/deployments";

/// A quota that has been counted.
async fn limited(spec: Value, used: Value) -> Server {
    let server = Server::start().await;
    let mut quota = server.make(QUOTAS, json!({"metadata": {"name": "q"}, "spec": spec})).await;
    quota["status"] = json!({"hard": spec["hard"], "used": used});
    server.put(&format!("{QUOTA}/status"), quota).await.with(200);
    server
}

async fn used(server: &Server) -> Value {
    server.read(QUOTA).await["status"]["used"].clone()
}

#[tokio::test]
async fn a_create_is_charged_until_nothing_is_left() {
    let server =
        limited(json!({"hard": {"pods": "2", "count/pods": "5"}}), json!({"pods": "0", "count/pods": "0"})).await;
    server.make(PODS, pod("a")).await;
    server.make(PODS, pod("b")).await;
    assert_eq!(used(&server).await, json!({"count/pods": "2", "pods": "2"}));
    assert_eq!(
        server.post(PODS, pod("c")).await.refused(403, "Forbidden"),
        "pods \"c\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2"
    );
    assert_eq!(used(&server).await, json!({"count/pods": "2", "pods": "2"}));
}

#[tokio::test]
async fn creates_at_once_cannot_overrun() {
    let server = limited(json!({"hard": {"secrets": "10"}}), json!({"secrets": "0"})).await;
    let create = |i: usize| {
        let server = &server;
        async move { server.post(SECRETS, json!({"metadata": {"name": format!("s{i}")}})).await.code }
    };
    let codes = futures::future::join_all((0..40).map(create)).await;
    assert_eq!(codes.iter().filter(|code| **code == 201).count(), 10, "{codes:?}");
    assert_eq!(codes.iter().filter(|code| **code == 403).count(), 30, "{codes:?}");
    assert_eq!(used(&server).await, json!({"secrets": "10"}));
}

#[tokio::test]
async fn compute_resources_must_be_named_and_fit() {
    let hard = json!({"limits.cpu": "1", "requests.memory": "1Gi"});
    let server = limited(json!({"hard": hard}), json!({"limits.cpu": "0", "requests.memory": "512Mi"})).await;
    assert_eq!(
        server.post(PODS, pod("p")).await.refused(403, "Forbidden"),
        "pods \"p\" is forbidden: failed quota: q: must specify limits.cpu for: c; requests.memory for: c"
    );
    let mut big = pod("p");
    big["spec"]["containers"][0]["resources"] = json!({"limits": {"cpu": "2", "memory": "1Gi"}});
    assert_eq!(
        server.post(PODS, big).await.refused(403, "Forbidden"),
        "pods \"p\" is forbidden: exceeded quota: q, requested: limits.cpu=2,requests.memory=1Gi, used: \
         limits.cpu=0,requests.memory=512Mi, limited: limits.cpu=1,requests.memory=1Gi"
    );
}

#[tokio::test]
async fn objects_count_by_their_kind() {
    let hard = json!({"count/deployments.apps": "0", "services.nodeports": "1"});
    let server =
        limited(json!({"hard": hard}), json!({"count/deployments.apps": "0", "services.nodeports": "0"})).await;
    assert_eq!(
        server.post(DEPLOYMENTS, super::harness::deployment("d")).await.refused(403, "Forbidden"),
        "deployments.apps \"d\" is forbidden: exceeded quota: q, requested: count/deployments.apps=1, used: \
         count/deployments.apps=0, limited: count/deployments.apps=0"
    );
    let service = |kind: &str| json!({"metadata": {"name": "s"}, "spec": {"type": kind, "ports": [{"port": 80}]}});
    let made = server.make(SERVICES, service("ClusterIP")).await;
    assert_eq!(used(&server).await["services.nodeports"], "0");
    let mut changed = made;
    changed["spec"]["type"] = "NodePort".into();
    server.put(&format!("{SERVICES}/s"), changed).await.with(200);
    assert_eq!(used(&server).await["services.nodeports"], "1");
}

#[tokio::test]
async fn scopes_choose_the_pods() {
    let spec = json!({"hard": {"pods": "0"}, "scopes": ["BestEffort"]});
    let server = limited(spec, json!({"pods": "0"})).await;
    assert_eq!(
        server.post(PODS, pod("p")).await.refused(403, "Forbidden"),
        "pods \"p\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0"
    );
    let mut burstable = pod("p");
    burstable["spec"]["containers"][0]["resources"] = json!({"requests": {"cpu": "1"}});
    server.make(PODS, burstable).await;
}

#[tokio::test]
async fn a_dry_run_is_checked_and_not_charged() {
    let server = limited(json!({"hard": {"pods": "1"}}), json!({"pods": "0"})).await;
    server.post(&format!("{PODS}?dryRun=All"), pod("a")).await.with(201);
    assert_eq!(used(&server).await, json!({"pods": "0"}));
    server.make(PODS, pod("a")).await;
    server.post(&format!("{PODS}?dryRun=All"), pod("b")).await.refused(403, "Forbidden");
}

#[tokio::test]
async fn a_quota_holds_once_it_is_counted() {
    let server = Server::start().await;
    server.make(QUOTAS, json!({"metadata": {"name": "q"}, "spec": {"hard": {"pods": "0"}}})).await;
    server.make(PODS, pod("a")).await;
    let mut quota = server.read(QUOTA).await;
    quota["status"] = json!({"hard": {"pods": "0"}});
    server.put(&format!("{QUOTA}/status"), quota).await.with(200);
    assert_eq!(
        server.post(PODS, pod("b")).await.refused(403, "Forbidden"),
        "pods \"b\" is forbidden: status unknown for quota: q, resources: pods"
    );
}
