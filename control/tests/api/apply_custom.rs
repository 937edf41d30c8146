//! Apply to custom resources: their schema says how lists and maps are owned.

use serde_json::{Value, json};

use crate::apply::{APPLY, apply, managers};
use crate::harness::*;

const FOOS: &str = "/apis/g.example/v1/namespaces/golden/foos";

fn definition() -> Value {
    let item = json!({"type": "object", "required": ["k"],
        "properties": {"k": {"type": "string"}, "v": {"type": "string"}}});
    let spec = json!({"type": "object", "required": ["a"], "properties": {
        "a": {"type": "string", "maxLength": 5},
        "replicas": {"type": "integer", "default": 3},
        "items": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"], "items": item}}});
    let schema = json!({"type": "object", "properties": {"spec": spec,
        "status": {"type": "object", "properties": {"replicas": {"type": "integer"}}}}});
    json!({"metadata": {"name": "foos.g.example"}, "spec": {"group": "g.example", "scope": "Namespaced",
        "names": {"plural": "foos", "kind": "Foo"}, "versions": [{"name": "v1", "served": true, "storage": true,
        "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.replicas",
        "statusReplicasPath": ".status.replicas"}}, "schema": {"openAPIV3Schema": schema}}]}})
}

fn items(key: &str, value: &str) -> Value {
    json!({"apiVersion": "g.example/v1", "kind": "Foo", "spec": {"items": [{"k": key, "v": value}]}})
}

async fn started() -> Server {
    let server = Server::start().await;
    server.define(definition()).await;
    let made = json!({"apiVersion": "g.example/v1", "kind": "Foo", "metadata": {"name": "f1"}, "spec": {"a": "x"}});
    server.post(&format!("{FOOS}?fieldManager=golden"), made).await.with(201);
    server
}

#[tokio::test]
async fn managers_of_a_custom_resource_are_as_the_reference_has_them() {
    let server = started().await;
    let path = format!("{FOOS}/f1");
    let status = json!({"status": {"replicas": 2}});
    server.patch(&format!("{path}/status?fieldManager=golden"), MERGE, status).await.with(200);
    let scale = json!({"spec": {"replicas": 7}});
    server.patch(&format!("{path}/scale?fieldManager=golden"), MERGE, scale).await.with(200);
    apply(&server, &path, "m1", items("a", "1")).await.with(200);
    let now = apply(&server, &path, "m2", items("b", "2")).await.with(200);
    assert_eq!(now["spec"], json!({"a": "x", "items": [{"k": "a", "v": "1"}, {"k": "b", "v": "2"}], "replicas": 7}));
    let expected = json!([
        {"apiVersion": "g.example/v1", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:items":
            {"k:{\"k\":\"a\"}": {".": {}, "f:k": {}, "f:v": {}}}}}, "manager": "m1", "operation": "Apply"},
        {"apiVersion": "g.example/v1", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:items":
            {"k:{\"k\":\"b\"}": {".": {}, "f:k": {}, "f:v": {}}}}}, "manager": "m2", "operation": "Apply"},
        {"apiVersion": "g.example/v1", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:replicas": {}}},
            "manager": "golden", "operation": "Update", "subresource": "scale"},
        {"apiVersion": "g.example/v1", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {".": {}, "f:a": {}}},
            "manager": "golden", "operation": "Update"},
        {"apiVersion": "g.example/v1", "fieldsType": "FieldsV1", "fieldsV1": {"f:status": {".": {}, "f:replicas": {}}},
            "manager": "golden", "operation": "Update", "subresource": "status"}]);
    assert_eq!(managers(&now).to_string(), expected.to_string());
    assert_eq!(apply(&server, &path, "m2", items("b", "2")).await.with(200), now);
}

#[tokio::test]
async fn a_custom_configuration_fits_its_schema() {
    let server = started().await;
    let path = format!("{FOOS}/f1");
    let mut config = items("a", "1");
    config["spec"]["zzz"] = 1.into();
    let words = apply(&server, &path, "m1", config).await.with(500)["message"].as_str().unwrap_or_default().to_owned();
    assert!(words.ends_with("Kind=Foo): .spec.zzz: field not declared in schema"), "{words}");
    let mut config = items("a", "1");
    config["spec"]["a"] = "far too long".into();
    let force = format!("{path}?force=true");
    apply(&server, &force, "m1", config).await.refused(422, "Invalid");
    let new = format!("{FOOS}/f2?fieldManager=m1");
    let body = "{apiVersion: g.example/v1, kind: Foo, metadata: {name: f2}, spec: {a: y}}";
    let made = server.request("PATCH", &new).body(APPLY, body).send().await.with(201);
    assert_eq!(made["spec"], json!({"a": "y", "replicas": 3}));
    assert_eq!(managers(&made)[0]["fieldsV1"], json!({"f:spec": {"f:a": {}}}));
}
