//! Admission webhooks over TLS.

use serde_json::{Value, json};

use crate::harness::{CONFIGMAPS, NAMESPACES, PODS, Server, pod};
use crate::webhook_server::{Hook, patch};

const MUTATING: &str = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
const VALIDATING: &str = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";

/// A webhook for config maps.
fn hook(name: &str, client: Value, more: Value) -> Value {
    let mut hook = json!({
        "name": name, "clientConfig": client, "sideEffects": "None", "admissionReviewVersions": ["v1"],
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["configmaps"]}],
    });
    for (field, value) in more.as_object().expect("fields") {
        hook[field] = value.clone();
    }
    hook
}

fn configuration(name: &str, hooks: &[Value]) -> Value {
    json!({"metadata": {"name": name}, "webhooks": hooks})
}

fn allowed(_: &Value) -> Value {
    json!({"allowed": true})
}

#[tokio::test]
async fn a_webhook_is_told_all_and_its_refusal_is_the_answer() {
    let server = Server::start().await;
    let gate = Hook::start(|request| match request["name"].as_str() {
        Some("bad") => json!({"allowed": false, "status": {"code": 403, "reason": "Forbidden", "message": "bad name"}}),
        Some("worse") => json!({"allowed": false}),
        _ => json!({"allowed": true, "warnings": ["looked at"]}),
    })
    .await;
    server.make(VALIDATING, configuration("gate", &[hook("gate.example.com", gate.client(), json!({}))])).await;
    let answer = server.post(&format!("{CONFIGMAPS}?fieldManager=me"), json!({"metadata": {"name": "a"}})).await;
    assert_eq!(answer.warnings(), ["299 - \"looked at\""]);
    answer.with(201);
    let request = gate.seen().pop().expect("it was asked");
    let kind = json!({"group": "", "version": "v1", "kind": "ConfigMap"});
    let resource = json!({"group": "", "version": "v1", "resource": "configmaps"});
    assert_eq!((&request["kind"], &request["requestKind"]), (&kind, &kind));
    assert_eq!((&request["resource"], &request["requestResource"]), (&resource, &resource));
    assert_eq!((&request["name"], &request["namespace"]), (&json!("a"), &json!("golden")));
    assert_eq!((&request["operation"], &request["dryRun"]), (&json!("CREATE"), &json!(false)));
    assert_eq!(request["userInfo"], json!({"username": "admin", "groups": ["system:masters", "system:authenticated"]}));
    assert_eq!((&request["object"]["kind"], &request["oldObject"]), (&json!("ConfigMap"), &Value::Null));
    let options = json!({"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1", "fieldManager": "me"});
    assert_eq!(request["options"], options);

    let bad = server.post(CONFIGMAPS, json!({"metadata": {"name": "bad"}})).await.refused(403, "Forbidden");
    assert_eq!(bad, "admission webhook \"gate.example.com\" denied the request: bad name");
    let worse = server.post(CONFIGMAPS, json!({"metadata": {"name": "worse"}})).await.with(400);
    assert_eq!(worse["message"], "admission webhook \"gate.example.com\" denied the request without explanation");

    server.delete(&format!("{CONFIGMAPS}/a")).await.with(200);
    let request = gate.seen().pop().expect("it was asked");
    assert_eq!((&request["operation"], &request["object"]), (&json!("DELETE"), &Value::Null));
    assert_eq!(request["oldObject"]["metadata"]["name"], "a");
}

#[tokio::test]
async fn a_webhook_changes_what_is_stored() {
    let server = Server::start().await;
    let labels = Hook::start(|request| match request["object"]["metadata"]["labels"].is_null() {
        true => patch(json!([{"op": "add", "path": "/metadata/labels", "value": {"by": "webhook"}}])),
        false => json!({"allowed": true}),
    })
    .await;
    let sidecar = Hook::start(|_| {
        patch(json!([{"op": "add", "path": "/spec/containers/-", "value": {"name": "side", "image": "echo"}}]))
    })
    .await;
    let pods =
        json!({"rules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["CREATE"], "resources": ["pods"]}]});
    server.make(MUTATING, configuration("labels", &[hook("l.example.com", labels.client(), json!({}))])).await;
    server.make(MUTATING, configuration("pods", &[hook("s.example.com", sidecar.client(), pods)])).await;
    let made = server.config_map("a").await;
    assert_eq!(made["metadata"]["labels"], json!({"by": "webhook"}));
    let made = server.make(PODS, pod("p")).await;
    let side = &made["spec"]["containers"][1];
    assert_eq!((&side["name"], &side["terminationMessagePolicy"]), (&json!("side"), &json!("File")));
    // Whoever mounts the account's token has seen the container that came later.
    assert_eq!(side["volumeMounts"], made["spec"]["containers"][0]["volumeMounts"]);
    assert_eq!(sidecar.seen().len(), 1);
}

#[tokio::test]
async fn a_webhook_that_wants_to_sees_later_changes() {
    let server = Server::start().await;
    let first = Hook::start(allowed).await;
    let second = Hook::start(|_| patch(json!([{"op": "add", "path": "/data", "value": {"c": "d"}}]))).await;
    let again = json!({"reinvocationPolicy": "IfNeeded"});
    let hooks = [hook("a.example.com", first.client(), again), hook("b.example.com", second.client(), json!({}))];
    server.make(MUTATING, configuration("both", &hooks)).await;
    let made = server.config_map("a").await;
    assert_eq!(made["data"], json!({"c": "d"}));
    assert_eq!(first.seen()[1]["object"]["data"], json!({"c": "d"}));
    assert_eq!((first.seen().len(), second.seen().len()), (2, 1));
}

#[tokio::test]
async fn a_webhook_without_an_answer_fails_as_its_policy_says() {
    let server = Server::start().await;
    let other = Hook::start(allowed).await;
    let nowhere = json!({"url": "https://127.0.0.1:1/", "caBundle": other.client()["caBundle"]});
    server.make(VALIDATING, configuration("gone", &[hook("gone.example.com", nowhere.clone(), json!({}))])).await;
    let message = server.post(CONFIGMAPS, json!({"metadata": {"name": "a"}})).await.refused(500, "InternalError");
    let start = "Internal error occurred: failed calling webhook \"gone.example.com\": failed to call webhook: \
                 Post \"https://127.0.0.1:1/?timeout=10s\": ";
    assert!(message.starts_with(start), "{message}");
    let ignored = hook("gone.example.com", nowhere, json!({"failurePolicy": "Ignore"}));
    server.delete(&format!("{VALIDATING}/gone")).await.with(200);
    server.make(VALIDATING, configuration("gone", &[ignored])).await;
    server.config_map("a").await;
    let odd = Hook::start(|_| json!({"allowed": true, "uid": "other"})).await;
    server.make(VALIDATING, configuration("odd", &[hook("odd.example.com", odd.client(), json!({}))])).await;
    let message = server.post(CONFIGMAPS, json!({"metadata": {"name": "b"}})).await.refused(500, "InternalError");
    let start = "Internal error occurred: failed calling webhook \"odd.example.com\": received invalid webhook response: \
                 expected response.uid=";
    assert!(message.starts_with(start), "{message}");
}

#[tokio::test]
async fn a_webhook_is_asked_about_what_it_is_meant_for() {
    let server = Server::start().await;
    let gate = Hook::start(allowed).await;
    let narrow = json!({
        "sideEffects": "NoneOnDryRun",
        "namespaceSelector": {"matchLabels": {"watched": "yes"}},
        "objectSelector": {"matchExpressions": [{"key": "skip", "operator": "DoesNotExist"}]},
        "matchConditions": [{"name": "named", "expression": "request.operation == 'DELETE' || object.metadata.name.startsWith('w')"}],
    });
    server.make(VALIDATING, configuration("gate", &[hook("gate.example.com", gate.client(), narrow)])).await;
    server.config_map("w").await;
    assert_eq!(gate.seen().len(), 0);
    server.namespace("watched", json!({"watched": "yes"})).await;
    let path = format!("{NAMESPACES}/watched/configmaps");
    for (name, labels, asked) in
        [("w", json!({}), 1), ("x", json!({}), 1), ("w2", json!({"skip": ""}), 1), ("w3", json!({"a": "b"}), 2)]
    {
        server.make(&path, json!({"metadata": {"name": name, "labels": labels}})).await;
        assert_eq!(gate.seen().len(), asked, "{name}");
    }
    server.post(&format!("{path}?dryRun=All"), json!({"metadata": {"name": "w4"}})).await.with(201);
    assert_eq!(gate.seen().pop().map(|request| request["dryRun"].clone()), Some(json!(true)));
}

#[tokio::test]
async fn an_equivalent_version_is_what_the_webhook_asked_for() {
    let server = Server::start().await;
    let gate = Hook::start(allowed).await;
    let rules = |version: &str| json!([{"apiGroups": ["autoscaling"], "apiVersions": [version], "operations": ["CREATE"], "resources": ["horizontalpodautoscalers"]}]);
    let v1 = json!({"rules": rules("v1"), "matchPolicy": "Equivalent"});
    let exact = json!({"rules": rules("v1"), "matchPolicy": "Exact"});
    let hooks = [hook("a.example.com", gate.client(), v1), hook("b.example.com", gate.client(), exact)];
    server.make(VALIDATING, configuration("gate", &hooks)).await;
    let target = json!({"kind": "Deployment", "apiVersion": "apps/v1", "name": "x"});
    let scaler = json!({"metadata": {"name": "a"}, "spec": {"maxReplicas": 2, "scaleTargetRef": target}});
    server.make("/apis/autoscaling/v2/namespaces/golden/horizontalpodautoscalers", scaler).await;
    let seen = gate.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!((&seen[0]["kind"]["version"], &seen[0]["requestKind"]["version"]), (&json!("v1"), &json!("v2")));
    assert_eq!(seen[0]["object"]["apiVersion"], "autoscaling/v1");
}
