use serde_json::json;

use crate::harness::*;

#[tokio::test]
async fn a_put_replaces_all_but_what_the_server_owns() {
    let server = Server::start().await;
    let made = server.config_map("cm").await;
    let path = format!("{CONFIGMAPS}/cm");
    let next = server.put(&path, json!({"metadata": {"name": "cm"}, "data": {"c": "d"}})).await.with(200);
    assert_eq!(next["data"], json!({"c": "d"}));
    for field in ["uid", "creationTimestamp"] {
        assert_eq!(next["metadata"][field], made["metadata"][field]);
    }
    let (before, after): (u64, u64) = (version(&made).parse().unwrap(), version(&next).parse().unwrap());
    assert!(after > before, "{before} {after}");
}

#[tokio::test]
async fn a_write_that_changes_nothing_writes_nothing() {
    let server = Server::start().await;
    for (collection, object) in [(CONFIGMAPS, json!({"metadata": {"name": "x"}})), (DEPLOYMENTS, deployment("x"))] {
        let made = server.make(collection, object.clone()).await;
        let path = format!("{collection}/x");
        assert_eq!(server.put(&path, made.clone()).await.with(200), made);
        let mut sparse = made.clone();
        sparse["metadata"]["resourceVersion"] = "".into();
        assert_eq!(server.put(&path, sparse).await.with(200), made);
        assert_eq!(server.patch(&path, MERGE, object.clone()).await.with(200), made);
        assert_eq!(server.patch(&path, STRATEGIC, object).await.with(200), made);
    }
}

#[tokio::test]
async fn a_resource_version_is_a_condition() {
    let server = Server::start().await;
    let old = server.config_map("cm").await;
    let path = format!("{CONFIGMAPS}/cm");
    server.patch(&path, MERGE, json!({"data": {"x": "y"}})).await.with(200);
    let status = server.put(&path, old.clone()).await.with(409);
    assert_eq!(
        status["message"],
        "Operation cannot be fulfilled on configmaps \"cm\": the object has been modified; please apply your changes to \
         the latest version and try again"
    );
    assert_eq!(status["details"], json!({"name": "cm", "kind": "configmaps"}));
    let pinned = json!({"metadata": {"resourceVersion": version(&old)}, "data": {"x": "z"}});
    server.patch(&path, MERGE, pinned).await.refused(409, "Conflict");
    let other = json!({"metadata": {"name": "cm", "uid": "other"}});
    let words = server.put(&path, other).await.refused(409, "Conflict");
    assert!(words.contains("Precondition failed: UID in precondition: other"), "{words}");
}

#[tokio::test]
async fn a_put_does_not_create() {
    let server = Server::start().await;
    let words = server.put(&format!("{CONFIGMAPS}/none"), json!({"metadata": {"name": "none"}})).await;
    assert_eq!(words.refused(404, "NotFound"), "configmaps \"none\" not found");
}

#[tokio::test]
async fn the_name_in_the_path_counts() {
    let server = Server::start().await;
    server.config_map("cm").await;
    let answer = server.put(&format!("{CONFIGMAPS}/cm"), json!({"metadata": {"name": "other"}})).await;
    assert_eq!(
        answer.refused(400, "BadRequest"),
        "the name of the object (other) does not match the name on the URL (cm)"
    );
}

#[tokio::test]
async fn generation_moves_with_the_spec_only() {
    let server = Server::start().await;
    server.make(DEPLOYMENTS, deployment("web")).await;
    let path = format!("{DEPLOYMENTS}/web");
    let steps = [
        (path.clone(), json!({"metadata": {"labels": {"a": "b"}}}), 1),
        (path.clone(), json!({"spec": {"replicas": 3}}), 2),
        (path.clone(), json!({"spec": {"replicas": 3}}), 2),
        (format!("{path}/status"), json!({"status": {"replicas": 3}}), 2),
        (path.clone(), json!({"spec": {"paused": true}}), 3),
        (path, json!({"metadata": {"generation": 9}}), 3),
    ];
    for (path, patch, generation) in steps {
        let now = server.patch(&path, MERGE, patch.clone()).await.with(200);
        assert_eq!(now["metadata"]["generation"], generation, "{patch}");
    }
}

#[tokio::test]
async fn a_dry_run_changes_nothing() {
    let server = Server::start().await;
    let made = server.config_map("cm").await;
    let path = format!("{CONFIGMAPS}/cm");
    let would = server.patch(&format!("{path}?dryRun=All"), MERGE, json!({"data": {"a": "c"}})).await.with(200);
    assert_eq!((&would["data"]["a"], version(&would)), (&json!("c"), version(&made)));
    assert_eq!(server.read(&path).await, made);
}

#[tokio::test]
async fn what_must_stay_stays() {
    let server = Server::start().await;
    server.make(DEPLOYMENTS, deployment("web")).await;
    let mut other = deployment("web");
    other["spec"]["selector"]["matchLabels"] = json!({"app": "other"});
    other["spec"]["template"]["metadata"]["labels"] = json!({"app": "other"});
    let words = server.put(&format!("{DEPLOYMENTS}/web"), other).await.refused(422, "Invalid");
    assert!(words.starts_with("Deployment.apps \"web\" is invalid: spec.selector: Invalid value"), "{words}");
    assert!(words.ends_with("field is immutable"), "{words}");
}

#[tokio::test]
async fn many_writers_without_a_version_all_succeed() {
    let server = Server::start().await;
    server.config_map("cm").await;
    let path = format!("{CONFIGMAPS}/cm");
    let writes = (0..8).map(|i| {
        let mut patch = json!({"data": {}});
        patch["data"][format!("k{i}")] = "v".into();
        server.patch(&path, MERGE, patch)
    });
    for answer in futures::future::join_all(writes).await {
        answer.with(200);
    }
    assert_eq!(server.read(&path).await["data"].as_object().map(|d| d.len()), Some(9));
}

#[tokio::test]
async fn leases_are_made_by_a_put_and_kept_by_their_version() {
    let server = Server::start().await;
    let path = "/apis/coordination.k8s.io/v1/namespaces/golden/leases/l";
    let lease = |holder: &str| json!({"metadata": {"name": "l"}, "spec": {"holderIdentity": holder}});
    let made = server.put(path, lease("a")).await.with(201);
    let words = server.put(path, lease("b")).await.refused(422, "Invalid");
    assert!(
        words.ends_with("metadata.resourceVersion: Invalid value: 0x0: must be specified for an update"),
        "{words}"
    );
    let mut renewed = made.clone();
    renewed["spec"]["renewTime"] = "2026-11-20T09:25:29.123456Z".into();
    let renewed = server.put(path, renewed).await.with(200);
    assert_eq!(renewed["spec"]["renewTime"], "2026-11-20T09:25:29.123456Z");
    server.put(path, made).await.refused(409, "Conflict");
}

#[tokio::test]
async fn zero_is_no_resource_version() {
    let server = Server::start().await;
    let zero = json!({"metadata": {"name": "cm", "resourceVersion": "0"}, "data": {"a": "b"}});
    let made = server.make(CONFIGMAPS, zero.clone()).await;
    assert_eq!(server.put(&format!("{CONFIGMAPS}/cm"), zero).await.with(200), made);
}
