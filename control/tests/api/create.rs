use serde_json::{Value, json};

use crate::harness::*;

#[tokio::test]
async fn the_server_completes_what_is_sent() {
    let server = Server::start().await;
    let made = server.config_map("cm").await;
    assert_eq!((&made["kind"], &made["apiVersion"]), (&json!("ConfigMap"), &json!("v1")));
    assert_eq!(made["metadata"]["namespace"], "golden");
    assert_eq!(made["metadata"]["uid"].as_str().map(str::len), Some(36));
    assert!(made["metadata"]["creationTimestamp"].as_str().is_some_and(|t| t.len() == 20 && t.ends_with('Z')));
    assert!(made["metadata"].get("generation").is_none(), "{made}");
    assert_eq!(server.read(&format!("{CONFIGMAPS}/cm")).await, made);
}

#[tokio::test]
async fn what_only_the_server_may_say_is_not_taken_from_clients() {
    let server = Server::start().await;
    let sent = json!({"metadata": {"name": "cm", "uid": "mine", "creationTimestamp": "2001-01-01T00:00:00Z",
        "deletionTimestamp": "2001-01-01T00:00:00Z", "generation": 7, "managedFields": [{"manager": "me"}]}, "data": {"a": "b"}});
    let made = server.make(CONFIGMAPS, sent).await;
    let meta = made["metadata"].as_object().expect("metadata");
    let fields = ["name", "namespace", "uid", "resourceVersion", "creationTimestamp", "managedFields"];
    assert_eq!(meta.keys().collect::<Vec<_>>(), fields);
    let entry = &meta["managedFields"][0];
    assert_eq!((&entry["manager"], &entry["fieldsV1"]), (&json!("unknown"), &json!({"f:data": {".": {}, "f:a": {}}})));
    assert_ne!(meta["uid"], "mine");
}

#[tokio::test]
async fn a_status_is_not_created() {
    let server = Server::start().await;
    let mut sent = deployment("web");
    sent["status"] = json!({"replicas": 7});
    let made = server.make(DEPLOYMENTS, sent).await;
    assert_eq!((&made["status"], &made["metadata"]["generation"]), (&json!({}), &json!(1)));
}

#[tokio::test]
async fn fields_come_in_the_order_of_the_types_and_defaults_are_in() {
    let server = Server::start().await;
    let made = server.make(PODS, pod("p")).await;
    let keys = |at: &str| made.pointer(at).and_then(Value::as_object).map(|o| o.keys().cloned().collect::<Vec<_>>());
    let top = ["kind", "apiVersion", "metadata", "spec", "status"].map(str::to_owned).to_vec();
    assert_eq!(keys(""), Some(top));
    assert_eq!(made["spec"]["restartPolicy"], "Always");
    assert_eq!(made["spec"]["containers"][0]["imagePullPolicy"], "Always");
    assert_eq!((&made["status"]["phase"], &made["status"]["qosClass"]), (&json!("Pending"), &json!("BestEffort")));
}

#[tokio::test]
async fn a_name_is_generated_from_its_prefix() {
    let server = Server::start().await;
    let sent = json!({"metadata": {"generateName": "gen-"}});
    let (one, two) = (server.make(CONFIGMAPS, sent.clone()).await, server.make(CONFIGMAPS, sent).await);
    let names: Vec<&str> = [&one, &two].into_iter().filter_map(|o| o["metadata"]["name"].as_str()).collect();
    assert_ne!(names[0], names[1]);
    for name in names {
        let suffix = name.strip_prefix("gen-").expect("the prefix");
        assert!(suffix.len() == 5 && suffix.bytes().all(|b| b"bcdfghjklmnpqrstvwxz2456789".contains(&b)), "{name}");
    }
    assert_eq!(one["metadata"]["generateName"], "gen-");
}

#[tokio::test]
async fn a_name_is_taken_once() {
    let server = Server::start().await;
    let first = server.config_map("cm").await;
    let again = server.post(CONFIGMAPS, json!({"metadata": {"name": "cm"}})).await;
    let status = again.with(409);
    assert_eq!(status["message"], "configmaps \"cm\" already exists");
    assert_eq!(status["reason"], "AlreadyExists");
    assert_eq!(status["details"], json!({"name": "cm", "kind": "configmaps"}));
    server.make(DEPLOYMENTS, deployment("web")).await;
    let status = server.post(DEPLOYMENTS, deployment("web")).await.with(409);
    assert_eq!(status["details"], json!({"name": "web", "group": "apps", "kind": "deployments"}));
    assert_eq!(server.read(&format!("{CONFIGMAPS}/cm")).await, first);
}

#[tokio::test]
async fn a_body_agrees_with_its_path() {
    let server = Server::start().await;
    let elsewhere = json!({"metadata": {"name": "cm", "namespace": "default"}});
    assert_eq!(
        server.post(CONFIGMAPS, elsewhere).await.refused(400, "BadRequest"),
        "the namespace of the provided object does not match the namespace sent on the request"
    );
    let pinned = json!({"metadata": {"name": "cm", "resourceVersion": "5"}});
    assert_eq!(
        server.post(CONFIGMAPS, pinned).await.refused(400, "BadRequest"),
        "resourceVersion should not be set on objects to be created"
    );
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_and_leaves_nothing() {
    let server = Server::start().await;
    let path = format!("{SERVICES}?dryRun=All");
    let sent = json!({"metadata": {"name": "s"}, "spec": {"clusterIP": "10.43.0.77", "ports": [{"port": 80}]}});
    let would = server.post(&path, sent.clone()).await.with(201);
    assert_eq!(would["spec"]["clusterIP"], "10.43.0.77");
    assert!(would["metadata"].get("resourceVersion").is_none() && would["metadata"]["uid"].is_string(), "{would}");
    server.get(&format!("{SERVICES}/s")).await.refused(404, "NotFound");
    server.make(SERVICES, sent.clone()).await;
    server.post(&path, sent).await.refused(409, "AlreadyExists");
}

#[tokio::test]
async fn owners_are_kept_and_checked() {
    let server = Server::start().await;
    let owner = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": "u", "controller": true});
    let with = |owners: Value| json!({"metadata": {"name": "cm", "ownerReferences": owners}});
    let mut second = owner.clone();
    second["uid"] = "v".into();
    let two = server.post(CONFIGMAPS, with(json!([owner, second]))).await.refused(422, "Invalid");
    assert!(two.contains("Only one reference can have Controller set to true"), "{two}");
    let nameless = server.post(CONFIGMAPS, with(json!([{"apiVersion": "v1", "kind": "X", "uid": "u"}]))).await;
    let words = nameless.refused(422, "Invalid");
    assert!(words.contains("metadata.ownerReferences.name: Invalid value: \"\": name must not be empty"), "{words}");
    let made = server.make(CONFIGMAPS, with(json!([owner]))).await;
    assert_eq!(made["metadata"]["ownerReferences"], json!([owner]));
}
