//! Quotas: their status says what their namespace's objects take, counted anew whenever something goes away.
//!
//! Admission adds to the count; here it is put right. The quotas' own changes come by informer. Which namespaces have lost
//! something, of whatever kind, the registry tells: it alone sees all kinds without watching each.

use std::sync::Arc;

use k8s_openapi::api::core::v1::ResourceQuota;

use super::{Context, Key, Next, Queue, feed};
use crate::registry::{Informer, Registry};
use crate::status::Status;

const AT_ONCE: usize = 2;

/// Counts; keys are namespaces.
pub(super) fn run(context: &Context) -> impl Future<Output = ()> + Send + use<> {
    Counts { quotas: context.registry.informer(), registry: context.registry.clone(), queue: Queue::new() }.run()
}

struct Counts {
    quotas: Arc<Informer<ResourceQuota>>,
    registry: Registry,
    queue: Queue<Key>,
}

impl Counts {
    async fn run(self) {
        self.quotas.synced().await;
        futures::join!(
            feed(self.quotas.subscribe(), |change| {
                let Some(quota) = &change.new else { return };
                if change.old.as_ref().is_none_or(|old| old.spec != quota.spec) {
                    self.queue.add(Key::new("", quota.metadata.namespace.as_deref().unwrap_or_default()));
                }
            }),
            self.follow(),
            self.queue.work(AT_ONCE, |key| self.reconcile(key)),
        );
    }

    /// What went away, and creates that failed after they were charged.
    async fn follow(&self) {
        loop {
            for namespace in self.registry.quotas().ledger.wanted().await {
                self.queue.add(Key::new("", &namespace));
            }
        }
    }

    async fn reconcile(&self, key: Key) -> Result<Next, Status> {
        self.registry.quotas().recount(&self.registry, &key.name).await.map(|()| Next::Done)
    }
}
