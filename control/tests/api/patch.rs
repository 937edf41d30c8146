use serde_json::json;

use crate::harness::*;

/// The cases of upstream's `field_validation_test.go`.
#[tokio::test]
async fn a_json_patch_is_checked_like_any_other_body() {
    let server = Server::start().await;
    server.make(DEPLOYMENTS, deployment("web")).await;
    let patch = async |validation: &str| {
        let path = format!("{DEPLOYMENTS}/web?dryRun=All&fieldValidation={validation}");
        let patch = r#"[{"op": "add", "path": "/spec/unknown1", "value": "a", "foo": "bar"},
            {"op": "add", "path": "/spec/unknown2", "path": "/spec/unknown3", "value": "b"}]"#;
        server.request("PATCH", &path).body(JSON_PATCH, patch).send().await
    };
    let all = "json patch unknown field \"[0].foo\", json patch duplicate field \"[1].path\", \
               unknown field \"spec.unknown1\", unknown field \"spec.unknown3\"";
    let words = patch("Strict").await.refused(422, "Invalid");
    assert!(words.ends_with(&format!("strict decoding error: {all}")), "{words}");
    let said = patch("Warn").await;
    assert_eq!(said.warnings().len(), 4, "{:?}", said.warnings());
    patch("Ignore").await.with(200);
}

#[tokio::test]
async fn a_json_patch_tests_before_it_changes() {
    let server = Server::start().await;
    server.config_map("cm").await;
    let path = format!("{CONFIGMAPS}/cm");
    let good =
        json!([{"op": "test", "path": "/data/a", "value": "b"}, {"op": "replace", "path": "/data/a", "value": "c"}]);
    assert_eq!(server.patch(&path, JSON_PATCH, good.clone()).await.with(200)["data"]["a"], "c");
    for bad in [good, json!([{"op": "remove", "path": "/data/none"}])] {
        let words = server.patch(&path, JSON_PATCH, bad).await.refused(422, "Invalid");
        assert_eq!(words, "the server rejected our request due to an error in our request");
    }
    server.patch(&path, JSON_PATCH, json!({"op": "add"})).await.refused(400, "BadRequest");
}

#[tokio::test]
async fn a_merge_patch_removes_what_is_null_and_replaces_lists() {
    let server = Server::start().await;
    let mut sent = deployment("web");
    sent["metadata"]["labels"] = json!({"x": "1", "y": "2"});
    server.make(DEPLOYMENTS, sent).await;
    let path = format!("{DEPLOYMENTS}/web");
    let patch = json!({"metadata": {"labels": {"x": null}}, "spec": {"template": {"spec": {"containers": [
        {"name": "other", "image": "b"}]}}}});
    let now = server.patch(&path, MERGE, patch).await.with(200);
    assert_eq!(now["metadata"]["labels"], json!({"y": "2"}));
    assert_eq!(now["spec"]["template"]["spec"]["containers"].as_array().map(Vec::len), Some(1));
    assert_eq!(now["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"], "Always", "defaults are in again");
}

#[tokio::test]
async fn a_strategic_patch_merges_lists_by_key() {
    let server = Server::start().await;
    server.make(DEPLOYMENTS, deployment("web")).await;
    let path = format!("{DEPLOYMENTS}/web");
    let with = |container| json!({"spec": {"template": {"spec": {"containers": [container]}}}});
    let now = server.patch(&path, STRATEGIC, with(json!({"name": "side", "image": "b"}))).await.with(200);
    let images = |o: &serde_json::Value| {
        let list = o["spec"]["template"]["spec"]["containers"].as_array().cloned().unwrap_or_default();
        list.iter().map(|c| format!("{}={}", c["name"], c["image"]).replace('"', "")).collect::<Vec<_>>()
    };
    assert_eq!(images(&now), ["side=b", "c=echo"]);
    let now = server.patch(&path, STRATEGIC, with(json!({"name": "c", "image": "echo:2"}))).await.with(200);
    assert_eq!(images(&now), ["side=b", "c=echo:2"]);
    let now = server.patch(&path, STRATEGIC, with(json!({"name": "side", "$patch": "delete"}))).await.with(200);
    assert_eq!(images(&now), ["c=echo:2"]);
}

#[tokio::test]
async fn a_strategic_patch_of_the_wrong_type_is_shown_as_it_came() {
    let server = Server::start().await;
    server.make(DEPLOYMENTS, deployment("web")).await;
    let patch = json!({"spec": {"replicas": "many", "paused": null}});
    let words = server.patch(&format!("{DEPLOYMENTS}/web"), STRATEGIC, patch).await.refused(422, "Invalid");
    assert_eq!(
        words,
        " \"\" is invalid: patch: Invalid value: \"map[spec:map[paused:<nil> replicas:many]]\": unrecognized type: int32"
    );
}

#[tokio::test]
async fn a_strategic_patch_of_the_wrong_type_is_refused_in_the_words_of_gos_converter() {
    let server = Server::start().await;
    server.make(DEPLOYMENTS, deployment("web")).await;
    for (patch, why) in [
        (json!({"spec": "foo"}), "cannot restore struct from: string"),
        (json!({"metadata": {"labels": "foo"}}), "cannot restore map from string"),
        (json!({"metadata": {"labels": {"a": ["b"]}}}), "unrecognized type: string"),
        (json!({"metadata": {"labels": {"a": 1}}}), "cannot convert int64 to string"),
        (json!({"spec": {"template": {"spec": {"restartPolicy": 3}}}}), "cannot convert int64 to v1.RestartPolicy"),
        (json!({"metadata": {"finalizers": 3}}), "cannot restore slice from int64"),
    ] {
        let words = server.patch(&format!("{DEPLOYMENTS}/web"), STRATEGIC, patch).await.refused(422, "Invalid");
        assert!(words.ends_with(&format!("\": {why}")), "{words}");
    }
}

#[tokio::test]
async fn other_formats_are_not_taken() {
    let server = Server::start().await;
    server.config_map("cm").await;
    let words = server.patch(&format!("{CONFIGMAPS}/cm"), JSON, json!({})).await.refused(415, "UnsupportedMediaType");
    assert_eq!(words, "415: Unsupported Media Type");
}

#[tokio::test]
async fn a_patch_does_not_rename() {
    let server = Server::start().await;
    server.config_map("cm").await;
    let path = format!("{CONFIGMAPS}/cm");
    assert_eq!(
        server.patch(&path, MERGE, json!({"metadata": {"name": "other"}})).await.refused(400, "BadRequest"),
        "the name of the object (other) does not match the name on the URL (cm)"
    );
    server.patch(&path, MERGE, json!({"kind": "Secret"})).await.refused(400, "BadRequest");
    server.patch(&format!("{CONFIGMAPS}/none"), MERGE, json!({})).await.refused(404, "NotFound");
}

#[tokio::test]
async fn a_patch_is_checked_like_any_write() {
    let server = Server::start().await;
    let made = server.make(DEPLOYMENTS, deployment("web")).await;
    let path = format!("{DEPLOYMENTS}/web");
    let negative = server.patch(&path, MERGE, json!({"spec": {"replicas": -1}})).await.refused(422, "Invalid");
    assert!(negative.contains("spec.replicas: Invalid value: -1"), "{negative}");
    let typed = server.patch(&path, MERGE, json!({"spec": {"replicas": "x"}})).await.refused(422, "Invalid");
    assert!(typed.starts_with(" \"\" is invalid: patch: Invalid value: "), "{typed}");
    assert!(typed.contains("cannot unmarshal string"), "{typed}");
    let unknown = json!({"spec": {"zzz": 1}});
    let warned = server.patch(&path, STRATEGIC, unknown.clone()).await;
    assert_eq!(warned.warnings(), ["299 - \"unknown field \\\"spec.zzz\\\"\""]);
    assert_eq!(warned.with(200), made);
    let strict = server.patch(&format!("{path}?fieldValidation=Strict"), STRATEGIC, unknown).await;
    let words = strict.refused(422, "Invalid");
    assert!(words.contains("strict decoding error: unknown field \"spec.zzz\""), "{words}");
}
