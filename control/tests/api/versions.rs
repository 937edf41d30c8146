use serde_json::{Value, json};

use crate::harness::*;

const V1: &str = "/apis/autoscaling/v1/namespaces/golden/horizontalpodautoscalers";
const V2: &str = "/apis/autoscaling/v2/namespaces/golden/horizontalpodautoscalers";

fn autoscaler() -> Value {
    json!({"metadata": {"name": "web"}, "spec": {"maxReplicas": 3, "targetCPUUtilizationPercentage": 50,
        "scaleTargetRef": {"kind": "Deployment", "name": "web", "apiVersion": "apps/v1"}}})
}

#[tokio::test]
async fn one_object_is_shown_in_both_versions() {
    let server = Server::start().await;
    let made = server.make(V1, autoscaler()).await;
    assert_eq!(made["apiVersion"], "autoscaling/v1");
    assert_eq!(
        (&made["spec"]["targetCPUUtilizationPercentage"], &made["spec"]["minReplicas"]),
        (&json!(50), &json!(1))
    );
    assert_eq!(server.read(&format!("{V1}/web")).await, made);
    let newer = server.read(&format!("{V2}/web")).await;
    assert_eq!((&newer["apiVersion"], &newer["metadata"]), (&json!("autoscaling/v2"), &made["metadata"]));
    assert_eq!(newer["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"], 50);
    server.post(V2, newer).await.refused(400, "BadRequest");
}

#[tokio::test]
async fn what_the_old_version_has_no_field_for_survives_a_write_in_it() {
    let server = Server::start().await;
    let memory = json!({"type": "Resource", "resource": {"name": "memory",
        "target": {"type": "Utilization", "averageUtilization": 60}}});
    let sent = json!({"metadata": {"name": "web"}, "spec": {"maxReplicas": 3, "metrics": [memory],
        "behavior": {"scaleUp": {"stabilizationWindowSeconds": 7}},
        "scaleTargetRef": {"kind": "Deployment", "name": "web", "apiVersion": "apps/v1"}}});
    let made = server.make(V2, sent).await;
    let mut old = server.read(&format!("{V1}/web")).await;
    assert_eq!(
        old["metadata"]["annotations"]["autoscaling.alpha.kubernetes.io/metrics"],
        r#"[{"type":"Resource","resource":{"name":"memory","targetAverageUtilization":60}}]"#
    );
    old["spec"]["maxReplicas"] = 4.into();
    server.put(&format!("{V1}/web"), old).await.with(200);
    let now = server.read(&format!("{V2}/web")).await;
    assert_eq!(
        (&now["spec"]["metrics"], &now["spec"]["behavior"]),
        (&made["spec"]["metrics"], &made["spec"]["behavior"])
    );
    assert_eq!((&now["spec"]["maxReplicas"], now["metadata"].get("annotations")), (&json!(4), None));
}

#[tokio::test]
async fn lists_tables_and_watches_convert_too() {
    let server = Server::start().await;
    let made = server.make(V1, autoscaler()).await;
    let list = server.read(V1).await;
    assert_eq!((&list["kind"], &list["apiVersion"]), (&json!("HorizontalPodAutoscalerList"), &json!("autoscaling/v1")));
    assert_eq!(list["items"][0]["spec"], made["spec"]);
    assert!(list["items"][0].get("apiVersion").is_none());
    let table = server.request("GET", &format!("{V2}/web")).accept(TABLE).send().await.with(200);
    assert_eq!(cells(&table, 3), json!(["web", "Deployment/web", "cpu: <unknown>/50%"]));
    let mut events = server.watch(&format!("{V1}?watch=1")).await;
    assert_eq!(events.next().await, Some(json!({"type": "ADDED", "object": made})));
}

#[tokio::test]
async fn writes_in_one_version_are_seen_in_the_other() {
    let server = Server::start().await;
    server.make(V1, autoscaler()).await;
    let percent = json!({"spec": {"targetCPUUtilizationPercentage": 70}});
    let now = server.patch(&format!("{V1}/web"), MERGE, percent).await.with(200);
    assert_eq!(now["spec"]["targetCPUUtilizationPercentage"], 70);
    let now = server.patch(&format!("{V2}/web"), MERGE, json!({"spec": {"maxReplicas": 9}})).await.with(200);
    assert_eq!(now["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"], 70);
    let mut whole = server.read(&format!("{V1}/web")).await;
    assert_eq!(server.put(&format!("{V1}/web"), whole.clone()).await.with(200), whole, "a no-op");
    whole["spec"]["minReplicas"] = 2.into();
    server.put(&format!("{V1}/web"), whole).await.with(200);
    assert_eq!(server.read(&format!("{V2}/web")).await["spec"]["minReplicas"], 2);
    server.delete(&format!("{V1}/web")).await.with(200);
    server.get(&format!("{V2}/web")).await.refused(404, "NotFound");
}
