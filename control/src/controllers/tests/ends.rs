//! How things end: with their owners, with their namespace, and not before.

use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Node, Secret, ServiceAccount};
use serde_json::{Value, json};

use super::cluster::Cluster;
use crate::registry::Propagation;
use crate::store::Interest;

fn owned_by(owner: &ConfigMap, extra: Value) -> Value {
    let mut metadata = json!({"ownerReferences": [{
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "name": owner.metadata.name,
        "uid": owner.metadata.uid,
        "blockOwnerDeletion": true,
    }]});
    if let (Some(all), Value::Object(extra)) = (metadata.as_object_mut(), extra) {
        all.extend(extra);
    }
    json!({ "metadata": metadata })
}

fn map(name: &str) -> Value {
    json!({"metadata": {"name": name, "namespace": "default"}})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_of_another_namespace_is_none_and_one_of_no_namespace_is_not_judged() {
    let cluster = Cluster::start().await;
    cluster.create::<Namespace>(json!({"metadata": {"name": "dev"}})).await;
    let owner: ConfigMap = cluster.create(map("owner")).await;
    cluster.create::<Node>(owned_by(&owner, json!({"name": "n2"}))).await;
    cluster.create::<ConfigMap>(owned_by(&owner, json!({"name": "kept", "namespace": "default"}))).await;
    cluster.create::<ConfigMap>(owned_by(&owner, json!({"name": "stray", "namespace": "dev"}))).await;
    let map = |c: &Cluster, namespace: &str, name: &str| c.one::<ConfigMap>(namespace, name).is_some();
    let node = |c: &Cluster| c.one::<Node>("", "n2").is_some();
    cluster.until("the stray's end", |c| !map(c, "dev", "stray")).await;
    assert!(node(&cluster) && map(&cluster, "default", "kept"));
    cluster.delete::<ConfigMap>("default", "owner", None).await;
    cluster.until("the dependent's end", |c| !map(c, "default", "kept")).await;
    assert!(node(&cluster));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_of_the_same_name_is_not_the_owner() {
    let cluster = Cluster::start().await;
    let first: ConfigMap = cluster.create(map("owner")).await;
    cluster.delete::<ConfigMap>("default", "owner", None).await;
    cluster.create::<ConfigMap>(map("owner")).await;
    cluster.create::<ConfigMap>(owned_by(&first, json!({"name": "late", "namespace": "default"}))).await;
    let there = |c: &Cluster, name: &str| c.one::<ConfigMap>("default", name).is_some();
    cluster.until("its end", |c| !there(c, "late")).await;
    assert!(there(&cluster, "owner"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreground_deletion_waits_for_what_blocks_it() {
    let cluster = Cluster::start().await;
    let owner: ConfigMap = cluster.create(map("owner")).await;
    let held = json!({"name": "held", "namespace": "default", "finalizers": ["example.com/hold"]});
    cluster.create::<ConfigMap>(owned_by(&owner, held)).await;
    cluster.until("both", |c| c.one::<ConfigMap>("default", "held").is_some()).await;
    cluster.delete::<ConfigMap>("default", "owner", Some(Propagation::Foreground)).await;
    let is_leaving = |c: &Cluster, name: &str| {
        c.one::<ConfigMap>("default", name).is_some_and(|m| m.metadata.deletion_timestamp.is_some())
    };
    cluster.until("the dependent's mark", |c| is_leaving(c, "held")).await;
    assert!(is_leaving(&cluster, "owner"));
    cluster.patch::<ConfigMap>("held", json!({"metadata": {"finalizers": null}})).await;
    cluster.until("the end of both", |c| c.one::<ConfigMap>("default", "owner").is_none()).await;
    assert!(cluster.one::<ConfigMap>("default", "held").is_none());
}

/// "should not be blocked by dependency circle", as upstream's conformance tests have it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_circle_of_owners_holds_nobody_up() {
    let cluster = Cluster::start().await;
    let mut maps: Vec<ConfigMap> = Vec::new();
    for name in ["a", "b", "c"] {
        maps.push(cluster.create(map(name)).await);
    }
    for (name, owner) in [("a", &maps[2]), ("b", &maps[0]), ("c", &maps[1])] {
        cluster.patch::<ConfigMap>(name, owned_by(owner, json!({}))).await;
    }
    cluster.delete::<ConfigMap>("default", "a", Some(Propagation::Foreground)).await;
    let is_there = |c: &Cluster, name: &str| c.one::<ConfigMap>("default", name).is_some();
    cluster.until("the end of all", |c| !["a", "b", "c"].iter().any(|name| is_there(c, name))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_namespace_says_what_it_waits_for() {
    let cluster = Cluster::start().await;
    cluster.create::<Namespace>(json!({"metadata": {"name": "dev"}})).await;
    let held = json!({"metadata": {"name": "held", "namespace": "dev", "finalizers": ["example.com/hold"]}});
    let api = cluster.registry.api::<Secret>();
    let held: Secret = serde_json::from_value(held).expect("a secret");
    api.create(&held).await.expect("it is new");
    cluster.delete::<Namespace>("", "dev", None).await;
    let said = |c: &Cluster, kind: &str| {
        let namespace = c.one::<Namespace>("", "dev")?;
        let conditions = namespace.status.as_ref()?.conditions.as_ref()?;
        let condition = conditions.iter().find(|c| c.type_ == kind)?;
        Some((condition.status.clone(), condition.message.clone().unwrap_or_default()))
    };
    cluster
        .until("the secret to be all that is left", |c| {
            said(c, "NamespaceContentRemaining").is_some_and(|(status, words)| {
                status == "True" && words == "Some resources are remaining: secrets. has 1 resource instances"
            })
        })
        .await;
    assert_eq!(
        said(&cluster, "NamespaceFinalizersRemaining").map(|(_, words)| words).as_deref(),
        Some("Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances")
    );
    api.patch_merge("dev", "held", json!({"metadata": {"finalizers": null}})).await.expect("it is there");
    cluster.until("its end", |c| c.one::<Namespace>("", "dev").is_none()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_secret_is_filled_and_goes_with_its_account() {
    let cluster = Cluster::start().await;
    cluster.create::<ServiceAccount>(json!({"metadata": {"name": "robot", "namespace": "default"}})).await;
    let secret = |name: &str, account: &str| -> Secret {
        serde_json::from_value(json!({
            "metadata": {
                "name": name, "namespace": "default", "annotations": {"kubernetes.io/service-account.name": account},
            },
            "type": "kubernetes.io/service-account-token",
        }))
        .expect("a secret")
    };
    let api = cluster.registry.api::<Secret>();
    api.create(&secret("robot-token", "robot")).await.expect("it is new");
    api.create(&secret("lost-token", "nobody")).await.expect("it is new");
    let store = cluster.registry.store();
    let mut secrets = store.watch(Interest::all("secrets"), store.revision()).expect("the present is remembered");
    let data = |name: &str| api.get("default", name).ok().and_then(|s| s.data);
    while data("robot-token").is_none() || api.get("default", "lost-token").is_ok() {
        secrets.next().await.expect("the store is open");
    }
    let data = data("robot-token").unwrap_or_default();
    assert_eq!(data.get("namespace").map(|v| v.0.clone()), Some(b"default".to_vec()));
    assert_eq!(data.get("ca.crt").map(|v| v.0.clone()), Some(b"PEM".to_vec()));
    assert_eq!(data.get("token").map(|v| v.0.split(|b| *b == b'.').count()), Some(3));
    cluster.delete::<ServiceAccount>("default", "robot", None).await;
    while api.get("default", "robot-token").is_ok() {
        secrets.next().await.expect("the store is open");
    }
}
