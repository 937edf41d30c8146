use serde_json::json;

use crate::harness::*;

#[tokio::test]
async fn status_and_the_rest_are_written_apart() {
    let server = Server::start().await;
    let made = server.make(DEPLOYMENTS, deployment("web")).await;
    let path = format!("{DEPLOYMENTS}/web");
    let both = json!({"spec": {"replicas": 5}, "status": {"replicas": 4}});
    let now = server.patch(&format!("{path}/status"), MERGE, both.clone()).await.with(200);
    assert_eq!((&now["spec"], &now["status"]["replicas"]), (&made["spec"], &json!(4)));
    let now = server.patch(&path, MERGE, json!({"spec": {"replicas": 5}, "status": {"replicas": 9}})).await.with(200);
    assert_eq!((&now["spec"]["replicas"], &now["status"]["replicas"]), (&json!(5), &json!(4)));
    let mut whole = now.clone();
    whole["status"] = json!({"replicas": 5});
    let now = server.put(&format!("{path}/status"), whole).await.with(200);
    assert_eq!(now["status"], json!({"replicas": 5}));
    assert_eq!(server.read(&format!("{path}/status")).await, now);
}

#[tokio::test]
async fn kinds_without_a_status_have_no_such_path() {
    let server = Server::start().await;
    server.config_map("cm").await;
    let words = server.get(&format!("{CONFIGMAPS}/cm/status")).await.refused(404, "NotFound");
    assert_eq!(words, "the server could not find the requested resource");
}

#[tokio::test]
async fn a_scale_shows_count_and_selector() {
    let server = Server::start().await;
    let made = server.make(DEPLOYMENTS, deployment("web")).await;
    let path = format!("{DEPLOYMENTS}/web");
    server.patch(&format!("{path}/status"), MERGE, json!({"status": {"replicas": 1}})).await.with(200);
    let scale = server.read(&format!("{path}/scale")).await;
    assert_eq!((&scale["kind"], &scale["apiVersion"]), (&json!("Scale"), &json!("autoscaling/v1")));
    assert_eq!(
        (&scale["spec"], &scale["status"]),
        (&json!({"replicas": 1}), &json!({"replicas": 1, "selector": "app=web"}))
    );
    assert_eq!(scale["metadata"]["uid"], made["metadata"]["uid"]);
}

#[tokio::test]
async fn a_scale_is_written_in_every_way() {
    let server = Server::start().await;
    server.make(DEPLOYMENTS, deployment("web")).await;
    let (path, scale) = (format!("{DEPLOYMENTS}/web"), format!("{DEPLOYMENTS}/web/scale"));
    let replicas = async || server.read(&path).await["spec"]["replicas"].clone();
    let answer = server.patch(&scale, MERGE, json!({"spec": {"replicas": 3}})).await.with(200);
    assert_eq!(
        (&answer["kind"], &answer["spec"]["replicas"], replicas().await),
        (&json!("Scale"), &json!(3), json!(3))
    );
    let mut whole = server.read(&scale).await;
    let old = whole.clone();
    whole["spec"]["replicas"] = 4.into();
    server.put(&scale, whole).await.with(200);
    assert_eq!(replicas().await, 4);
    server.put(&scale, old).await.refused(409, "Conflict");
    server.patch(&scale, JSON_PATCH, json!([{"op": "replace", "path": "/spec/replicas", "value": 0}])).await.with(200);
    assert_eq!(replicas().await, 0);
    let negative = server.patch(&scale, MERGE, json!({"spec": {"replicas": -1}})).await.refused(422, "Invalid");
    assert_eq!(
        negative,
        "Scale.autoscaling \"web\" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0"
    );
    server.patch(&scale, MERGE, json!({"spec": {"replicas": "x"}})).await.refused(400, "BadRequest");
    server.patch(&format!("{scale}?dryRun=All"), MERGE, json!({"spec": {"replicas": 9}})).await.with(200);
    assert_eq!(replicas().await, 0);
    server.get(&format!("{DEPLOYMENTS}/none/scale")).await.refused(404, "NotFound");
}

#[tokio::test]
async fn a_replication_controller_scales_by_its_map() {
    let server = Server::start().await;
    let path = "/api/v1/namespaces/golden/replicationcontrollers";
    let template = json!({"metadata": {"labels": {"a": "rc"}}, "spec": {"containers": [{"name": "c", "image": "x"}]}});
    let spec = json!({"replicas": 2, "selector": {"a": "rc"}, "template": template});
    server.make(path, json!({"metadata": {"name": "rc"}, "spec": spec})).await;
    let scale = server.read(&format!("{path}/rc/scale")).await;
    assert_eq!((&scale["spec"]["replicas"], &scale["status"]["selector"]), (&json!(2), &json!("a=rc")));
}

#[tokio::test]
async fn a_pod_is_bound_once() {
    let server = Server::start().await;
    server.make(PODS, pod("p")).await;
    let binding = json!({"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n1"}});
    let done = server.post(&format!("{PODS}/p/binding"), binding.clone()).await.with(201);
    assert_eq!(done, json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}));
    let bound = server.read(&format!("{PODS}/p")).await;
    assert_eq!(bound["spec"]["nodeName"], "n1");
    let condition = &bound["status"]["conditions"][0];
    assert_eq!((&condition["type"], &condition["status"]), (&json!("PodScheduled"), &json!("True")));
    let words = server.post(&format!("{PODS}/p/binding"), binding.clone()).await.refused(409, "Conflict");
    assert_eq!(words, "Operation cannot be fulfilled on pods/binding \"p\": pod p is already assigned to node \"n1\"");
    server.post(&format!("{PODS}/none/binding"), json!({"target": {"name": "n1"}})).await.refused(404, "NotFound");
    server.make(PODS, pod("q")).await;
    server.post(&format!("{PODS}/q/binding"), json!({"target": {}})).await.refused(422, "Invalid");
    let other = json!({"metadata": {"name": "q", "uid": "other"}, "target": {"name": "n1"}});
    server.post(&format!("{PODS}/q/binding"), other).await.refused(409, "Conflict");
    let by_name = json!({"metadata": {"name": "q"}, "target": {"kind": "Node", "name": "n2"}});
    server.post("/api/v1/namespaces/golden/bindings", by_name).await.with(201);
    assert_eq!(server.read(&format!("{PODS}/q")).await["spec"]["nodeName"], "n2");
}

#[tokio::test]
async fn a_pod_that_does_not_run_has_no_logs() {
    let server = Server::start().await;
    server.make(PODS, pod("p")).await;
    assert_eq!(server.get(&format!("{PODS}/p/log")).await.text, "");
    server.get(&format!("{PODS}/none/log")).await.refused(404, "NotFound");
    let words = server.get(&format!("{PODS}/p/log?container=zzz")).await.refused(400, "BadRequest");
    assert_eq!(words, "container zzz is not valid for pod p");
}

#[tokio::test]
async fn a_gated_pod_gets_no_node() {
    let server = Server::start().await;
    let mut gated = pod("gated");
    gated["spec"]["schedulingGates"] = json!([{"name": "example.com/wait"}]);
    let made = server.make(PODS, gated).await;
    assert_eq!(condition(&made, "PodScheduled").0, "False");
    let to_a_node = json!({"target": {"kind": "Node", "name": "n"}});
    let words = server.post(&format!("{PODS}/gated/binding"), to_a_node).await.refused(409, "Conflict");
    assert!(words.ends_with("pod gated has non-empty .spec.schedulingGates"), "{words}");
}
