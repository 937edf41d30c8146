//! The loops together, over a registry in memory and a node that exists only here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::{ConfigMap, Endpoints, Event, Namespace, Node, Pod, Service, ServiceAccount};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use objects::{nodes, owners, pods};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::*;
use crate::registry::{DeleteOptions, Informed, Propagation};
use crate::store::{self, Interest, Store};

const PATIENCE: Duration = Duration::from_secs(20);

/// A control plane with one node whose pods are ready as soon as they are bound, unless their image is `broken`.
struct Cluster {
    registry: Registry,
    loops: JoinHandle<Result<(), Error>>,
    _node: JoinHandle<()>,
    _stop: DropGuard,
}

impl Cluster {
    async fn start() -> Self {
        let store = Store::open(store::Config { path: None, ..store::Config::default() }).expect("a store in memory");
        let registry = Registry::new(store, "10.43.0.0/16".parse().expect("a range"));
        let stop = CancellationToken::new();
        let api = ApiEndpoint { cluster_ip: [10, 43, 0, 1].into(), address: [127, 0, 0, 1].into(), port: 6443 };
        let config = Config { root_certificate: "PEM".to_owned(), api: Some(api), ..Config::default() };
        let loops = tokio::spawn(run(config, registry.clone(), stop.clone()));
        let cluster = Self { _node: tokio::spawn(node(registry.clone())), registry, loops, _stop: stop.drop_guard() };
        cluster.until("namespaces and node", |c| c.all::<Namespace>().len() == 4 && has_ready_node(c)).await;
        cluster
    }

    fn all<K: Informed>(&self) -> Vec<Arc<K>> {
        self.registry.informer::<K>().list(None)
    }

    fn one<K: Informed>(&self, namespace: &str, name: &str) -> Option<Arc<K>> {
        self.registry.informer::<K>().get(namespace, name)
    }

    async fn create<K: Informed>(&self, object: Value) -> K {
        let object: K = serde_json::from_value(object).expect("a well-formed object");
        self.registry.api::<K>().create(&object).await.expect("a valid object")
    }

    async fn patch<K: Informed>(&self, name: &str, patch: Value) {
        self.registry.api::<K>().patch_merge("default", name, patch).await.expect("a valid patch");
    }

    async fn delete<K: Informed>(&self, namespace: &str, name: &str, propagation: Option<Propagation>) {
        let options = DeleteOptions { propagation, ..DeleteOptions::default() };
        self.registry.api::<K>().delete(namespace, name, &options).await.expect("it is there");
    }

    /// Waits for a state, looking whenever something changed.
    async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let mut pods = self.registry.informer::<Pod>().subscribe();
        let mut sets = self.registry.informer::<ReplicaSet>().subscribe();
        let mut deployments = self.registry.informer::<Deployment>().subscribe();
        let mut slices = self.registry.informer::<EndpointSlice>().subscribe();
        let mut endpoints = self.registry.informer::<Endpoints>().subscribe();
        let mut namespaces = self.registry.informer::<Namespace>().subscribe();
        let mut maps = self.registry.informer::<ConfigMap>().subscribe();
        let mut nodes = self.registry.informer::<Node>().subscribe();
        let store = self.registry.store();
        let mut events = store.watch(Interest::all("events"), store.revision()).expect("the present is remembered");
        let waiting = async {
            while !holds(self) {
                assert!(!self.loops.is_finished(), "a loop stopped");
                tokio::select! {
                    _ = pods.recv() => {}
                    _ = sets.recv() => {}
                    _ = deployments.recv() => {}
                    _ = slices.recv() => {}
                    _ = endpoints.recv() => {}
                    _ = namespaces.recv() => {}
                    _ = maps.recv() => {}
                    _ = nodes.recv() => {}
                    _ = events.next() => {}
                }
            }
        };
        if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
            panic!("waited in vain for {what}:{}", self.state());
        }
    }

    /// What there is, for the message of a test that failed.
    fn state(&self) -> String {
        let resources = ["deployments.apps", "replicasets.apps", "pods", "endpointslices.discovery.k8s.io", "events"];
        let entries = resources.iter().flat_map(|r| self.registry.store().list(r, None).entries);
        entries.map(|e| format!("\n{} {}", e.key, String::from_utf8_lossy(&e.bytes))).collect()
    }

    fn events(&self, reason: &str) -> Vec<String> {
        let listing = self.registry.store().list("events", None);
        let events = listing.entries.iter().filter_map(|e| serde_json::from_value::<Event>(e.value()).ok());
        events.filter(|e| e.reason.as_deref() == Some(reason)).filter_map(|e| e.message).collect()
    }

    /// Size and template hash of each set that asks for pods.
    fn active_sets(&self) -> BTreeMap<String, i32> {
        let sets = self.all::<ReplicaSet>();
        let sized = sets.iter().filter_map(|s| {
            let size = s.spec.as_ref()?.replicas.filter(|n| *n > 0)?;
            Some((s.metadata.name.clone()?, size))
        });
        sized.collect()
    }
}

fn has_ready_node(cluster: &Cluster) -> bool {
    cluster.all::<Node>().iter().any(|n| nodes::is_ready(n) && nodes::taints(n).is_empty())
}

/// Plays the node's agent.
async fn node(registry: Registry) {
    let node = json!({
        "metadata": {"name": "n1", "labels": {"kubernetes.io/hostname": "n1"}},
        "status": {
            "allocatable": {"cpu": "64", "memory": "64Gi", "pods": "5000"},
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    });
    let node: Node = serde_json::from_value(node).expect("a node");
    registry.api::<Node>().create(&node).await.expect("the node is new");
    registry.api::<Node>().update_status(&node).await.ok();
    let api = registry.api::<Pod>();
    let addresses = std::sync::atomic::AtomicU32::new(0);
    feed(registry.informer::<Pod>().subscribe(), |change| {
        let Some(pod) = change.new.clone().filter(|p| pods::node(p) == "n1") else { return };
        let api = api.clone();
        let (namespace, name) =
            (pod.metadata.namespace.clone().unwrap_or_default(), pod.metadata.name.clone().unwrap_or_default());
        if pods::is_terminating(&pod) {
            let uid = pod.metadata.uid.clone().unwrap_or_default();
            tokio::spawn(async move { api.delete(&namespace, &name, &DeleteOptions::now(&uid)).await });
        } else if pods::phase(&pod) != "Running" {
            let n = addresses.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let broken = pod.spec.iter().flat_map(|s| &s.containers).any(|c| c.image.as_deref() == Some("broken"));
            let ready = if broken { "False" } else { "True" };
            let ip = format!("10.42.{}.{}", n / 250, n % 250 + 1);
            let status = json!({"status": {
                "phase": "Running",
                "podIP": ip,
                "podIPs": [{"ip": ip}],
                "conditions": [
                    {"type": "PodScheduled", "status": "True"},
                    {"type": "Ready", "status": ready, "lastTransitionTime": objects::time::now()},
                ],
            }});
            tokio::spawn(async move { api.patch_status_merge(&namespace, &name, status).await });
        }
    })
    .await;
}

fn deployment(name: &str, replicas: i32, image: &str, strategy: Value) -> Value {
    json!({
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "strategy": strategy,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "web", "image": image}]},
            },
        },
    })
}

fn image(name: &str) -> Value {
    json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "image": name}]}}}})
}

fn rolling(surge: Value, unavailable: Value) -> Value {
    json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}})
}

/// All pods of the latest generation there, and reported.
fn is_complete(cluster: &Cluster, name: &str, replicas: i32) -> bool {
    let Some(deployment) = cluster.one::<Deployment>("default", name) else { return false };
    let Some(status) = &deployment.status else { return false };
    let is = |n: Option<i32>| n.unwrap_or(0) == replicas;
    status.observed_generation == deployment.metadata.generation
        && is(status.replicas)
        && is(status.updated_replicas)
        && is(status.available_replicas)
        && (replicas > 0) == (progressing(&deployment) == "NewReplicaSetAvailable")
}

fn progressing(deployment: &Deployment) -> String {
    let held = deployment.status.as_ref().and_then(|s| s.conditions.as_deref());
    objects::conditions::find(held, "Progressing").and_then(|c| c.reason.clone()).unwrap_or_default()
}

fn revision(deployment: &Deployment) -> &str {
    let annotations = deployment.metadata.annotations.as_ref();
    annotations.and_then(|a| a.get("deployment.kubernetes.io/revision")).map_or("", String::as_str)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_rolls_out_rolls_back_and_goes() {
    let cluster = Cluster::start().await;
    cluster.create::<Deployment>(deployment("web", 3, "one", rolling(json!(1), json!(0)))).await;
    cluster.until("the first roll-out", |c| is_complete(c, "web", 3)).await;
    let first = cluster.active_sets();
    let found = cluster.one::<Deployment>("default", "web").expect("it is there");
    assert_eq!((revision(&found), found.metadata.generation), ("1", Some(1)));
    let name = first.keys().next().cloned().unwrap_or_default();
    assert_eq!(cluster.events("ScalingReplicaSet"), [format!("Scaled up replica set {name} from 0 to 3")]);

    let fewest = {
        let mut pods = cluster.registry.informer::<Pod>().subscribe();
        let registry = cluster.registry.clone();
        tokio::spawn(async move {
            let mut fewest = usize::MAX;
            while let Ok(Some(_)) = tokio::time::timeout(Duration::from_millis(500), pods.recv()).await {
                let ready = registry.informer::<Pod>().list(None);
                fewest = fewest.min(ready.iter().filter(|p| pods::is_ready(p) && pods::is_active(p)).count());
            }
            fewest
        })
    };
    cluster.patch::<Deployment>("web", image("two")).await;
    cluster.until("the second roll-out", |c| is_complete(c, "web", 3)).await;
    assert_eq!(fewest.await.expect("a count"), 3, "no pod went before another was ready");
    assert_ne!(cluster.active_sets(), first);
    assert_eq!(cluster.all::<ReplicaSet>().len(), 2);

    cluster.patch::<Deployment>("web", image("broken")).await;
    cluster.until("the surge", |c| c.active_sets().len() == 2 && c.all::<Pod>().len() == 4).await;
    cluster.patch::<Deployment>("web", image("one")).await;
    cluster.until("the way back", |c| is_complete(c, "web", 3) && c.active_sets() == first).await;
    let found = cluster.one::<Deployment>("default", "web").expect("it is there");
    assert_eq!(revision(&found), "4");
    let history = cluster.one::<ReplicaSet>("default", &name).and_then(|s| s.metadata.annotations.clone());
    assert_eq!(history.and_then(|a| a.get("deployment.kubernetes.io/revision-history").cloned()).as_deref(), Some("1"));

    cluster.delete::<Deployment>("default", "web", None).await;
    cluster.until("nothing", |c| c.all::<ReplicaSet>().is_empty() && c.all::<Pod>().is_empty()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recreate_pause_scale_and_history() {
    let cluster = Cluster::start().await;
    let mut manifest = deployment("web", 2, "one", json!({"type": "Recreate"}));
    manifest["spec"]["revisionHistoryLimit"] = json!(1);
    cluster.create::<Deployment>(manifest).await;
    cluster.until("the first roll-out", |c| is_complete(c, "web", 2)).await;
    for next in ["two", "three", "four"] {
        cluster.patch::<Deployment>("web", image(next)).await;
        cluster.until(next, |c| is_complete(c, "web", 2)).await;
    }
    cluster.until("a short history", |c| c.all::<ReplicaSet>().len() == 2).await;

    let before = cluster.active_sets();
    cluster.patch::<Deployment>("web", json!({"spec": {"paused": true}})).await;
    cluster.patch::<Deployment>("web", image("five")).await;
    cluster.patch::<Deployment>("web", json!({"spec": {"replicas": 5}})).await;
    cluster.until("a larger old set", |c| c.active_sets().values().sum::<i32>() == 5).await;
    assert_eq!(cluster.active_sets().keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    let paused =
        |c: &Cluster| c.one::<Deployment>("default", "web").is_some_and(|d| progressing(&d) == "DeploymentPaused");
    cluster.until("the pause to be reported", paused).await;
    cluster.patch::<Deployment>("web", json!({"spec": {"paused": false}})).await;
    cluster.until("the resumed roll-out", |c| is_complete(c, "web", 5)).await;
    cluster.patch::<Deployment>("web", json!({"spec": {"replicas": 0}})).await;
    cluster.until("no pods", |c| c.all::<Pod>().is_empty()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stuck_roll_out_is_reported() {
    let cluster = Cluster::start().await;
    let mut manifest = deployment("web", 1, "broken", rolling(json!("25%"), json!("25%")));
    manifest["spec"]["progressDeadlineSeconds"] = json!(1);
    cluster.create::<Deployment>(manifest).await;
    let stuck = |c: &Cluster| {
        c.one::<Deployment>("default", "web").is_some_and(|d| progressing(&d) == "ProgressDeadlineExceeded")
    };
    cluster.until("the deadline", stuck).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replica_sets_adopt_release_and_replace() {
    let cluster = Cluster::start().await;
    let lone = |name: &str| {
        json!({
            "metadata": {"name": name, "namespace": "default", "labels": {"app": "rs"}},
            "spec": {"containers": [{"name": "web", "image": "one"}]},
        })
    };
    cluster.create::<Pod>(lone("lone")).await;
    let set = json!({
        "metadata": {"name": "rs", "namespace": "default"},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": "rs"}},
            "template": {
                "metadata": {"labels": {"app": "rs"}},
                "spec": {"containers": [{"name": "web", "image": "one"}]},
            },
        },
    });
    let set: ReplicaSet = cluster.create(set).await;
    let uid = set.metadata.uid.unwrap_or_default();
    let ready = |c: &Cluster, n: i32| {
        c.one::<ReplicaSet>("default", "rs").and_then(|s| s.status.clone()?.ready_replicas).unwrap_or(0) == n
    };
    cluster.until("three pods", |c| ready(c, 3) && c.all::<Pod>().len() == 3).await;
    let adopted = cluster.one::<Pod>("default", "lone").expect("the lone pod is one of them");
    assert!(owners::is_controlled_by(&adopted.metadata, &uid));

    cluster.patch::<Pod>("lone", json!({"metadata": {"labels": {"app": "other"}}})).await;
    cluster.until("a replacement", |c| ready(c, 3) && c.all::<Pod>().len() == 4).await;
    let released = cluster.one::<Pod>("default", "lone").expect("the lone pod stays");
    assert!(owners::controller_of(&released.metadata).is_none());

    cluster.create::<Pod>(lone("surplus")).await;
    cluster
        .until("the surplus pod's end", |c| {
            ready(c, 3) && c.all::<Pod>().len() == 4 && c.events("SuccessfulDelete").len() == 1
        })
        .await;
    cluster.delete::<ReplicaSet>("default", "rs", Some(Propagation::Orphan)).await;
    cluster.until("the set's end", |c| c.all::<ReplicaSet>().is_empty()).await;
    assert_eq!(cluster.all::<Pod>().iter().filter(|p| owners::references(&p.metadata).is_empty()).count(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_have_endpoints() {
    let cluster = Cluster::start().await;
    let service = json!({
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 8080, "targetPort": 80}]},
    });
    cluster.create::<Service>(service).await;
    cluster.create::<Deployment>(deployment("web", 3, "one", json!({}))).await;
    let ready = |c: &Cluster| {
        let slices = c.all::<EndpointSlice>();
        let of_web = slices.iter().filter(|s| owners::controller_of(&s.metadata).is_some_and(|o| o.name == "web"));
        let endpoints = of_web.flat_map(|s| s.endpoints.clone());
        endpoints.filter(|e| e.conditions.as_ref().is_some_and(|c| c.ready == Some(true))).count()
    };
    cluster.until("three endpoints", |c| ready(c) == 3).await;
    let subset = |c: &Cluster, name: &str| c.one::<Endpoints>("default", name).and_then(|e| e.subsets.clone()?.pop());
    cluster.until("three addresses", |c| subset(c, "web").and_then(|s| s.addresses).map_or(0, |a| a.len()) == 3).await;
    let ports = subset(&cluster, "web").and_then(|s| s.ports).unwrap_or_default();
    assert_eq!(ports[0].port, 80);
    cluster.patch::<Deployment>("web", json!({"spec": {"replicas": 0}})).await;
    cluster.until("no endpoints", |c| ready(c) == 0 && subset(c, "web").is_none()).await;
    cluster.delete::<Service>("default", "web", None).await;
    cluster
        .until("their end", |c| c.one::<Endpoints>("default", "web").is_none() && c.all::<EndpointSlice>().len() == 1)
        .await;

    let kubernetes = subset(&cluster, "kubernetes").and_then(|s| s.addresses).unwrap_or_default();
    assert_eq!(kubernetes[0].ip, "127.0.0.1");
    cluster.delete::<Endpoints>("default", "kubernetes", None).await;
    cluster.until("the API's endpoints", |c| subset(c, "kubernetes").is_some()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn namespaces_begin_furnished_and_end_empty() {
    let cluster = Cluster::start().await;
    cluster.create::<Namespace>(json!({"metadata": {"name": "dev"}})).await;
    let furnished = |c: &Cluster| {
        c.one::<ServiceAccount>("dev", "default").is_some() && c.one::<ConfigMap>("dev", "kube-root-ca.crt").is_some()
    };
    cluster.until("account and certificate", furnished).await;
    let mut manifest = deployment("web", 3, "one", json!({}));
    manifest["metadata"]["namespace"] = json!("dev");
    cluster.create::<Deployment>(manifest).await;
    cluster.until("pods", |c| c.all::<Pod>().len() == 3).await;
    cluster.delete::<Namespace>("", "dev", None).await;
    cluster.until("its end", |c| c.one::<Namespace>("", "dev").is_none()).await;
    assert!(cluster.all::<Pod>().is_empty() && cluster.all::<Deployment>().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_that_fits_nowhere_waits_for_room() {
    let cluster = Cluster::start().await;
    let asking = |name: &str, memory: &str| {
        json!({
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"containers": [{
                "name": "c", "image": "one", "resources": {"requests": {"memory": memory}},
            }]},
        })
    };
    let bound = |c: &Cluster, name: &str| c.one::<Pod>("default", name).is_some_and(|p| !pods::node(&p).is_empty());
    cluster.create::<Pod>(asking("first", "40Gi")).await;
    cluster.until("the first pod", |c| bound(c, "first")).await;
    cluster.create::<Pod>(asking("second", "40Gi")).await;
    let refused = |c: &Cluster| {
        let pod = c.one::<Pod>("default", "second");
        pod.is_some_and(|p| {
            pods::condition(&p, "PodScheduled").is_some_and(|s| {
                s.status == "False"
                    && s.message
                        .as_deref()
                        .is_some_and(|m| m.starts_with("0/1 nodes are available: 1 Insufficient memory."))
            })
        })
    };
    cluster.until("the refusal", refused).await;
    cluster.delete::<Pod>("default", "first", None).await;
    cluster.until("room", |c| bound(c, "second")).await;
    assert_eq!(cluster.events("FailedScheduling").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_pods_are_made_exactly() {
    let cluster = Cluster::start().await;
    let began = std::time::Instant::now();
    cluster.create::<Deployment>(deployment("web", 1000, "one", json!({}))).await;
    cluster.until("a thousand pods", |c| is_complete(c, "web", 1000)).await;
    println!("1000 pods ready and reported after {:?}", began.elapsed());
    assert_eq!(cluster.all::<Pod>().len(), 1000);
}
