//! Namespaces: one that is deleted is emptied first.

mod conditions;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, StreamExt};
use k8s_openapi::api::core::v1::Namespace;
use objects::time;
use parking_lot::Mutex;
use serde_json::Value;

use super::{Context, Key, Next, Queue, feed};
use crate::registry::{DeleteOptions, Informer, Part, Registry, Target};
use crate::status::Status;
use crate::store::{Change, Entry, Event, Interest};

const AT_ONCE: usize = 4;
/// So many objects are deleted at once.
const DELETIONS: usize = 64;
/// What could not be deleted is tried again after this long.
const TRY_AGAIN: Duration = Duration::from_secs(5);

/// Empties namespaces that are deleted.
pub(super) fn run(context: &Context) -> impl Future<Output = ()> + Send + use<> {
    let registry = context.registry.clone();
    Namespaces { namespaces: registry.informer(), registry, leaving: Mutex::default(), queue: Queue::new() }.run()
}

struct Namespaces {
    registry: Registry,
    namespaces: Arc<Informer<Namespace>>,
    /// Those that wait for the last of their objects to go.
    leaving: Mutex<HashSet<Arc<str>>>,
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
        futures::join!(
            feed(self.namespaces.subscribe(), |change| {
                if let Some(namespace) = change.new.as_ref().filter(|n| n.metadata.deletion_timestamp.is_some()) {
                    self.queue.add(Key::of(&**namespace));
                }
            }),
            self.follow(),
            self.queue.work(AT_ONCE, |key| self.reconcile(key)),
        );
    }

    /// Whatever goes may be the last that a namespace waits for.
    async fn follow(&self) {
        let store = self.registry.store();
        let look_again = || {
            let now = store.revision();
            self.leaving.lock().iter().for_each(|name| self.queue.add(Key::new("", name)));
            now
        };
        let change = |event: &Event| {
            let namespace = &event.entry.key.namespace;
            if event.change == Change::Deleted && self.leaving.lock().contains(namespace) {
                self.queue.add(Key::new("", namespace));
            }
        };
        store.follow(Interest::everything(), look_again, change).await;
    }

    async fn reconcile(&self, key: Key) -> Result<Next, Status> {
        let api = self.registry.api::<Namespace>();
        let mut namespace = match api.get("", &key.name) {
            Err(status) if status.is_not_found() => {
                self.leaving.lock().remove(&*key.name);
                return Ok(Next::Done);
            }
            found => found?,
        };
        let held = namespace.spec.as_ref().and_then(|s| s.finalizers.as_ref());
        let ours = held.is_some_and(|f| f.iter().any(|f| f == "kubernetes"));
        if namespace.metadata.deletion_timestamp.is_none() || !ours {
            return Ok(Next::Done);
        }
        // Before the look: what goes after it brings us back.
        self.leaving.lock().insert((*key.name).into());
        let left = self.empty(&key.name).await;
        if !left.is_empty() {
            let failed = left.values().any(|l| l.failure.is_some());
            let status = namespace.status.get_or_insert_default();
            if conditions::report(status.conditions.get_or_insert_default(), &left, &time::now()) {
                api.update_status(&namespace).await?;
            }
            return Ok(if failed { Next::After(TRY_AGAIN) } else { Next::Done });
        }
        self.leaving.lock().remove(&*key.name);
        if let Some(finalizers) = namespace.spec.as_mut().and_then(|s| s.finalizers.as_mut()) {
            finalizers.retain(|f| f != "kubernetes");
        }
        match api.put(&namespace, Part::Finalize).await {
            Err(status) if !status.is_not_found() => Err(status),
            _ => Ok(Next::Done),
        }
    }

    async fn delete(&self, target: &Target) -> Option<Status> {
        let deleted = self.registry.delete(target, &DeleteOptions::default()).await;
        deleted.err().filter(|status| !status.is_not_found())
    }

    /// Deletes what is in the namespace and returns what is left, by resource.
    async fn empty(&self, namespace: &str) -> BTreeMap<String, Left> {
        let resources = self.registry.resources();
        let there = || self.registry.store().list_all(Some(namespace)).entries;
        let target = |entry: &Arc<Entry>| {
            let resource = resources.stored_as(&entry.key.resource)?;
            Some(Target::new(resource, namespace, &entry.key.name))
        };
        let targets: Vec<Target> = there().iter().filter_map(target).collect();
        let mut left: BTreeMap<String, Left> = BTreeMap::new();
        let delete = |target: Target| async move { (self.delete(&target).await, target) };
        let mut deletions = stream::iter(targets).map(delete).buffer_unordered(DELETIONS);
        while let Some((failure, target)) = deletions.next().await {
            if let Some(failure) = failure {
                let of = left.entry(target.resource.qualified.to_string()).or_default();
                of.failure.get_or_insert_with(|| failure.message().to_owned());
            }
        }
        for entry in there().iter().filter(|entry| target(entry).is_some()) {
            left.entry(entry.key.resource.to_string()).or_default().add(entry);
        }
        left
    }
}

impl Left {
    fn add(&mut self, entry: &Entry) {
        self.count += 1;
        let value = entry.value();
        let finalizers = value.pointer("/metadata/finalizers").and_then(Value::as_array).into_iter().flatten();
        for finalizer in finalizers.filter_map(Value::as_str) {
            *self.finalizers.entry(finalizer.to_owned()).or_default() += 1;
        }
    }
}
