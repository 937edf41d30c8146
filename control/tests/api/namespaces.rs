use serde_json::json;

use crate::harness::*;

#[tokio::test]
async fn a_namespace_knows_its_name_and_is_held() {
    let server = Server::start().await;
    let made = server.read(&format!("{NAMESPACES}/golden")).await;
    assert_eq!(made["metadata"]["labels"], json!({"kubernetes.io/metadata.name": "golden"}));
    assert_eq!((&made["spec"], &made["status"]), (&json!({"finalizers": ["kubernetes"]}), &json!({"phase": "Active"})));
}

#[tokio::test]
async fn nothing_is_created_in_a_namespace_that_is_not_there() {
    let server = Server::start().await;
    let words = server.post("/api/v1/namespaces/missing/configmaps", json!({"metadata": {"name": "x"}})).await;
    assert_eq!(words.refused(404, "NotFound"), "namespaces \"missing\" not found");
}

#[tokio::test]
async fn a_namespace_ends_when_it_is_finalized() {
    let server = Server::start().await;
    server.config_map("cm").await;
    let path = format!("{NAMESPACES}/golden");
    let dying = server.delete(&path).await.with(200);
    assert_eq!(
        (&dying["status"]["phase"], &dying["spec"]["finalizers"]),
        (&json!("Terminating"), &json!(["kubernetes"]))
    );
    assert!(dying["metadata"]["deletionTimestamp"].is_string());
    let status = server.post(CONFIGMAPS, json!({"metadata": {"name": "late"}})).await.with(403);
    assert_eq!(
        status["message"],
        "configmaps \"late\" is forbidden: unable to create new content in namespace golden because it is being terminated"
    );
    assert_eq!(
        status["details"]["causes"],
        json!([{"reason": "NamespaceTerminating", "message": "namespace golden is being terminated",
            "field": "metadata.namespace"}])
    );
    server.patch(&format!("{CONFIGMAPS}/cm"), MERGE, json!({"data": {"still": "works"}})).await.with(200);
    let ignored = server.patch(&path, MERGE, json!({"spec": {"finalizers": []}})).await.with(200);
    assert_eq!(ignored["spec"]["finalizers"], json!(["kubernetes"]), "only /finalize may");
    let mut done = server.read(&path).await;
    done["spec"] = json!({});
    server.put(&format!("{path}/finalize"), done).await.with(200);
    server.get(&path).await.refused(404, "NotFound");
}

#[tokio::test]
async fn the_cluster_keeps_its_own_namespaces() {
    let server = Server::start().await;
    let words = server.delete(&format!("{NAMESPACES}/default")).await.refused(403, "Forbidden");
    assert_eq!(words, "namespaces \"default\" is forbidden: this namespace may not be deleted");
}

#[tokio::test]
async fn namespaces_are_labels() {
    let server = Server::start().await;
    let words = server.post(NAMESPACES, json!({"metadata": {"name": "a.b"}})).await.refused(422, "Invalid");
    assert!(words.starts_with("Namespace \"a.b\" is invalid: metadata.name: Invalid value: \"a.b\": "), "{words}");
}
