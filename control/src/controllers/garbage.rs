//! Objects whose owners are gone, and owners that wait for their objects.
//!
//! ```text
//! changes of every kind (metadata only) ─► graph: owner uid → dependents ─► keys ─► what do the owners say? ─► delete, release
//! ```
//!
//! Only objects with owners are remembered. Whether an owner is there is asked of the store when it matters, by uid: an
//! owner of the same name that was made later is not the owner.

mod graph;
mod meta;
mod verdict;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use futures::FutureExt;
use futures::future::{join_all, select_all};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::{Context, Next, Queue};
use crate::registry::{DeleteOptions, Part, Patch, Registry, Resource, Target, WriteOptions};
use crate::status::Status;
use crate::store::{Change, Entry, Interest, Key, Store};
use graph::Graph;
use meta::{Meta, Owner};
use verdict::{Standing, Verdict};

const AT_ONCE: usize = 32;
/// The finalizer of an owner that goes after its dependents.
const FOREGROUND: &str = "foregroundDeletion";
/// The finalizer of an owner whose dependents stay.
const ORPHAN: &str = "orphan";

/// Deletes what nobody owns any more.
pub(super) fn run(context: &Context) -> impl Future<Output = ()> + Send + use<> {
    let registry = context.registry.clone();
    // Events have no owners and come in numbers.
    let resources = registry.resources();
    let kinds = resources.iter().filter(|r| !r.is("", "events"));
    let resources = kinds.map(|r| (r.qualified.clone(), r.clone())).collect();
    Collector { registry, resources, graph: Mutex::default(), queue: Queue::new() }.run()
}

struct Collector {
    registry: Registry,
    resources: HashMap<Arc<str>, Arc<Resource>>,
    graph: Mutex<Known>,
    queue: Queue<Key>,
}

/// What is known of owners and dependents.
#[derive(Default)]
struct Known {
    graph: Graph,
    /// Owners that were there when somebody looked, and have not gone since.
    alive: HashSet<String>,
    /// Owners that wait for their dependents to go.
    waiting: HashMap<String, Key>,
}

impl Collector {
    async fn run(self) {
        let follows: Vec<_> = self.resources.keys().map(|resource| self.follow(resource).boxed()).collect();
        if follows.is_empty() {
            return std::future::pending().await;
        }
        futures::join!(select_all(follows), self.queue.work(AT_ONCE, |key| self.reconcile(key)));
    }

    fn store(&self) -> &Store {
        self.registry.store()
    }

    /// Lists, then watches; lists again when the watch was dropped.
    async fn follow(&self, resource: &Arc<str>) {
        loop {
            let listing = self.store().list(resource, None);
            let present: BTreeSet<&Key> = listing.entries.iter().map(|e| &e.key).collect();
            let gone: Vec<Key> =
                self.graph.lock().graph.keys(resource).filter(|key| !present.contains(key)).cloned().collect();
            for key in gone {
                self.graph.lock().graph.set(&key, BTreeSet::new());
            }
            for entry in &listing.entries {
                self.observe(entry, Change::Modified);
            }
            let Ok(mut watch) = self.store().watch(Interest::all(resource), listing.revision) else { continue };
            while let Some(event) = watch.next().await {
                self.observe(&event.entry, event.change);
            }
            // A closed store has nothing more to say; the owner of this loop ends it.
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }

    fn observe(&self, entry: &Entry, change: Change) {
        let Some(meta) = Meta::of(entry) else { return };
        let mut known = self.graph.lock();
        if change == Change::Deleted {
            known.alive.remove(&meta.uid);
            known.waiting.remove(&meta.uid);
            for dependent in known.graph.dependents(&meta.uid) {
                self.queue.add(dependent);
            }
            for owner in &meta.owner_references {
                if let Some(waiting) = known.waiting.get(&owner.uid) {
                    self.queue.add(waiting.clone());
                }
            }
            known.graph.set(&entry.key, BTreeSet::new());
            return;
        }
        if meta.is_waiting() {
            self.queue.add(entry.key.clone());
        }
        let owners: BTreeSet<String> = meta.owner_references.iter().map(|o| o.uid.clone()).collect();
        if !known.graph.set(&entry.key, owners) {
            return;
        }
        for owner in &meta.owner_references {
            if known.alive.contains(&owner.uid) {
                continue;
            }
            match self.standing(&entry.key.namespace, owner) {
                Standing::Absent | Standing::Waiting => self.queue.add(entry.key.clone()),
                Standing::Solid => drop(known.alive.insert(owner.uid.clone())),
            }
        }
    }

    /// What an owner is to its dependents in `namespace` now.
    fn standing(&self, namespace: &str, owner: &Owner) -> Standing {
        let (group, version) = owner.api_version.split_once('/').unwrap_or(("", &owner.api_version));
        // A kind that is not served cannot be judged.
        let resources = self.registry.resources();
        let Some(resource) = resources.of_kind(group, version, &owner.kind) else {
            return Standing::Solid;
        };
        let namespace = if resource.row.namespaced { namespace } else { "" };
        let found = self.store().get(&Key::new(&resource.qualified, namespace, &owner.name));
        match found.and_then(|entry| Meta::of(&entry)).filter(|m| m.uid == owner.uid) {
            None => Standing::Absent,
            Some(meta) if meta.is_deleting() && meta.has(FOREGROUND) => Standing::Waiting,
            Some(_) => Standing::Solid,
        }
    }

    async fn reconcile(&self, key: Key) -> Result<Next, Status> {
        let Some((target, meta)) = self.look(&key) else { return Ok(Next::Done) };
        if meta.is_deleting() && meta.has(ORPHAN) {
            return self.orphan(&target, &meta).await;
        }
        if meta.is_deleting() && meta.has(FOREGROUND) {
            return self.wait_for_dependents(&target, &meta).await;
        }
        let standings: Vec<Standing> =
            meta.owner_references.iter().map(|owner| self.standing(&key.namespace, owner)).collect();
        let has_dependents = !self.graph.lock().graph.dependents(&meta.uid).is_empty();
        match verdict::judge(&meta, &standings, has_dependents) {
            Verdict::Keep => {}
            Verdict::Release => {
                let kept = meta.owner_references.iter().zip(&standings).filter(|(_, s)| **s == Standing::Solid);
                let kept: Vec<&Owner> = kept.map(|(owner, _)| owner).collect();
                self.patch(&target, &meta, "ownerReferences", json!(kept)).await?;
            }
            Verdict::Delete(propagation) => {
                let options = DeleteOptions {
                    uid: Some(meta.uid.clone()),
                    propagation: Some(propagation),
                    ..DeleteOptions::default()
                };
                gone_is_fine(self.registry.delete(&target, &options).await.map(drop))?;
            }
        }
        Ok(Next::Done)
    }

    /// Lets the dependents go free, then the owner.
    async fn orphan(&self, target: &Target, meta: &Meta) -> Result<Next, Status> {
        let releases = self.dependents(target, &meta.uid).into_iter().map(|(target, dependent)| async move {
            let kept: Vec<&Owner> = dependent.owner_references.iter().filter(|o| o.uid != meta.uid).collect();
            self.patch(&target, &dependent, "ownerReferences", json!(kept)).await
        });
        join_all(releases).await.into_iter().collect::<Result<(), _>>()?;
        self.finish(target, meta, ORPHAN).await
    }

    /// The dependents as the store has them. The graph may not have heard of the latest, and whom the owner forgets to
    /// release is garbage when it is gone.
    fn dependents(&self, owner: &Target, uid: &str) -> Vec<(Target, Meta)> {
        let namespace = Some(&*owner.namespace).filter(|namespace| !namespace.is_empty());
        let mut found = Vec::new();
        for resource in self.resources.values() {
            for entry in self.store().list(&resource.qualified, namespace).entries {
                let Some(meta) = Meta::of(&entry) else { continue };
                if meta.owner_references.iter().any(|o| o.uid == uid) {
                    found.push((Target::new(resource, &entry.key.namespace, &entry.key.name), meta));
                }
            }
        }
        found
    }

    /// Deletes the dependents that hold the owner up, and lets it go when none is left.
    async fn wait_for_dependents(&self, target: &Target, meta: &Meta) -> Result<Next, Status> {
        let dependents = self.graph.lock().graph.dependents(&meta.uid);
        let blocking = dependents.iter().filter_map(|key| self.look(key)).any(|(_, dependent)| {
            dependent.owner_references.iter().any(|o| o.uid == meta.uid && o.block_owner_deletion == Some(true))
        });
        if !blocking {
            return self.finish(target, meta, FOREGROUND).await;
        }
        let mut known = self.graph.lock();
        known.alive.remove(&meta.uid);
        known.waiting.insert(meta.uid.clone(), target.key());
        drop(known);
        dependents.into_iter().for_each(|key| self.queue.add(key));
        Ok(Next::Done)
    }

    async fn finish(&self, target: &Target, meta: &Meta, finalizer: &str) -> Result<Next, Status> {
        let left: Vec<&String> = meta.finalizers.iter().filter(|f| *f != finalizer).collect();
        self.patch(target, meta, "finalizers", json!(left)).await.map(|()| Next::Done)
    }

    /// Sets one list of the metadata, refused when the object changed meanwhile.
    async fn patch(&self, target: &Target, meta: &Meta, field: &str, list: Value) -> Result<(), Status> {
        let list = if list.as_array().is_some_and(Vec::is_empty) { Value::Null } else { list };
        let mut patch = json!({"metadata": {"uid": meta.uid, "resourceVersion": meta.resource_version}});
        patch["metadata"][field] = list;
        let patch = Patch::Merge(patch);
        gone_is_fine(self.registry.patch(target, Part::Main, &patch, &WriteOptions::default()).await.map(drop))
    }

    fn look(&self, key: &Key) -> Option<(Target, Meta)> {
        let resource = self.resources.get(&key.resource)?;
        let meta = Meta::of(&*self.store().get(key)?)?;
        Some((Target::new(resource, &key.namespace, &key.name), meta))
    }
}

fn gone_is_fine(result: Result<(), Status>) -> Result<(), Status> {
    match result {
        Err(status) if status.is_not_found() => Ok(()),
        done => done,
    }
}
