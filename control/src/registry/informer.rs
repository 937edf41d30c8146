//! A typed copy of one kind, kept current by one watch, for everyone in the process.
//!
//! ```text
//! store (bytes) ─► list + watch ─► decode once ─► Arc<K> ─► indices ─► subscribers
//! ```

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use tokio::sync::{mpsc, watch};
use tokio_util::task::AbortOnDropHandle;

use super::informers::Informed;
use super::resources::Resource;
use crate::store::{self, Entry, Event, Interest, Store};

/// Namespace and name.
type Name = (Arc<str>, Arc<str>);

/// What happened to one object. Both sides are there for a change, one for a creation or a deletion.
#[derive(Debug)]
pub struct Change<K> {
    /// The object before.
    pub old: Option<Arc<K>>,
    /// The object now.
    pub new: Option<Arc<K>>,
}

impl<K> Change<K> {
    /// The object now, or its last state.
    pub fn object(&self) -> Option<&Arc<K>> {
        self.new.as_ref().or(self.old.as_ref())
    }
}

/// The changes that one subscriber has not seen yet. Subscribers turn each into a key of a queue at once, so that
/// nothing piles up here.
pub type Changes<K> = mpsc::UnboundedReceiver<Change<K>>;

/// The typed copy of one kind. Dropping it ends its task.
pub struct Informer<K> {
    shared: Arc<Shared<K>>,
    synced: watch::Receiver<bool>,
    _task: AbortOnDropHandle<()>,
}

struct Shared<K> {
    state: RwLock<State<K>>,
    subscribers: Mutex<Vec<mpsc::UnboundedSender<Change<K>>>>,
}

struct State<K> {
    objects: BTreeMap<Name, Arc<K>>,
    by_owner: HashMap<String, BTreeSet<Name>>,
}

impl<K: Informed> Informer<K> {
    pub(super) fn start(store: &Store, resource: Arc<Resource>) -> Self {
        let state = State { objects: BTreeMap::new(), by_owner: HashMap::new() };
        let shared = Arc::new(Shared { state: RwLock::new(state), subscribers: Mutex::new(Vec::new()) });
        let (done, synced) = watch::channel(false);
        let task = tokio::spawn(follow(store.clone(), resource, shared.clone(), done));
        Self { shared, synced, _task: AbortOnDropHandle::new(task) }
    }

    /// One object.
    pub fn get(&self, namespace: &str, name: &str) -> Option<Arc<K>> {
        self.shared.state.read().objects.get(&(Arc::from(namespace), Arc::from(name))).cloned()
    }

    /// All objects, or those of a namespace, in order.
    pub fn list(&self, namespace: Option<&str>) -> Vec<Arc<K>> {
        let state = self.shared.state.read();
        match namespace {
            None => state.objects.values().cloned().collect(),
            Some(ns) => {
                let from: Name = (Arc::from(ns), Arc::from(""));
                state.objects.range(from..).take_while(|(k, _)| &*k.0 == ns).map(|(_, o)| o.clone()).collect()
            }
        }
    }

    /// The objects whose controller has this uid.
    pub fn owned_by(&self, uid: &str) -> Vec<Arc<K>> {
        let state = self.shared.state.read();
        let names = state.by_owner.get(uid).into_iter().flatten();
        names.filter_map(|name| state.objects.get(name).cloned()).collect()
    }

    /// The present objects, each as a creation, and then every change.
    pub fn subscribe(&self) -> Changes<K> {
        let (to, changes) = mpsc::unbounded_channel();
        let mut subscribers = self.shared.subscribers.lock();
        for object in self.shared.state.read().objects.values() {
            let _ = to.send(Change { old: None, new: Some(object.clone()) });
        }
        subscribers.push(to);
        changes
    }

    /// Waits until the first list is in.
    pub async fn synced(&self) {
        let mut synced = self.synced.clone();
        let _ = synced.wait_for(|done| *done).await;
    }
}

async fn follow<K: Informed>(store: Store, resource: Arc<Resource>, shared: Arc<Shared<K>>, done: watch::Sender<bool>) {
    let list = || {
        let listing = store.list(&resource.stored, None);
        shared.reset(&listing.entries);
        let _ = done.send(true);
        listing.revision
    };
    let change = |event: &Event| shared.change(&event.entry, event.change);
    store.follow(Interest::all(&resource.stored), list, change).await;
}

impl<K: Informed> Shared<K> {
    fn reset(&self, entries: &[Arc<Entry>]) {
        let present: BTreeSet<Name> = entries.iter().map(|e| (e.key.namespace.clone(), e.key.name.clone())).collect();
        let gone: Vec<Name> =
            self.state.read().objects.keys().filter(|name| !present.contains(*name)).cloned().collect();
        for name in gone {
            self.set(name, None);
        }
        for entry in entries {
            self.change(entry, store::Change::Modified);
        }
    }

    fn change(&self, entry: &Entry, change: store::Change) {
        let name = (entry.key.namespace.clone(), entry.key.name.clone());
        if change == store::Change::Deleted {
            return self.set(name, None);
        }
        match serde_json::from_slice::<K>(&entry.bytes) {
            Ok(mut object) => {
                object.slim();
                self.set(name, Some(Arc::new(object)));
            }
            Err(error) => tracing::error!(key = ?entry.key, %error, "a stored object cannot be read; ignored"),
        }
    }

    fn set(&self, name: Name, new: Option<Arc<K>>) {
        let subscribers = self.subscribers.lock();
        let old = self.state.write().set(name, new.clone());
        if old.is_none() && new.is_none() {
            return;
        }
        for subscriber in subscribers.iter() {
            let _ = subscriber.send(Change { old: old.clone(), new: new.clone() });
        }
        drop(subscribers);
        self.subscribers.lock().retain(|s| !s.is_closed());
    }
}

impl<K: Informed> State<K> {
    fn set(&mut self, name: Name, new: Option<Arc<K>>) -> Option<Arc<K>> {
        let old = match &new {
            Some(object) => self.objects.insert(name.clone(), object.clone()),
            None => self.objects.remove(&name),
        };
        let (was, is) = (old.as_deref().and_then(controller), new.as_deref().and_then(controller));
        if was != is {
            if let Some(uid) = was
                && let Some(names) = self.by_owner.get_mut(uid)
            {
                names.remove(&name);
                if names.is_empty() {
                    self.by_owner.remove(uid);
                }
            }
            if let Some(uid) = is {
                self.by_owner.entry(uid.to_owned()).or_default().insert(name);
            }
        }
        old
    }
}

/// The uid of the object's controller.
fn controller<K: Informed>(object: &K) -> Option<&str> {
    let owners = object.metadata().owner_references.as_deref().unwrap_or_default();
    owners.iter().find(|o| o.controller == Some(true)).map(|o| o.uid.as_str())
}
