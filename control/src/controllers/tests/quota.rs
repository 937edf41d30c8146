//! Quotas and protected storage, with the controllers that keep them.

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod, ResourceQuota};
use serde_json::{Value, json};

use super::cluster::Cluster;
use crate::registry::DeleteOptions;

fn pod(name: &str, more: Value) -> Value {
    let mut spec = json!({"containers": [{"name": "c", "image": "x"}]});
    if let (Value::Object(spec), Value::Object(more)) = (&mut spec, more) {
        spec.extend(more);
    }
    json!({"metadata": {"name": name, "namespace": "default"}, "spec": spec})
}

fn used(cluster: &Cluster) -> Value {
    let quota = cluster.one::<ResourceQuota>("default", "q");
    let status = quota.and_then(|q| q.status.as_ref().and_then(|s| s.used.clone()));
    serde_json::to_value(status).unwrap_or_default()
}

#[tokio::test]
async fn a_quota_is_counted_and_filled_up_again() {
    let cluster = Cluster::start().await;
    cluster.create::<Pod>(pod("first", json!({}))).await;
    let hard = json!({"pods": "2", "count/configmaps": "9", "secrets": "1"});
    cluster
        .create::<ResourceQuota>(json!({"metadata": {"name": "q", "namespace": "default"}, "spec": {"hard": hard}}))
        .await;
    let full = json!({"count/configmaps": "1", "pods": "2", "secrets": "0"});
    cluster.until("a count", |c| used(c)["pods"] == "1").await;
    cluster.create::<Pod>(pod("second", json!({}))).await;
    cluster.until("a charge", |c| used(c) == full).await;
    let third: Pod = serde_json::from_value(pod("third", json!({}))).expect("a pod");
    let refused = cluster.registry.api::<Pod>().create(&third).await.expect_err("the quota is used up");
    assert_eq!(
        refused.message(),
        "pods \"third\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2"
    );
    let now = DeleteOptions { grace: Some(0), ..DeleteOptions::default() };
    cluster.registry.api::<Pod>().delete("default", "first", &now).await.expect("it is there");
    cluster.until("room", |c| used(c)["pods"] == "1").await;
    cluster.registry.api::<Pod>().create(&third).await.expect("there is room again");
    cluster.patch::<ResourceQuota>("q", json!({"spec": {"hard": {"pods": null}}})).await;
    cluster.until("a smaller quota", |c| used(c) == json!({"count/configmaps": "1", "secrets": "0"})).await;
}

#[tokio::test]
async fn a_claim_outlives_its_deletion_while_a_pod_uses_it() {
    let cluster = Cluster::start().await;
    let volume = json!({"metadata": {"name": "disk"}, "spec": {"accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": "1Gi"}, "hostPath": {"path": "/srv"}}});
    cluster.create::<PersistentVolume>(volume).await;
    let claim = json!({"metadata": {"name": "data", "namespace": "default"}, "spec": {"accessModes": ["ReadWriteOnce"],
        "storageClassName": "", "resources": {"requests": {"storage": "1Gi"}}}});
    cluster.create::<PersistentVolumeClaim>(claim).await;
    let volumes = json!({"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]});
    cluster.create::<Pod>(pod("user", volumes)).await;
    cluster
        .until("the pod on its node", |c| {
            c.one::<Pod>("default", "user").is_some_and(|p| !objects::pods::node(&p).is_empty())
        })
        .await;
    cluster.delete::<PersistentVolumeClaim>("default", "data", None).await;
    cluster
        .until("a mark", |c| {
            let claim = c.one::<PersistentVolumeClaim>("default", "data");
            claim.is_some_and(|c| c.metadata.deletion_timestamp.is_some() && c.metadata.finalizers.is_some())
        })
        .await;
    cluster.delete::<Pod>("default", "user", None).await;
    cluster.until("the claim's end", |c| c.one::<PersistentVolumeClaim>("default", "data").is_none()).await;
}
