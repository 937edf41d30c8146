//! Nodes that fall silent: marked `Unknown`, tainted, their pods no longer ready.
//!
//! A node renews its lease in `kube-node-lease`. What counts is when this process saw the renewal, so that clocks need not
//! agree and a cluster that was off for a night does not begin with dead nodes.

mod health;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Node, Pod};
use objects::{conditions, pods, time};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::{Context, Key, Next, Queue, Recorder, feed};
use crate::registry::{Api, Change, Informer, Part};
use crate::status::Status;

const AT_ONCE: usize = 4;
const LEASES: &str = "kube-node-lease";

/// Watches over the nodes' leases.
pub(super) fn run(context: &Context) -> impl Future<Output = ()> + Send + use<> {
    Lifecycle {
        nodes: context.registry.informer(),
        leases: context.registry.informer(),
        pods: context.registry.informer(),
        api: context.api(),
        pod_api: context.api(),
        events: context.recorder("node-controller"),
        heard: Mutex::new(HashMap::new()),
        grace: context.config.node_grace,
        queue: Queue::new(),
    }
    .run()
}

struct Lifecycle {
    nodes: Arc<Informer<Node>>,
    leases: Arc<Informer<Lease>>,
    pods: Arc<Informer<Pod>>,
    api: Api<Node>,
    pod_api: Api<Pod>,
    events: Recorder,
    heard: Mutex<HashMap<String, Instant>>,
    grace: Duration,
    queue: Queue<Key>,
}

impl Lifecycle {
    async fn run(self) {
        self.nodes.synced().await;
        self.leases.synced().await;
        self.pods.synced().await;
        futures::join!(
            feed(self.nodes.subscribe(), |change| self.node_changed(change)),
            feed(self.leases.subscribe(), |change| self.lease_changed(change)),
            self.queue.work(AT_ONCE, |key| self.reconcile(key)),
        );
    }

    fn node_changed(&self, change: &Change<Node>) {
        let Some(node) = change.object() else { return };
        let name = node.metadata.name.as_deref().unwrap_or_default();
        match (&change.old, &change.new) {
            (_, None) => drop(self.heard.lock().remove(name)),
            (None, Some(_)) => self.hear(name),
            (Some(old), Some(new)) if health::heartbeat(old) != health::heartbeat(new) => self.hear(name),
            _ => {}
        }
        self.queue.add(Key::of(&**node));
    }

    fn lease_changed(&self, change: &Change<Lease>) {
        let Some(lease) = change.new.as_ref().filter(|l| l.metadata.namespace.as_deref() == Some(LEASES)) else {
            return;
        };
        let name = lease.metadata.name.as_deref().unwrap_or_default();
        self.hear(name);
        // A living node needs no work for a heartbeat; one that was given up does.
        if self.nodes.get("", name).is_some_and(|n| health::is_unknown(&n)) {
            self.queue.add(Key::new("", name));
        }
    }

    fn hear(&self, node: &str) {
        self.heard.lock().insert(node.to_owned(), Instant::now());
    }

    async fn reconcile(&self, key: Key) -> Result<Next, Status> {
        let Some(node) = self.nodes.get("", &key.name) else { return Ok(Next::Done) };
        let silent = self.heard.lock().get(&*key.name).map_or(Duration::ZERO, Instant::elapsed);
        if silent < self.grace {
            self.taint(&node).await?;
            return Ok(Next::After(self.grace - silent));
        }
        if let Some(lost) = health::given_up(&node, &time::now()) {
            let lost = self.api.put(&lost, Part::Status).await?;
            self.events.normal(&lost, "NodeNotReady", format!("Node {key} status is now: NodeNotReady"));
            self.taint(&lost).await?;
            self.unready_pods(&key.name).await?;
            return Ok(Next::Done);
        }
        self.taint(&node).await?;
        Ok(Next::Done)
    }

    async fn taint(&self, node: &Node) -> Result<(), Status> {
        match health::tainted(node, &time::now()) {
            Some(node) => self.api.update(&node).await.map(drop),
            None => Ok(()),
        }
    }

    /// A silent node's pods get no traffic.
    async fn unready_pods(&self, node: &str) -> Result<(), Status> {
        let ready = self.pods.list(None).into_iter().filter(|p| pods::node(p) == node && pods::is_ready(p));
        let writes = ready.map(|pod| async move {
            let mut pod = (*pod).clone();
            let held = pod.status.get_or_insert_default().conditions.get_or_insert_default();
            if let Some(mut ready) = conditions::find(Some(held), "Ready").cloned() {
                ready.status = "False".to_owned();
                ready.last_transition_time = Some(time::now());
                conditions::set(held, ready);
            }
            self.pod_api.update_status(&pod).await.map(drop)
        });
        let failure = join_all(writes).await.into_iter().filter_map(Result::err).find(|s| !s.is_not_found());
        failure.map_or(Ok(()), Err)
    }
}
