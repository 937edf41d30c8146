//! Pods of nodes that are gone: nobody is left to end them, so they are deleted here.

use std::sync::Arc;

use futures::future::join_all;
use k8s_openapi::api::core::v1::{Node, Pod};
use objects::pods;

use super::{Context, Key, Next, Queue, feed};
use crate::registry::{Api, DeleteOptions, Informer};
use crate::status::Status;

const AT_ONCE: usize = 4;

/// Deletes pods whose node has been gone for a while; keys are nodes.
pub(super) fn run(context: &Context) -> impl Future<Output = ()> + Send + use<> {
    let grace = context.config.orphan_grace;
    let lost = Lost {
        nodes: context.registry.informer(),
        pods: context.registry.informer(),
        api: context.api(),
        queue: Queue::new(),
    };
    async move {
        lost.nodes.synced().await;
        lost.pods.synced().await;
        futures::join!(
            feed(lost.nodes.subscribe(), |change| {
                if let (Some(node), None) = (&change.old, &change.new) {
                    lost.queue.add_after(Key::of(&**node), grace);
                }
            }),
            feed(lost.pods.subscribe(), |change| {
                let Some(node) = change.new.as_deref().map(pods::node).filter(|n| !n.is_empty()) else { return };
                if lost.nodes.get("", node).is_none() {
                    lost.queue.add_after(Key::new("", node), grace);
                }
            }),
            lost.queue.work(AT_ONCE, |key| lost.reconcile(key)),
        );
    }
}

struct Lost {
    nodes: Arc<Informer<Node>>,
    pods: Arc<Informer<Pod>>,
    api: Api<Pod>,
    queue: Queue<Key>,
}

impl Lost {
    async fn reconcile(&self, key: Key) -> Result<Next, Status> {
        if self.nodes.get("", &key.name).is_some() {
            return Ok(Next::Done);
        }
        let orphans = self.pods.list(None).into_iter().filter(|p| pods::node(p) == &*key.name);
        let deletions = orphans.map(|pod| async move {
            let meta = &pod.metadata;
            let (namespace, name) =
                (meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default());
            tracing::info!(node = pods::node(&pod), pod = %Key::of(&*pod), "the pod's node is gone; deleting the pod");
            let options = DeleteOptions { grace: Some(0), uid: meta.uid.clone(), ..DeleteOptions::default() };
            self.api.delete(namespace, name, &options).await.map(drop)
        });
        let failure = join_all(deletions).await.into_iter().filter_map(Result::err).find(|s| !s.is_not_found());
        failure.map_or(Ok(Next::Done), Err)
    }
}
