use serde_json::{Value, json};

use crate::apply::{APPLY, apply, managers, owners};
use crate::harness::*;

/// A create of what the reference was asked to create, and the entries that it answered with.
#[tokio::test]
async fn who_creates_owns_what_was_sent_with_its_defaults() {
    let server = Server::start().await;
    let table = [
        (
            CONFIGMAPS,
            json!({"metadata": {"name": "cm"}, "data": {"a": "b"}, "binaryData": {"b": "AAE="}}),
            r#"{"f:binaryData":{".":{},"f:b":{}},"f:data":{".":{},"f:a":{}}}"#,
        ),
        (
            SERVICES,
            json!({"metadata": {"name": "s2"}, "spec": {"type": "NodePort", "selector": {"a": "b"}, "ports": [{"port": 80,
                "name": "x"}, {"port": 81, "name": "y", "targetPort": "web", "protocol": "UDP"}]}}),
            concat!(
                r#"{"f:spec":{"f:externalTrafficPolicy":{},"f:internalTrafficPolicy":{},"f:ports":{".":{},"#,
                r#""k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:name":{},"f:port":{},"f:protocol":{},"f:targetPort":{}},"#,
                r#""k:{\"port\":81,\"protocol\":\"UDP\"}":{".":{},"f:name":{},"f:port":{},"f:protocol":{},"f:targetPort":{}}},"#,
                r#""f:selector":{},"f:sessionAffinity":{},"f:type":{}}}"#
            ),
        ),
        (
            "/apis/apps/v1/namespaces/golden/replicasets",
            json!({"metadata": {"name": "r1"}, "spec": {"replicas": 0, "selector": {"matchLabels": {"a": "b", "q": "1"}},
                "template": {"metadata": {"labels": {"a": "b", "q": "1"}}, "spec": {"containers": [{"name": "c",
                "image": "nginx:1.2"}]}}}}),
            concat!(
                r#"{"f:spec":{"f:replicas":{},"f:selector":{},"f:template":{"f:metadata":{"f:labels":{".":{},"f:a":{},"f:q":{}}},"#,
                r#""f:spec":{"f:containers":{"k:{\"name\":\"c\"}":{".":{},"f:image":{},"f:imagePullPolicy":{},"f:name":{},"#,
                r#""f:resources":{},"f:terminationMessagePath":{},"f:terminationMessagePolicy":{}}},"f:dnsPolicy":{},"#,
                r#""f:restartPolicy":{},"f:schedulerName":{},"f:securityContext":{},"f:terminationGracePeriodSeconds":{}}}}}"#
            ),
        ),
        (
            "/apis/coordination.k8s.io/v1/namespaces/golden/leases",
            json!({"metadata": {"name": "l1"}, "spec": {"holderIdentity": "x", "leaseDurationSeconds": 15,
                "renewTime": "2024-01-01T00:00:00.123456Z"}}),
            r#"{"f:spec":{"f:holderIdentity":{},"f:leaseDurationSeconds":{},"f:renewTime":{}}}"#,
        ),
        (
            CONFIGMAPS,
            json!({"metadata": {"name": "fin", "finalizers": ["x.y/z"]}}),
            r#"{"f:metadata":{"f:finalizers":{".":{},"v:\"x.y/z\"":{}}}}"#,
        ),
    ];
    for (path, object, fields) in table {
        let made = server.post(&format!("{path}?fieldManager=gold"), object).await.with(201);
        let version = &made["apiVersion"];
        assert_eq!(
            managers(&made).to_string(),
            format!(
                r#"[{{"manager":"gold","operation":"Update","apiVersion":{version},"fieldsType":"FieldsV1","fieldsV1":{fields}}}]"#
            )
        );
    }
    let made = server.post(&format!("{NODES}?fieldManager=gold"), json!({"metadata": {"name": "gn1"}})).await.with(201);
    assert_eq!(made["metadata"].get("managedFields"), None, "{made}");
}

#[tokio::test]
async fn a_manager_is_named_by_the_request_or_its_program() {
    let server = Server::start().await;
    let post = |name: &str, query: &str| {
        let body = json!({"metadata": {"name": name}, "data": {"a": "b"}}).to_string();
        server.request("POST", &format!("{CONFIGMAPS}{query}")).body(JSON, body)
    };
    let manager = |answer: Answer| answer.with(201)["metadata"]["managedFields"][0]["manager"].clone();
    let agent = "kubectl/v1.33.0 (linux/amd64) kubernetes/abc";
    assert_eq!(manager(post("a", "").header("user-agent", agent).send().await), "kubectl");
    assert_eq!(manager(post("b", "?fieldManager=me").header("user-agent", agent).send().await), "me");
}

#[tokio::test]
async fn whoever_changes_a_field_takes_it() {
    let server = Server::start().await;
    let made = json!({"metadata": {"name": "cm"}, "data": {"a": "1", "b": "1"}});
    let made = server.post(&format!("{CONFIGMAPS}?fieldManager=one"), made).await.with(201);
    let path = format!("{CONFIGMAPS}/cm?fieldManager=two");
    let mut next = made.clone();
    next["data"] = json!({"a": "2", "b": "1", "c": "1"});
    let next = server.put(&path, next).await.with(200);
    let owned = |name: &str, fields: Value| (name.to_owned(), fields);
    let two = json!({"f:data": {"f:a": {}, "f:c": {}}});
    let one = owned("Update one", json!({"f:data": {".": {}, "f:b": {}}}));
    assert_eq!(owners(&next), [one.clone(), owned("Update two", two.clone())]);
    let next = server.patch(&path, JSON_PATCH, json!([{"op": "remove", "path": "/data/c"}])).await.with(200);
    assert_eq!(owners(&next), [one, owned("Update two", json!({"f:data": {"f:a": {}}}))]);
    // A client that knows nothing of managers does not wipe them.
    let mut blind = next.clone();
    blind["metadata"].as_object_mut().expect("metadata").shift_remove("managedFields");
    assert_eq!(server.put(&path, blind).await.with(200), next);
}

#[tokio::test]
async fn a_client_may_reset_the_managers_and_nothing_else_comes_of_nonsense() {
    let server = Server::start().await;
    for reset in [json!([]), json!([{}])] {
        let made = server.config_map("cm").await;
        let path = format!("{CONFIGMAPS}/cm");
        for nonsense in [json!([{"manager": "x"}]), json!([{"manager": "x", "operation": "Eat", "apiVersion": "v1"}])] {
            let same = server.patch(&path, MERGE, json!({"metadata": {"managedFields": nonsense}})).await.with(200);
            assert_eq!(same, made);
        }
        let now = server.patch(&path, MERGE, json!({"metadata": {"managedFields": reset}})).await.with(200);
        assert_eq!(now["metadata"].get("managedFields"), None, "{now}");
        assert_ne!(version(&now), version(&made));
        // Nobody tracks it again until somebody applies.
        let now = server.patch(&path, MERGE, json!({"data": {"x": "y"}})).await.with(200);
        assert_eq!(now["metadata"].get("managedFields"), None, "{now}");
        let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cm"}, "data": {"x": "z"}});
        let now = apply(&server, &path, "me", config).await.with(200);
        assert_eq!(owners(&now).len(), 1);
        server.delete(&path).await.with(200);
    }
}

#[tokio::test]
async fn a_client_may_edit_the_managers() {
    let server = Server::start().await;
    let made = server.config_map("cm").await;
    let mut next = made.clone();
    next["metadata"]["managedFields"][0]["manager"] = "renamed".into();
    let next = server.put(&format!("{CONFIGMAPS}/cm"), next).await.with(200);
    assert_eq!(owners(&next)[0].0, "Update renamed");
}

#[tokio::test]
async fn parts_have_their_own_managers() {
    let server = Server::start().await;
    server.post(&format!("{DEPLOYMENTS}?fieldManager=user"), deployment("web")).await.with(201);
    let path = format!("{DEPLOYMENTS}/web");
    let status = json!({"status": {"replicas": 3}, "spec": {"replicas": 7}});
    let now = server.patch(&format!("{path}/status?fieldManager=controller"), MERGE, status).await.with(200);
    let found = owners(&now);
    assert_eq!(found[0], ("Update controller status".to_owned(), json!({"f:status": {"f:replicas": {}}})));
    assert_eq!(found[1].1["f:spec"]["f:replicas"], json!({}));
    let scale = json!({"spec": {"replicas": 5}});
    server.patch(&format!("{path}/scale?fieldManager=scaler"), MERGE, scale).await.with(200);
    let now = server.read(&path).await;
    let found = owners(&now);
    assert_eq!(found[0], ("Update scaler scale".to_owned(), json!({"f:spec": {"f:replicas": {}}})));
    assert!(found.iter().skip(1).all(|(_, fields)| fields["f:spec"].get("f:replicas").is_none()), "{found:?}");
    let entry = &now["metadata"]["managedFields"][0];
    assert_eq!((&entry["apiVersion"], entry.get("time")), (&json!("apps/v1"), None));
}

#[tokio::test]
async fn a_scale_is_applied() {
    let server = Server::start().await;
    server.post(&format!("{DEPLOYMENTS}?fieldManager=user"), deployment("web")).await.with(201);
    let path = format!("{DEPLOYMENTS}/web/scale");
    let config = |replicas: i64| json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web"}, "spec": {"replicas": replicas}});
    let words = apply(&server, &path, "hpa", config(4)).await.refused(409, "Conflict");
    assert_eq!(words, "Apply failed with 1 conflict: conflict with \"user\" using apps/v1: .spec.replicas");
    let scale = apply(&server, &format!("{path}?force=true"), "hpa", config(4)).await.with(200);
    assert_eq!((&scale["kind"], &scale["spec"]["replicas"]), (&json!("Scale"), &json!(4)));
    let now = server.read(&format!("{DEPLOYMENTS}/web")).await;
    assert_eq!(owners(&now)[0], ("Apply hpa scale".to_owned(), json!({"f:spec": {"f:replicas": {}}})));
    let again = apply(&server, &path, "hpa", config(4)).await.with(200);
    assert_eq!(version(&again), version(&now));
    apply(&server, &path, "hpa", config(-1)).await.refused(422, "Invalid");
    server.patch(&format!("{path}?fieldManager=x"), APPLY, deployment("web")).await.refused(400, "BadRequest");
}

#[tokio::test]
async fn what_too_many_wrote_is_ancient() {
    let server = Server::start().await;
    let path = format!("{CONFIGMAPS}/cm");
    server
        .post(&format!("{CONFIGMAPS}?fieldManager=m00"), json!({"metadata": {"name": "cm"}, "data": {"k": "v"}}))
        .await
        .with(201);
    for at in 1..12 {
        let mut patch = json!({"data": {}});
        patch["data"][format!("k{at:02}")] = "v".into();
        server.patch(&format!("{path}?fieldManager=m{at:02}"), MERGE, patch).await.with(200);
    }
    let names: Vec<String> = owners(&server.read(&path).await).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), 10);
    assert!(names.contains(&"Update ancient-changes".to_owned()), "{names:?}");
}

#[tokio::test]
async fn managers_are_in_tables_and_metadata() {
    let server = Server::start().await;
    server.config_map("cm").await;
    let path = format!("{CONFIGMAPS}/cm");
    for (accept, at) in [(TABLE, "/rows/0/object/metadata/managedFields"), (METADATA, "/metadata/managedFields")] {
        let shown = server.request("GET", &path).accept(accept).send().await.with(200);
        assert!(shown.pointer(at).is_some(), "{shown}");
    }
}

#[tokio::test]
async fn versions_of_a_kind_share_their_managers() {
    let server = Server::start().await;
    let collection = |version: &str| format!("/apis/autoscaling/{version}/namespaces/golden/horizontalpodautoscalers");
    let spec = json!({"maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "targetCPUUtilizationPercentage": 50});
    let object = json!({"metadata": {"name": "h"}, "spec": spec});
    let made = server.post(&format!("{}?fieldManager=one", collection("v1")), object).await.with(201);
    let entry = &made["metadata"]["managedFields"][0];
    assert_eq!(entry["apiVersion"], "autoscaling/v1");
    assert_eq!(entry["fieldsV1"]["f:spec"]["f:targetCPUUtilizationPercentage"], json!({}), "{made}");
    let path = format!("{}/h?fieldManager=two", collection("v2"));
    let now = server.patch(&path, MERGE, json!({"spec": {"maxReplicas": 4}})).await.with(200);
    let found = owners(&now);
    assert_eq!(found[0].1["f:spec"].get("f:maxReplicas"), None, "{found:?}");
    assert_eq!(found[1], ("Update two".to_owned(), json!({"f:spec": {"f:maxReplicas": {}}})));
}

#[tokio::test]
async fn a_deletion_under_way_is_nobodys() {
    let server = Server::start().await;
    let path = format!("{CONFIGMAPS}/fin");
    let made = server.make(CONFIGMAPS, json!({"metadata": {"name": "fin", "finalizers": ["x.y/z"]}})).await;
    let marked = server.delete(&path).await.with(200);
    assert_eq!(managers(&marked), managers(&made));
    let gone = server.patch(&path, MERGE, json!({"metadata": {"finalizers": null}})).await.with(200);
    assert_eq!(gone["metadata"].get("managedFields"), None, "{gone}");
}
