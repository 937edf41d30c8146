use serde_json::{Value, json};

use crate::apply::{APPLY, apply, config_map};
use crate::harness::*;

#[tokio::test]
async fn who_applies_must_say_as_whom_and_alone_may_use_force() {
    let server = Server::start().await;
    let path = format!("{CONFIGMAPS}/cm");
    let status = server.patch(&path, APPLY, config_map("cm", json!({}))).await.with(422);
    assert_eq!(
        status["message"],
        "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch"
    );
    assert_eq!(
        status["details"],
        json!({"group": "meta.k8s.io", "kind": "PatchOptions", "causes": [{"reason": "FieldValueRequired",
            "message": "Required value: is required for apply patch", "field": "fieldManager"}]})
    );
    server.config_map("cm").await;
    let words = server.patch(&format!("{path}?force=false"), MERGE, json!({})).await.refused(422, "Invalid");
    assert_eq!(
        words,
        "PatchOptions.meta.k8s.io \"\" is invalid: force: Forbidden: may not be specified for non-apply patch"
    );
    let long = "m".repeat(129);
    let words = server.post(&format!("{CONFIGMAPS}?fieldManager={long}"), json!({"metadata": {"name": "x"}})).await;
    assert_eq!(
        words.refused(422, "Invalid"),
        "CreateOptions.meta.k8s.io \"\" is invalid: fieldManager: Too long: may not be more than 128 bytes"
    );
}

#[tokio::test]
async fn a_configuration_is_of_the_kind_that_the_path_names() {
    let server = Server::start().await;
    let path = format!("{CONFIGMAPS}/cm");
    let mut config = config_map("cm", json!({}));
    let table = [
        ("kind", json!("Secret"), "invalid object type: /v1, Kind=Secret"),
        ("apiVersion", json!("apps/v1"), "invalid object type: apps/v1, Kind=ConfigMap"),
        ("metadata", json!({"name": "cm", "managedFields": [{"manager": "x"}]}), "metadata.managedFields must be nil"),
        (
            "metadata",
            json!({"name": "other"}),
            "the name of the object (other) does not match the name on the URL (cm)",
        ),
        (
            "metadata",
            json!({"name": "cm", "namespace": "other"}),
            "the namespace of the provided object does not match the namespace sent on the request",
        ),
    ];
    for (field, value, words) in table {
        let right = std::mem::replace(&mut config[field], value);
        assert_eq!(apply(&server, &path, "me", config.clone()).await.refused(400, "BadRequest"), words);
        config[field] = right;
    }
}

#[tokio::test]
async fn what_is_no_field_is_refused() {
    let server = Server::start().await;
    let path = format!("{CONFIGMAPS}/cm");
    let mut config = config_map("cm", json!({"a": 1}));
    config["metadata"]["namespace"] = "golden".into();
    config["zzz"] = json!(1);
    let status = apply(&server, &path, "me", config).await.with(500);
    assert_eq!(
        status,
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": "failed to create typed patch object (golden/cm; /v1, Kind=ConfigMap): errors:\n  .data.a: expected string, \
                got &value.valueUnstructured{Value:1}\n  .zzz: field not declared in schema", "code": 500})
    );
    server.get(&path).await.refused(404, "NotFound");
}

#[tokio::test]
async fn rules_hold_for_what_is_applied() {
    let server = Server::start().await;
    let config = "apiVersion: v1\nkind: Service\nmetadata: {name: ssasvc}\nspec: {selector: {a: q}, ports: [{port: 80}, {port: 80, \
                  protocol: UDP, name: u}]}\n";
    let path = format!("{SERVICES}/ssasvc?fieldManager=m1");
    let status = server.request("PATCH", &path).body(APPLY, config).send().await.with(422);
    assert_eq!(
        status.to_string(),
        concat!(
            r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Service \"ssasvc\" is invalid: "#,
            r#"spec.ports[0].name: Required value","reason":"Invalid","details":{"name":"ssasvc","kind":"Service","causes":"#,
            r#"[{"reason":"FieldValueRequired","message":"Required value","field":"spec.ports[0].name"}]},"code":422}"#
        )
    );
}

#[tokio::test]
async fn bodies_that_cannot_be_applied() {
    let server = Server::start().await;
    let path = format!("{CONFIGMAPS}/cm?fieldManager=me");
    for body in ["a: [", "- a\n- b\n", "x", "a: *b\n"] {
        let words = server.request("PATCH", &path).body(APPLY, body).send().await.refused(400, "BadRequest");
        assert!(words.starts_with("error decoding YAML: "), "{words}");
    }
    let words = server.request("PATCH", &path).body(APPLY, "").send().await.refused(400, "BadRequest");
    assert_eq!(words, "invalid object type: /, Kind=");
    let answer = server.request("PATCH", &path).body("application/apply-patch+cbor", "x").send().await;
    assert_eq!(answer.refused(415, "UnsupportedMediaType"), "415: Unsupported Media Type");
}

#[tokio::test]
async fn keys_given_twice_are_told_or_refused() {
    let server = Server::start().await;
    let yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm}\ndata:\n  a: \"1\"\n  a: \"2\"\n";
    let send = |validation: &str| {
        let path = format!("{CONFIGMAPS}/cm?fieldManager=me&fieldValidation={validation}");
        server.request("PATCH", &path).body(APPLY, yaml).send()
    };
    let words = send("Strict").await.refused(400, "BadRequest");
    assert!(
        words.starts_with("error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:"),
        "{words}"
    );
    server.get(&format!("{CONFIGMAPS}/cm")).await.refused(404, "NotFound");
    assert_eq!(send("Ignore").await.warnings(), Vec::<&str>::new());
    let warned = send("Warn").await;
    assert_eq!(warned.warnings().len(), 1);
    assert_eq!(warned.with(200)["data"], json!({"a": "2"}));
}

#[tokio::test]
async fn a_configuration_may_insist_on_an_object() {
    let server = Server::start().await;
    let path = format!("{CONFIGMAPS}/cm");
    let mut config = config_map("cm", json!({"a": "1"}));
    config["metadata"]["uid"] = "u".into();
    let words = apply(&server, &path, "me", config.clone()).await.refused(409, "Conflict");
    assert!(
        words.contains("uid mismatch: the provided object specified uid u, and no existing object was found"),
        "{words}"
    );
    let made = server.config_map("cm").await;
    apply(&server, &path, "me", config.clone()).await.refused(409, "Conflict");
    config["metadata"] = json!({"name": "cm", "resourceVersion": version(&made)});
    config["data"] = json!({"b": "1"});
    apply(&server, &path, "me", config.clone()).await.with(200);
    config["data"] = json!({"b": "2"});
    apply(&server, &path, "me", config).await.refused(409, "Conflict");
}

#[tokio::test]
async fn json_is_yaml() {
    let server = Server::start().await;
    let config: Value = config_map("cm", json!({"a": "yes", "b": "1e3", "c": "\u{e9}\n"}));
    let made = apply(&server, &format!("{CONFIGMAPS}/cm"), "me", config.clone()).await.with(201);
    assert_eq!(made["data"], config["data"]);
}
