//! Namespaces: one that is deleted is emptied first.

mod conditions;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, StreamExt};
use k8s_openapi::api::core::v1::{Namespace, Pod};
use objects::time;

use super::{Context, Key, Next, Queue, feed};
use crate::registry::{Change, DeleteOptions, Informer, Part, Registry, Target};
use crate::status::Status;

const AT_ONCE: usize = 4;
/// So many objects are deleted at once.
const DELETIONS: usize = 64;
/// Pods that end are seen at once; for anything else that is slow to go a namespace looks again after this long.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Empties namespaces that are deleted.
pub(super) fn run(context: &Context) -> impl Future<Output = ()> + Send + use<> {
    Namespaces {
        registry: context.registry.clone(),
        namespaces: context.registry.informer(),
        pods: context.registry.informer(),
        queue: Queue::new(),
    }
    .run()
}

struct Namespaces {
    registry: Registry,
    namespaces: Arc<Informer<Namespace>>,
    pods: Arc<Informer<Pod>>,
    queue: Queue<Key>,
}

/// What is left of one resource.
#[derive(Debug, Default, PartialEq, Eq)]
struct Left {
    count: usize,
    finalizers: BTreeMap<String, usize>,
    failure: Option<String>,
}

impl Namespaces {
    async fn run(self) {
        self.namespaces.synced().await;
        self.pods.synced().await;
        futures::join!(
            feed(self.namespaces.subscribe(), |change| {
                if let Some(namespace) = change.new.as_ref().filter(|n| n.metadata.deletion_timestamp.is_some()) {
                    self.queue.add(Key::of(&**namespace));
                }
            }),
            feed(self.pods.subscribe(), |change| self.pod_changed(change)),
            self.queue.work(AT_ONCE, |key| self.reconcile(key)),
        );
    }

    fn pod_changed(&self, change: &Change<Pod>) {
        let (Some(pod), None) = (&change.old, &change.new) else { return };
        let name = pod.metadata.namespace.as_deref().unwrap_or_default();
        if self.namespaces.get("", name).is_some_and(|n| n.metadata.deletion_timestamp.is_some()) {
            self.queue.add(Key::new("", name));
        }
    }

    async fn reconcile(&self, key: Key) -> Result<Next, Status> {
        let api = self.registry.api::<Namespace>();
        let mut namespace = match api.get("", &key.name) {
            Err(status) if status.is_not_found() => return Ok(Next::Done),
            found => found?,
        };
        let held = namespace.spec.as_ref().and_then(|s| s.finalizers.as_ref());
        let ours = held.is_some_and(|f| f.iter().any(|f| f == "kubernetes"));
        if namespace.metadata.deletion_timestamp.is_none() || !ours {
            return Ok(Next::Done);
        }
        let left = self.empty(&key.name).await;
        if left.is_empty() {
            if let Some(finalizers) = namespace.spec.as_mut().and_then(|s| s.finalizers.as_mut()) {
                finalizers.retain(|f| f != "kubernetes");
            }
            return match api.put(&namespace, Part::Finalize).await {
                Err(status) if !status.is_not_found() => Err(status),
                _ => Ok(Next::Done),
            };
        }
        let status = namespace.status.get_or_insert_default();
        if conditions::report(status.conditions.get_or_insert_default(), &left, &time::now()) {
            api.update_status(&namespace).await?;
        }
        Ok(Next::After(LOOK_AGAIN))
    }

    async fn delete(&self, target: Target) -> Result<(), Status> {
        match self.registry.delete(&target, &DeleteOptions::default()).await {
            Err(status) if !status.is_not_found() => Err(status),
            _ => Ok(()),
        }
    }

    /// Deletes what is in the namespace and returns what is left, by resource.
    async fn empty(&self, namespace: &str) -> BTreeMap<String, Left> {
        let mut left = BTreeMap::new();
        let resources: Vec<_> =
            self.registry.resources().iter().filter(|r| r.row.namespaced && r.is_shown_as_stored()).cloned().collect();
        for resource in resources {
            let entries = self.registry.store().list(&resource.stored, Some(namespace)).entries;
            let targets: Vec<Target> =
                entries.iter().map(|entry| Target::new(&resource, namespace, &entry.key.name)).collect();
            let mut failure = None;
            let mut deletions = stream::iter(targets).map(|t| self.delete(t)).buffer_unordered(DELETIONS);
            while let Some(result) = deletions.next().await {
                failure = failure.or(result.err());
            }
            let still = self.registry.store().list(&resource.stored, Some(namespace)).entries;
            if still.is_empty() && failure.is_none() {
                continue;
            }
            let mut finalizers = BTreeMap::new();
            for entry in &still {
                let value = entry.value();
                let listed = value.pointer("/metadata/finalizers").and_then(|f| f.as_array());
                for finalizer in listed.into_iter().flatten().filter_map(|f| f.as_str()) {
                    *finalizers.entry(finalizer.to_owned()).or_default() += 1;
                }
            }
            let failure = failure.map(|s| s.message().to_owned());
            left.insert(resource.qualified.to_string(), Left { count: still.len(), finalizers, failure });
        }
        left
    }
}
