//! Claims, volumes and the pods that wait for them.

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod};
use objects::{pods, volumes};
use serde_json::{Value, json};

use super::cluster::Cluster;

fn claim(name: &str, spec: Value) -> Value {
    let mut claim = json!({"metadata": {"name": name, "namespace": "default"}, "spec":
        {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
    claim["spec"].as_object_mut().expect("a spec").extend(spec.as_object().cloned().unwrap_or_default());
    claim
}

fn pod(name: &str, volume: Value) -> Value {
    let mut volume = volume;
    volume["name"] = "data".into();
    json!({"metadata": {"name": name, "namespace": "default"},
        "spec": {"containers": [{"name": "c", "image": "one"}], "volumes": [volume]}})
}

fn by_hand(name: &str, spec: Value) -> Value {
    let mut volume = json!({"metadata": {"name": name}, "spec": {"capacity": {"storage": "2Gi"},
        "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/srv/data"}}});
    volume["spec"].as_object_mut().expect("a spec").extend(spec.as_object().cloned().unwrap_or_default());
    volume
}

fn phase(cluster: &Cluster, name: &str) -> String {
    let found = cluster.one::<PersistentVolumeClaim>("default", name);
    found.map(|claim| volumes::claim_phase(&claim).to_owned()).unwrap_or_default()
}

fn phase_of(cluster: &Cluster, name: &str) -> String {
    let found = cluster.one::<PersistentVolume>("", name);
    found.map(|volume| volumes::phase(&volume).to_owned()).unwrap_or_default()
}

fn is_on_a_node(cluster: &Cluster, name: &str) -> bool {
    cluster.one::<Pod>("default", name).is_some_and(|pod| !pods::node(&pod).is_empty())
}

/// What a provisioner does with a claim.
async fn provision(cluster: &Cluster, name: &str) -> String {
    let claim = cluster.one::<PersistentVolumeClaim>("default", name).expect("it is there");
    let volume = format!("pvc-{}", claim.metadata.uid.as_deref().unwrap_or_default());
    let reference = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": "default", "name": name,
        "uid": claim.metadata.uid});
    let mut made = by_hand(
        &volume,
        json!({"capacity": {"storage": "1Gi"}, "storageClassName": "local-path",
        "persistentVolumeReclaimPolicy": "Delete", "claimRef": reference}),
    );
    made["metadata"]["annotations"] = json!({volumes::PROVISIONED_BY: "rancher.io/local-path"});
    cluster.create::<PersistentVolume>(made).await;
    volume
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_waits_for_its_pod_and_the_pod_for_its_claim() {
    let cluster = Cluster::start().await;
    cluster.create::<PersistentVolumeClaim>(claim("data", json!({"storageClassName": "local-path"}))).await;
    let waits = "waiting for first consumer to be created before binding";
    cluster.until("the claim to wait", |c| c.events("WaitForFirstConsumer") == [waits]).await;
    cluster.create::<Pod>(pod("web", json!({"persistentVolumeClaim": {"claimName": "data"}}))).await;
    let ordered = |c: &Cluster| {
        let claim = c.one::<PersistentVolumeClaim>("default", "data").expect("it is there");
        let is = |key: &str, value: &str| volumes::annotation(&claim.metadata, key) == Some(value);
        is(volumes::PROVISIONER, "rancher.io/local-path")
            && volumes::annotation(&claim.metadata, volumes::SELECTED_NODE).is_some()
    };
    cluster.until("the order", ordered).await;
    assert!(!is_on_a_node(&cluster, "web"), "not before its claim is bound");
    let volume = provision(&cluster, "data").await;
    cluster.until("the pod on its node", |c| is_on_a_node(c, "web")).await;
    assert_eq!(phase(&cluster, "data"), "Bound");
    cluster.until("its volume", |c| phase_of(c, &volume) == "Bound").await;

    let grown = json!({"spec": {"resources": {"requests": {"storage": "3Gi"}}}});
    cluster.patch::<PersistentVolumeClaim>("data", grown).await;
    let given = |c: &Cluster| {
        let claim = c.one::<PersistentVolumeClaim>("default", "data").expect("it is there");
        volumes::given(&claim).to_text().0
    };
    cluster.until("the growth", |c| given(c) == "3Gi").await;
    cluster.until("the news", |c| c.events("VolumeResizeSuccessful") == ["Resize volume succeeded"]).await;

    cluster.delete::<PersistentVolumeClaim>("default", "data", None).await;
    assert_eq!(phase(&cluster, "data"), "Bound", "a pod uses it");
    cluster.delete::<Pod>("default", "web", None).await;
    cluster.until("the release", |c| phase_of(c, &volume) == "Released").await;
    assert_eq!(phase(&cluster, "data"), "", "gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn volumes_made_by_hand_are_bound_at_once_and_kept() {
    let cluster = Cluster::start().await;
    cluster.create::<PersistentVolumeClaim>(claim("data", json!({"storageClassName": ""}))).await;
    let none = "no persistent volumes available for this claim and no storage class is set";
    cluster.until("the complaint", |c| c.events("FailedBinding") == [none]).await;
    cluster.create::<Pod>(pod("web", json!({"persistentVolumeClaim": {"claimName": "data"}}))).await;
    let held_back = "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/1 nodes are \
                     available: 1 Preemption is not helpful for scheduling.";
    cluster.until("the pod to be held back", |c| c.events("FailedScheduling") == [held_back]).await;
    cluster.create::<PersistentVolume>(by_hand("big", json!({"capacity": {"storage": "9Gi"}}))).await;
    cluster.until("the pod on its node", |c| is_on_a_node(c, "web")).await;
    cluster.until("its volume", |c| phase_of(c, "big") == "Bound").await;

    let kept = json!({"claimRef": {"namespace": "default", "name": "later"}, "storageClassName": "hand"});
    cluster.create::<PersistentVolume>(by_hand("kept", kept)).await;
    cluster.until("the volume", |c| phase_of(c, "kept") == "Available").await;
    cluster.create::<PersistentVolumeClaim>(claim("other", json!({"storageClassName": "hand"}))).await;
    cluster.create::<PersistentVolumeClaim>(claim("later", json!({"storageClassName": "hand"}))).await;
    cluster.until("the claim it was kept for", |c| phase(c, "later") == "Bound").await;
    assert_eq!(phase(&cluster, "other"), "Pending");

    cluster.delete::<PersistentVolumeClaim>("default", "later", None).await;
    cluster.until("the release", |c| phase_of(c, "kept") == "Released").await;
    let missing = json!({"persistentVolumeClaim": {"claimName": "nothing"}});
    cluster.create::<Pod>(pod("lonely", missing)).await;
    let not_found = "0/1 nodes are available: persistentvolumeclaim \"nothing\" not found. preemption: 0/1 nodes are \
                     available: 1 Preemption is not helpful for scheduling.";
    cluster.until("what is missing", |c| c.events("FailedScheduling").contains(&not_found.to_owned())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_brings_its_claim_and_takes_it_along() {
    let cluster = Cluster::start().await;
    let template = json!({"spec": claim("", json!({}))["spec"]});
    cluster.create::<Pod>(pod("web", json!({"ephemeral": {"volumeClaimTemplate": template}}))).await;
    cluster.until("the claim", |c| phase(c, "web-data") == "Pending").await;
    let class = |c: &Cluster| {
        let claim = c.one::<PersistentVolumeClaim>("default", "web-data");
        claim.and_then(|claim| volumes::class_of(&claim).map(str::to_owned))
    };
    cluster.until("the default class", |c| class(c).as_deref() == Some("local-path")).await;
    provision(&cluster, "web-data").await;
    cluster.until("the pod on its node", |c| is_on_a_node(c, "web")).await;
    cluster.delete::<Pod>("default", "web", None).await;
    cluster.until("nothing", |c| phase(c, "web-data").is_empty()).await;
}
