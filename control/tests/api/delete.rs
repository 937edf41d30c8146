use serde_json::{Value, json};

use crate::harness::*;

#[tokio::test]
async fn what_is_gone_is_answered_by_a_status() {
    let server = Server::start().await;
    let made = server.config_map("cm").await;
    let path = format!("{CONFIGMAPS}/cm");
    let status = server.delete(&path).await.with(200);
    let details = json!({"name": "cm", "kind": "configmaps", "uid": made["metadata"]["uid"]});
    assert_eq!((&status["kind"], &status["status"]), (&json!("Status"), &json!("Success")));
    assert_eq!(status["details"], details);
    assert_eq!(server.get(&path).await.refused(404, "NotFound"), "configmaps \"cm\" not found");
    server.delete(&path).await.refused(404, "NotFound");
}

#[tokio::test]
async fn some_kinds_answer_with_the_object() {
    let server = Server::start().await;
    server.make(PODS, pod("p")).await;
    assert_eq!(server.delete(&format!("{PODS}/p")).await.with(200)["kind"], "Pod");
    let accounts = "/api/v1/namespaces/golden/serviceaccounts";
    server.make(accounts, json!({"metadata": {"name": "sa"}})).await;
    assert_eq!(server.delete(&format!("{accounts}/sa")).await.with(200)["kind"], "ServiceAccount");
    server.make(SERVICES, json!({"metadata": {"name": "s"}, "spec": {"clusterIP": "None"}})).await;
    assert_eq!(server.delete(&format!("{SERVICES}/s")).await.with(200)["kind"], "Service");
}

#[tokio::test]
async fn a_pod_without_a_node_goes_at_once() {
    let server = Server::start().await;
    server.make(PODS, pod("p")).await;
    server.delete(&format!("{PODS}/p")).await.with(200);
    server.get(&format!("{PODS}/p")).await.refused(404, "NotFound");
}

#[tokio::test]
async fn a_pod_on_a_node_has_its_grace_and_goes_when_the_node_says() {
    let server = Server::start().await;
    server.make(PODS, pod("p")).await;
    bind(&server, "p").await;
    let path = format!("{PODS}/p");
    let marked = server.delete(&path).await.with(200);
    assert_eq!(marked["metadata"]["deletionGracePeriodSeconds"], 30);
    let asked: jiff::Timestamp = text(&marked, "deletionTimestamp").parse().unwrap();
    let made: jiff::Timestamp = text(&marked, "creationTimestamp").parse().unwrap();
    assert!((30..40).contains(&(asked.as_second() - made.as_second())), "the time when it must be gone");
    assert_eq!(server.delete(&path).await.with(200), marked, "asking again changes nothing");
    let shorter = server.delete(&format!("{path}?gracePeriodSeconds=5")).await.with(200);
    assert_eq!(shorter["metadata"]["deletionGracePeriodSeconds"], 5);
    let longer = server.delete(&format!("{path}?gracePeriodSeconds=60")).await.with(200);
    assert_eq!(longer["metadata"]["deletionGracePeriodSeconds"], 5, "never longer");
    server.delete(&format!("{path}?gracePeriodSeconds=0")).await.with(200);
    server.get(&path).await.refused(404, "NotFound");
}

#[tokio::test]
async fn options_come_in_the_body_too() {
    let server = Server::start().await;
    server.make(PODS, pod("p")).await;
    bind(&server, "p").await;
    let options = json!({"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 7});
    let call = server.request("DELETE", &format!("{PODS}/p")).body(JSON, options.to_string());
    assert_eq!(call.send().await.with(200)["metadata"]["deletionGracePeriodSeconds"], 7);
}

#[tokio::test]
async fn preconditions_hold_or_nothing_happens() {
    let server = Server::start().await;
    let made = server.config_map("cm").await;
    let path = format!("{CONFIGMAPS}/cm");
    let delete = |preconditions: Value| {
        server.request("DELETE", &path).body(JSON, json!({"preconditions": preconditions}).to_string()).send()
    };
    let words = delete(json!({"uid": "other"})).await.refused(409, "Conflict");
    assert!(words.contains("Precondition failed: UID in precondition: other, UID in object meta: "), "{words}");
    delete(json!({"resourceVersion": "1"})).await.refused(409, "Conflict");
    delete(json!({"uid": made["metadata"]["uid"], "resourceVersion": version(&made)})).await.with(200);
}

#[tokio::test]
async fn a_dry_run_deletes_nothing() {
    let server = Server::start().await;
    let made = server.config_map("cm").await;
    let path = format!("{CONFIGMAPS}/cm");
    assert_eq!(server.delete(&format!("{path}?dryRun=All")).await.with(200)["status"], "Success");
    assert_eq!(server.read(&path).await, made);
    let words = server.delete(&format!("{path}?dryRun=Some")).await.refused(422, "Invalid");
    assert!(words.contains("dryRun: Unsupported value: []string{\"Some\"}: supported values: \"All\""), "{words}");
    server.make(PODS, pod("p")).await;
    bind(&server, "p").await;
    let would = server.delete(&format!("{PODS}/p?dryRun=All")).await.with(200);
    assert_eq!(would["metadata"]["deletionGracePeriodSeconds"], 30);
    assert!(server.read(&format!("{PODS}/p")).await["metadata"].get("deletionTimestamp").is_none());
}

#[tokio::test]
async fn a_collection_is_deleted_by_selection() {
    let server = Server::start().await;
    for (name, label) in [("a", "x"), ("b", "x"), ("c", "y")] {
        server.make(CONFIGMAPS, json!({"metadata": {"name": name, "labels": {"l": label}}})).await;
    }
    let list = server.delete(&format!("{CONFIGMAPS}?labelSelector=l%3Dx")).await.with(200);
    assert_eq!((&list["kind"], names(&list)), (&json!("ConfigMapList"), vec!["a", "b"]));
    assert_eq!(names(&server.read(CONFIGMAPS).await), ["c"]);
}

#[tokio::test]
async fn propagation_leaves_a_finalizer_for_the_collector() {
    let server = Server::start().await;
    for (name, policy, finalizer) in [("o", "Orphan", "orphan"), ("f", "Foreground", "foregroundDeletion")] {
        server.make(DEPLOYMENTS, deployment(name)).await;
        let marked = server.delete(&format!("{DEPLOYMENTS}/{name}?propagationPolicy={policy}")).await.with(200);
        let meta = &marked["metadata"];
        assert_eq!(meta["finalizers"], json!([finalizer]));
        assert_eq!((&meta["generation"], &meta["deletionGracePeriodSeconds"]), (&json!(2), &json!(0)));
        assert!(meta["deletionTimestamp"].is_string());
    }
    let words = server.delete(&format!("{DEPLOYMENTS}/o?propagationPolicy=Never")).await.refused(422, "Invalid");
    assert!(words.contains("propagationPolicy: Unsupported value: \"Never\""), "{words}");
}

#[tokio::test]
async fn options_in_the_body_are_checked() {
    let server = Server::start().await;
    server.config_map("c").await;
    let path = format!("{CONFIGMAPS}/c");
    let delete = |body: Value| server.request("DELETE", &path).body(JSON, body.to_string()).send();
    let both =
        json!({"kind": "DeleteOptions", "apiVersion": "v1", "orphanDependents": true, "propagationPolicy": "Orphan"});
    let words = delete(both).await.refused(422, "Invalid");
    assert_eq!(
        words,
        "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Invalid value: \"Orphan\": orphanDependents and \
         deletionPropagation cannot be both set"
    );
    let words = delete(json!({"dryRun": ["Some"]})).await.refused(422, "Invalid");
    assert!(words.ends_with("dryRun: Unsupported value: []string{\"Some\"}: supported values: \"All\""), "{words}");
    delete(json!({"gracePeriodSeconds": "soon"})).await.refused(400, "BadRequest");
    delete(json!({"kind": "Pod", "apiVersion": "v1"})).await.refused(400, "BadRequest");
    assert_eq!(delete(json!({"dryRun": ["All"]})).await.with(200)["status"], "Success");
    let stale = json!({"preconditions": {"uid": "other"}});
    assert!(delete(stale).await.refused(409, "Conflict").contains("Precondition failed: UID in precondition: other"));
    assert_eq!(delete(json!({"propagationPolicy": "Background"})).await.with(200)["status"], "Success");
}

fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object["metadata"][field].as_str().expect("a text")
}
