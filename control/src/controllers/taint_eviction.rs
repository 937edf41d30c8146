//! Pods leave nodes with `NoExecute` taints: at once, or when the time that they tolerate is over.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, Pod};
use objects::taints::{self, Stay};
use objects::{nodes, pods, time};

use super::{Context, Key, Next, Queue, Recorder, feed};
use crate::registry::{Api, Change, DeleteOptions, Informer};
use crate::status::Status;

const AT_ONCE: usize = 16;

/// Evicts pods from tainted nodes; keys are pods.
pub(super) fn run(context: &Context) -> impl Future<Output = ()> + Send + use<> {
    Evictions {
        nodes: context.registry.informer(),
        pods: context.registry.informer(),
        api: context.api(),
        events: context.recorder("taint-eviction-controller"),
        queue: Queue::new(),
    }
    .run()
}

struct Evictions {
    nodes: Arc<Informer<Node>>,
    pods: Arc<Informer<Pod>>,
    api: Api<Pod>,
    events: Recorder,
    queue: Queue<Key>,
}

impl Evictions {
    async fn run(self) {
        self.nodes.synced().await;
        self.pods.synced().await;
        futures::join!(
            feed(self.nodes.subscribe(), |change| self.node_changed(change)),
            feed(self.pods.subscribe(), |change| {
                if let Some(pod) = change.new.as_ref().filter(|p| newly_placed(change.old.as_deref(), p))
                    && self.nodes.get("", pods::node(pod)).is_some_and(|n| evicts(&n))
                {
                    self.queue.add(Key::of(&**pod));
                }
            }),
            self.queue.work(AT_ONCE, |key| self.reconcile(key)),
        );
    }

    fn node_changed(&self, change: &Change<Node>) {
        let Some(node) = &change.new else { return };
        let before = change.old.as_deref().map(nodes::taints).unwrap_or_default();
        if before == nodes::taints(node) {
            return;
        }
        let name = node.metadata.name.as_deref().unwrap_or_default();
        for pod in self.pods.list(None).iter().filter(|p| pods::node(p) == name) {
            self.queue.add(Key::of(&**pod));
        }
    }

    async fn reconcile(&self, key: Key) -> Result<Next, Status> {
        let Some(pod) = self.pods.get(&key.namespace, &key.name) else { return Ok(Next::Done) };
        let Some(node) = self.nodes.get("", pods::node(&pod)) else { return Ok(Next::Done) };
        if pods::is_terminating(&pod) {
            return Ok(Next::Done);
        }
        if let Some(left) = left(&pod, &node) {
            return Ok(if left == Duration::MAX { Next::Done } else { Next::After(left) });
        }
        self.events.normal(&*pod, "TaintManagerEviction", format!("Marking for deletion Pod {key}"));
        let options = DeleteOptions { uid: pod.metadata.uid.clone(), ..DeleteOptions::default() };
        match self.api.delete(&key.namespace, &key.name, &options).await {
            Err(status) if !status.is_not_found() => Err(status),
            _ => Ok(Next::Done),
        }
    }
}

fn newly_placed(old: Option<&Pod>, new: &Pod) -> bool {
    !pods::node(new).is_empty() && old.is_none_or(|o| pods::node(o).is_empty())
}

fn evicts(node: &Node) -> bool {
    nodes::taints(node).iter().any(|t| t.effect == taints::NO_EXECUTE)
}

/// How much longer the pod may stay; `MAX` for ever, nothing when its time is over.
fn left(pod: &Pod, node: &Node) -> Option<Duration> {
    let tolerations = pod.spec.as_ref().and_then(|s| s.tolerations.as_deref()).unwrap_or_default();
    let taints = nodes::taints(node);
    match taints::stay(tolerations, taints) {
        Stay::Forever => Some(Duration::MAX),
        Stay::Leave => None,
        Stay::Seconds(seconds) => {
            let added = taints.iter().filter(|t| t.effect == taints::NO_EXECUTE).filter_map(|t| t.time_added.as_ref());
            let now = time::now();
            let until = time::plus_seconds(added.min().unwrap_or(&now), seconds);
            Duration::try_from(time::since(&now, &until)).ok().filter(|left| !left.is_zero())
        }
    }
}
