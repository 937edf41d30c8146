use serde_json::json;

use crate::harness::*;

#[tokio::test]
async fn a_finalizer_holds_its_object_until_it_is_taken_off() {
    let server = Server::start().await;
    server.make(CONFIGMAPS, json!({"metadata": {"name": "cm", "finalizers": ["x.example/y"]}})).await;
    let path = format!("{CONFIGMAPS}/cm");
    let marked = server.delete(&path).await.with(200);
    assert!(marked["metadata"]["deletionTimestamp"].is_string());
    assert_eq!(marked["metadata"]["deletionGracePeriodSeconds"], 0);
    assert_eq!(server.read(&path).await, marked);
    assert_eq!(server.delete(&path).await.with(200), marked, "asking again changes nothing");
    let gone = server.patch(&path, MERGE, json!({"metadata": {"finalizers": null}})).await.with(200);
    assert!(gone["metadata"].get("finalizers").is_none());
    server.get(&path).await.refused(404, "NotFound");
}

#[tokio::test]
async fn a_dying_object_gets_no_new_finalizers_and_does_not_come_back() {
    let server = Server::start().await;
    server.make(CONFIGMAPS, json!({"metadata": {"name": "cm", "finalizers": ["x.example/y"]}})).await;
    let path = format!("{CONFIGMAPS}/cm");
    let marked = server.delete(&path).await.with(200);
    let more = json!({"metadata": {"finalizers": ["x.example/y", "x.example/z"]}});
    let words = server.patch(&path, MERGE, more).await.refused(422, "Invalid");
    assert!(words.contains("metadata.finalizers: Forbidden: no new finalizers can be added"), "{words}");
    let revived = server.patch(&path, MERGE, json!({"metadata": {"deletionTimestamp": null}})).await.with(200);
    assert_eq!(revived, marked);
    let words = server.post(CONFIGMAPS, json!({"metadata": {"name": "cm"}})).await.refused(409, "AlreadyExists");
    assert_eq!(words, "object is being deleted: configmaps \"cm\" already exists");
}

#[tokio::test]
async fn an_update_may_still_change_what_waits() {
    let server = Server::start().await;
    server.make(CONFIGMAPS, json!({"metadata": {"name": "cm", "finalizers": ["x.example/y"]}})).await;
    let path = format!("{CONFIGMAPS}/cm");
    server.delete(&path).await.with(200);
    let now = server.patch(&path, MERGE, json!({"data": {"a": "b"}})).await.with(200);
    assert_eq!(now["data"], json!({"a": "b"}));
    server.read(&path).await;
}

#[tokio::test]
async fn finalizers_have_qualified_names() {
    let server = Server::start().await;
    let words = server.post(CONFIGMAPS, json!({"metadata": {"name": "cm", "finalizers": ["short"]}})).await;
    let words = words.refused(422, "Invalid");
    assert!(words.contains("name is neither a standard finalizer name nor is it fully qualified"), "{words}");
}
