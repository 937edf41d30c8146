//! A control plane without a socket, and a node without containers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::{
    ConfigMap, Endpoints, Event, Namespace, Node, PersistentVolume, PersistentVolumeClaim, Pod, ResourceQuota,
    ServiceAccount,
};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use objects::{nodes, pods};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::auth::{ServiceAccounts, TokenKey};
use crate::controllers::{ApiEndpoint, Config, Error, feed, run};
use crate::registry::{DeleteOptions, Informed, Object, Propagation, Registry};
use crate::store::{self, Interest, Store};

const PATIENCE: Duration = Duration::from_secs(20);

/// A control plane with one node whose pods are ready as soon as they are bound, unless their image is `broken`.
pub(super) struct Cluster {
    pub registry: Registry,
    loops: JoinHandle<Result<(), Error>>,
    _node: JoinHandle<()>,
    _stop: DropGuard,
}

impl Cluster {
    pub async fn start() -> Self {
        let store = Store::open(store::Config { path: None, ..store::Config::default() }).expect("a store in memory");
        let registry = Registry::new(store, "10.43.0.0/16".parse().expect("a range"));
        let stop = CancellationToken::new();
        let api = ApiEndpoint { cluster_ip: [10, 43, 0, 1].into(), address: [127, 0, 0, 1].into(), port: 6443 };
        let key = TokenKey::open(None).expect("a key");
        let accounts = Some(Arc::new(ServiceAccounts::new(key, "cluster.local", registry.store().clone())));
        let config = Config {
            root_certificate: "PEM".to_owned(),
            client_authorities: "PEM".to_owned(),
            accounts,
            api: Some(api),
            ..Config::default()
        };
        let loops = tokio::spawn(run(config, registry.clone(), stop.clone()));
        let cluster = Self { _node: tokio::spawn(node(registry.clone())), registry, loops, _stop: stop.drop_guard() };
        cluster.until("namespaces and node", |c| c.all::<Namespace>().len() == 4 && has_ready_node(c)).await;
        cluster
    }

    /// All objects of a kind, as the store has them: an informer may not have heard yet of what was made, or is gone.
    pub fn all<K: Object>(&self) -> Vec<K> {
        let listing = self.registry.store().list(&self.registry.api::<K>().resource().stored, None);
        let decoded = listing.entries.iter().map(|e| serde_json::from_slice(&e.bytes));
        decoded.collect::<Result<_, _>>().expect("what is stored can be read")
    }

    /// One object, as the store has it.
    pub fn one<K: Object>(&self, namespace: &str, name: &str) -> Option<K> {
        self.registry.api::<K>().get(namespace, name).ok()
    }

    pub async fn create<K: Informed>(&self, object: Value) -> K {
        let object: K = serde_json::from_value(object).expect("a well-formed object");
        self.registry.api::<K>().create(&object).await.expect("a valid object")
    }

    pub async fn patch<K: Informed>(&self, name: &str, patch: Value) {
        self.registry.api::<K>().patch_merge("default", name, patch).await.expect("a valid patch");
    }

    pub async fn delete<K: Informed>(&self, namespace: &str, name: &str, propagation: Option<Propagation>) {
        let options = DeleteOptions { propagation, ..DeleteOptions::default() };
        self.registry.api::<K>().delete(namespace, name, &options).await.expect("it is there");
    }

    /// Waits for a state, looking whenever something changed.
    pub async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let mut pods = self.registry.informer::<Pod>().subscribe();
        let mut sets = self.registry.informer::<ReplicaSet>().subscribe();
        let mut deployments = self.registry.informer::<Deployment>().subscribe();
        let mut slices = self.registry.informer::<EndpointSlice>().subscribe();
        let mut endpoints = self.registry.informer::<Endpoints>().subscribe();
        let mut namespaces = self.registry.informer::<Namespace>().subscribe();
        let mut maps = self.registry.informer::<ConfigMap>().subscribe();
        let mut nodes = self.registry.informer::<Node>().subscribe();
        let mut accounts = self.registry.informer::<ServiceAccount>().subscribe();
        let mut quotas = self.registry.informer::<ResourceQuota>().subscribe();
        let mut claims = self.registry.informer::<PersistentVolumeClaim>().subscribe();
        let mut volumes = self.registry.informer::<PersistentVolume>().subscribe();
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
                    _ = accounts.recv() => {}
                    _ = quotas.recv() => {}
                    _ = claims.recv() => {}
                    _ = volumes.recv() => {}
                    _ = events.next() => {}
                }
            }
        };
        if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
            panic!("waited in vain for {what}:{}", self.state());
        }
    }

    /// What there is, for the message of a test that failed.
    pub fn state(&self) -> String {
        let resources = ["deployments.apps", "replicasets.apps", "pods", "endpointslices.discovery.k8s.io", "events"];
        let entries = resources.iter().flat_map(|r| self.registry.store().list(r, None).entries);
        entries.map(|e| format!("\n{} {}", e.key, String::from_utf8_lossy(&e.bytes))).collect()
    }

    pub fn events(&self, reason: &str) -> Vec<String> {
        let listing = self.registry.store().list("events", None);
        let events = listing.entries.iter().filter_map(|e| serde_json::from_value::<Event>(e.value()).ok());
        events.filter(|e| e.reason.as_deref() == Some(reason)).filter_map(|e| e.message).collect()
    }

    /// Size and template hash of each set that asks for pods.
    pub fn active_sets(&self) -> BTreeMap<String, i32> {
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
