//! Each node gets its share of the cluster's pod addresses.

mod shares;

use std::sync::Arc;

use k8s_openapi::api::core::v1::Node;
use parking_lot::Mutex;
use serde_json::json;

use super::{Context, Key, Next, Queue, Recorder, feed};
use crate::registry::{Api, Informer};
use crate::status::Status;
use shares::Shares;

/// Gives nodes without a `podCIDR` one.
pub(super) fn run(context: &Context) -> impl Future<Output = ()> + Send + use<> {
    let config = &context.config;
    let shares = Shares::new(&config.cluster_cidr, config.node_mask);
    Cidrs {
        nodes: context.registry.informer(),
        api: context.api(),
        events: context.recorder("cidrAllocator"),
        shares: shares.map(Mutex::new),
        queue: Queue::new(),
    }
    .run()
}

struct Cidrs {
    nodes: Arc<Informer<Node>>,
    api: Api<Node>,
    events: Recorder,
    shares: Option<Mutex<Shares>>,
    queue: Queue<Key>,
}

impl Cidrs {
    async fn run(self) {
        let Some(shares) = &self.shares else {
            tracing::error!("the cluster's address range cannot be divided among nodes; nodes get no share of it");
            return std::future::pending().await;
        };
        self.nodes.synced().await;
        // What nodes hold already is taken before anything is given.
        for node in self.nodes.list(None) {
            cidr(&node).into_iter().for_each(|held| shares.lock().take(held));
        }
        futures::join!(
            feed(self.nodes.subscribe(), |change| match (&change.old, &change.new) {
                (Some(old), None) => {
                    cidr(old).into_iter().for_each(|held| shares.lock().release(held));
                    self.wake_waiting();
                }
                (_, Some(node)) => match cidr(node) {
                    Some(held) => shares.lock().take(held),
                    None => self.queue.add(Key::of(&**node)),
                },
                (None, None) => {}
            }),
            self.queue.work(1, |key| self.reconcile(key, shares)),
        );
    }

    fn wake_waiting(&self) {
        for node in self.nodes.list(None).iter().filter(|n| cidr(n).is_none()) {
            self.queue.add(Key::of(&**node));
        }
    }

    async fn reconcile(&self, key: Key, shares: &Mutex<Shares>) -> Result<Next, Status> {
        let node = match self.api.get("", &key.name) {
            Err(status) if status.is_not_found() => return Ok(Next::Done),
            found => found?,
        };
        if cidr(&node).is_some() {
            return Ok(Next::Done);
        }
        let Some(share) = shares.lock().next() else {
            self.events.normal(&node, "CIDRNotAvailable", format!("Node {key} status is now: CIDRNotAvailable"));
            return Ok(Next::Done);
        };
        let patch = json!({ "spec": { "podCIDR": share, "podCIDRs": [share] } });
        let given = self.api.patch_merge("", &key.name, patch).await;
        if given.is_err() {
            shares.lock().release(&share);
        }
        given.map(|_| Next::Done)
    }
}

fn cidr(node: &Node) -> Option<&str> {
    node.spec.as_ref()?.pod_cidr.as_deref().filter(|c| !c.is_empty())
}
