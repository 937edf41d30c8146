use serde_json::{Value, json};

use crate::harness::*;

fn service(name: &str, spec: Value) -> Value {
    let mut service = json!({"metadata": {"name": name}, "spec": {"ports": [{"port": 80}]}});
    for (field, value) in spec.as_object().into_iter().flatten() {
        service["spec"][field] = value.clone();
    }
    service
}

#[tokio::test]
async fn a_service_gets_an_address_and_keeps_it() {
    let server = Server::start().await;
    let made = server.make(SERVICES, service("s", json!({}))).await;
    let ip = made["spec"]["clusterIP"].as_str().expect("an address");
    assert!(ip.starts_with("10.43."), "{ip}");
    assert_eq!(made["spec"]["clusterIPs"], json!([ip]));
    assert_eq!(
        (&made["spec"]["ipFamilies"], &made["spec"]["ipFamilyPolicy"]),
        (&json!(["IPv4"]), &json!("SingleStack"))
    );
    let now = server.put(&format!("{SERVICES}/s"), service("s", json!({"selector": {"a": "b"}}))).await.with(200);
    assert_eq!(now["spec"]["clusterIP"], ip);
}

#[tokio::test]
async fn an_address_is_given_once_and_free_when_its_service_goes() {
    let server = Server::start().await;
    let wanted = json!({"clusterIP": "10.43.0.50"});
    server.make(SERVICES, service("s", wanted.clone())).await;
    let words = server.post(SERVICES, service("t", wanted.clone())).await.refused(422, "Invalid");
    assert!(words.contains("10.43.0.50: provided IP is already allocated"), "{words}");
    server.delete(&format!("{SERVICES}/s")).await.with(200);
    server.make(SERVICES, service("t", wanted)).await;
    let words = server.post(SERVICES, service("u", json!({"clusterIP": "192.168.0.1"}))).await.refused(422, "Invalid");
    assert!(words.contains("spec.clusterIPs: Invalid value: "), "{words}");
}

#[tokio::test]
async fn a_create_that_fails_gives_its_claims_back() {
    let server = Server::start().await;
    server.make(SERVICES, service("s", json!({}))).await;
    let claims = json!({"type": "NodePort", "clusterIP": "10.43.0.51", "ports": [{"port": 80, "nodePort": 30051}]});
    server.post(SERVICES, service("s", claims.clone())).await.refused(409, "AlreadyExists");
    let dry = format!("{SERVICES}?dryRun=All");
    server.post(&dry, service("t", claims.clone())).await.with(201);
    server.make(SERVICES, service("t", claims)).await;
}

#[tokio::test]
async fn node_ports_come_and_go_with_the_type() {
    let server = Server::start().await;
    let node_port = |service: &Value| service["spec"]["ports"][0]["nodePort"].as_i64();
    let path = format!("{SERVICES}/s");
    let made = server.make(SERVICES, service("s", json!({"type": "NodePort"}))).await;
    let port = node_port(&made).expect("a node port");
    assert!((30000..=32767).contains(&port), "{port}");
    let taken = json!({"type": "NodePort", "ports": [{"port": 80, "nodePort": port}]});
    let words = server.post(SERVICES, service("t", taken.clone())).await.refused(422, "Invalid");
    assert!(words.contains("provided port is already allocated"), "{words}");
    let now = server.patch(&path, MERGE, json!({"spec": {"type": "ClusterIP"}})).await.with(200);
    assert_eq!(node_port(&now), None);
    server.make(SERVICES, service("t", taken)).await;
    let outside =
        json!({"spec": {"type": "ExternalName", "externalName": "x.example", "clusterIP": "", "clusterIPs": null}});
    let now = server.patch(&path, MERGE, outside).await.with(200);
    assert!(now["spec"].get("clusterIP").is_none(), "{now}");
    let ip = json!({"clusterIP": made["spec"]["clusterIP"]});
    server.make(SERVICES, service("u", ip)).await;
}

#[tokio::test]
async fn many_creates_at_once_never_share() {
    let server = Server::start().await;
    let names: Vec<String> = (0..40).map(|i| format!("s{i}")).collect();
    let creates = names.iter().map(|n| server.make(SERVICES, service(n, json!({"type": "NodePort"}))));
    let made = futures::future::join_all(creates).await;
    let distinct = |at: &str| {
        let all: std::collections::BTreeSet<String> =
            made.iter().filter_map(|s| s.pointer(at)).map(Value::to_string).collect();
        all.len()
    };
    assert_eq!((distinct("/spec/clusterIP"), distinct("/spec/ports/0/nodePort")), (40, 40));
}
