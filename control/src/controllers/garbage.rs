//! Objects whose owners are gone, and owners that wait for their objects.
//!
//! ```text
//! changes of everything (metadata only) ─► graph: owner uid → dependents ─► keys ─► what do the owners say? ─► delete, release
//! ```
//!
//! Only objects with owners are remembered. Whether an owner is there is asked of the store when it matters, by uid: an
//! owner of the same name that was made later is not the owner.

mod graph;
mod meta;
mod verdict;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use futures::future::join_all;
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::{Context, Next, Queue};
use crate::registry::{DeleteOptions, Part, Patch, Propagation, Registry, Target, WriteOptions};
use crate::status::Status;
use crate::store::{Change, Entry, Event, Interest, Key, Revision, Store};
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
    Collector { registry: context.registry.clone(), graph: Mutex::default(), queue: Queue::new() }.run()
}

struct Collector {
    registry: Registry,
    graph: Mutex<Known>,
    queue: Queue<Key>,
}

/// What is known of owners and dependents.
#[derive(Default)]
struct Known {
    graph: Graph,
    /// Owners that were there when somebody looked, and have not gone since; each with the namespace of who looked: an
    /// owner is none to the objects of another namespace.
    alive: HashMap<String, Arc<str>>,
    /// Owners that wait for their dependents to go.
    waiting: HashMap<String, Key>,
}

impl Collector {
    async fn run(self) {
        futures::join!(self.follow(), self.queue.work(AT_ONCE, |key| self.reconcile(key)));
    }

    fn store(&self) -> &Store {
        self.registry.store()
    }

    async fn follow(&self) {
        let change = |event: &Event| self.observe(&event.entry, event.change);
        self.store().follow(Interest::everything(), || self.list(), change).await;
    }

    /// Takes in what is there; what is known and is not there has gone.
    fn list(&self) -> Revision {
        let listing = self.store().list_all(None);
        let present: HashSet<&Key> = listing.entries.iter().map(|e| &e.key).collect();
        let gone: Vec<Key> = self.graph.lock().graph.keys().filter(|key| !present.contains(key)).cloned().collect();
        for key in gone {
            self.graph.lock().graph.set(&key, BTreeSet::new());
        }
        for entry in &listing.entries {
            self.observe(entry, Change::Modified);
        }
        listing.revision
    }

    fn observe(&self, entry: &Entry, change: Change) {
        // Events have no owners and come in numbers.
        if matches!(&*entry.key.resource, "events" | "leases.coordination.k8s.io") {
            return;
        }
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
            if known.alive.get(&owner.uid) == Some(&entry.key.namespace) {
                continue;
            }
            match self.standing(&entry.key.namespace, owner) {
                Standing::Absent | Standing::Waiting => self.queue.add(entry.key.clone()),
                Standing::Solid => drop(known.alive.insert(owner.uid.clone(), entry.key.namespace.clone())),
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
        // Nor can an owner of whom nobody says in which namespace it is.
        if resource.row.namespaced && namespace.is_empty() {
            return Standing::Solid;
        }
        let namespace = if resource.row.namespaced { namespace } else { "" };
        let found = self.store().get(&Key::new(&resource.stored, namespace, &owner.name));
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
                if propagation == Propagation::Foreground && self.is_waited_for_by_a_dependent(&meta) {
                    self.hold_up_nobody(&target, &meta).await?;
                }
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
        let resources = self.registry.resources();
        let dependent = |entry: Arc<Entry>| {
            let meta = Meta::of(&entry).filter(|m| m.owner_references.iter().any(|o| o.uid == uid))?;
            let resource = resources.stored_as(&entry.key.resource)?;
            Some((Target::new(resource, &entry.key.namespace, &entry.key.name), meta))
        };
        self.store().list_all(namespace).entries.into_iter().filter_map(dependent).collect()
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

    /// True where an object would wait for one that, by way of others, waits for it: a circle of owners.
    fn is_waited_for_by_a_dependent(&self, meta: &Meta) -> bool {
        let dependents = self.graph.lock().graph.dependents(&meta.uid);
        dependents.iter().filter_map(|key| self.look(key)).any(|(_, d)| d.is_deleting() && d.has(FOREGROUND))
    }

    /// Breaks a circle of owners: the object's own need not wait for it.
    async fn hold_up_nobody(&self, target: &Target, meta: &Meta) -> Result<(), Status> {
        let released: Vec<Owner> =
            meta.owner_references.iter().map(|o| Owner { block_owner_deletion: Some(false), ..o.clone() }).collect();
        self.patch(target, meta, "ownerReferences", json!(released)).await?;
        let known = self.graph.lock();
        for waiting in released.iter().filter_map(|owner| known.waiting.get(&owner.uid)) {
            self.queue.add(waiting.clone());
        }
        Ok(())
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
        let resources = self.registry.resources();
        let meta = Meta::of(&*self.store().get(key)?)?;
        Some((Target::new(resources.stored_as(&key.resource)?, &key.namespace, &key.name), meta))
    }
}

fn gone_is_fine(result: Result<(), Status>) -> Result<(), Status> {
    match result {
        Err(status) if status.is_not_found() => Ok(()),
        done => done,
    }
}
