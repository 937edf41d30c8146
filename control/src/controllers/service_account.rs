//! Every namespace has a ServiceAccount `default`, for pods that name none.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{Context, Key, Next, Queue, feed};
use crate::registry::{Api, Informer};
use crate::status::Status;

const AT_ONCE: usize = 4;
const NAME: &str = "default";

/// Makes the account in new namespaces, and again where it was deleted.
pub(super) fn run(context: &Context) -> impl Future<Output = ()> + Send + use<> {
    Accounts {
        namespaces: context.registry.informer(),
        accounts: context.registry.informer(),
        api: context.api(),
        queue: Queue::new(),
    }
    .run()
}

struct Accounts {
    namespaces: Arc<Informer<Namespace>>,
    accounts: Arc<Informer<ServiceAccount>>,
    api: Api<ServiceAccount>,
    queue: Queue<Key>,
}

impl Accounts {
    async fn run(self) {
        self.namespaces.synced().await;
        self.accounts.synced().await;
        futures::join!(
            feed(self.namespaces.subscribe(), |change| {
                if let (None, Some(namespace)) = (&change.old, &change.new) {
                    self.queue.add(Key::of(&**namespace));
                }
            }),
            feed(self.accounts.subscribe(), |change| {
                if let (Some(account), None) = (&change.old, &change.new)
                    && account.metadata.name.as_deref() == Some(NAME)
                {
                    self.queue.add(Key::new("", account.metadata.namespace.as_deref().unwrap_or_default()));
                }
            }),
            self.queue.work(AT_ONCE, |key| self.reconcile(key)),
        );
    }

    async fn reconcile(&self, key: Key) -> Result<Next, Status> {
        let alive = self.namespaces.get("", &key.name).is_some_and(|n| n.metadata.deletion_timestamp.is_none());
        if !alive || self.accounts.get(&key.name, NAME).is_some() {
            return Ok(Next::Done);
        }
        let metadata =
            ObjectMeta { name: Some(NAME.into()), namespace: Some(key.name.to_string()), ..ObjectMeta::default() };
        match self.api.create(&ServiceAccount { metadata, ..ServiceAccount::default() }).await {
            Err(status) if !status.is_conflict() => Err(status),
            _ => Ok(Next::Done),
        }
    }
}
