//! What a controller wrote and its informer does not show yet.
//!
//! An informer is a moment behind the store. A controller that counts what the informer shows would make again what it
//! made a moment ago. So it lays what it wrote over what the informer shows; an entry goes as soon as the informer is as
//! new. Unlike upstream's expectations nothing waits and nothing times out: whether an unseen object still exists is
//! asked of the store itself.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use parking_lot::Mutex;

use crate::registry::Object;

/// Unseen writes, by the uid of the owner and the name of the object.
pub(crate) struct Overlay<K> {
    owners: Mutex<HashMap<String, BTreeMap<String, Written<K>>>>,
}

enum Written<K> {
    /// Created or changed.
    Now(Arc<K>),
    /// Deleted for good; the uid of what is gone.
    Gone(String),
}

impl<K: Object> Overlay<K> {
    /// Nothing written yet.
    pub fn new() -> Self {
        Self { owners: Mutex::new(HashMap::new()) }
    }

    /// Remembers the state that a write left.
    pub fn wrote(&self, owner: &str, object: Arc<K>) {
        let name = name(object.metadata()).to_owned();
        self.owners.lock().entry(owner.to_owned()).or_default().insert(name, Written::Now(object));
    }

    /// Remembers that an object is gone.
    pub fn deleted(&self, owner: &str, object: &ObjectMeta) {
        let gone = Written::Gone(object.uid.clone().unwrap_or_default());
        self.owners.lock().entry(owner.to_owned()).or_default().insert(name(object).to_owned(), gone);
    }

    /// Forgets an owner.
    pub fn forget(&self, owner: &str) {
        self.owners.lock().remove(owner);
    }

    /// The owner's objects as they are: what the informer shows, with unseen writes laid over it. `exists` asks the store
    /// about an object that the informer does not show.
    pub fn over(&self, owner: &str, seen: Vec<Arc<K>>, exists: impl Fn(&K) -> bool) -> Vec<Arc<K>> {
        let mut owners = self.owners.lock();
        let Some(written) = owners.get_mut(owner) else { return seen };
        let mut result = Vec::with_capacity(seen.len() + written.len());
        let mut unseen: BTreeMap<String, Written<K>> = std::mem::take(written);
        for object in seen {
            let meta = object.metadata();
            match unseen.remove(name(meta)) {
                Some(Written::Now(newer)) if version(newer.metadata()) > version(meta) => {
                    result.push(newer.clone());
                    written.insert(name(newer.metadata()).to_owned(), Written::Now(newer));
                }
                Some(Written::Gone(uid)) if Some(&uid) == meta.uid.as_ref() => {
                    written.insert(name(meta).to_owned(), Written::Gone(uid));
                }
                _ => result.push(object),
            }
        }
        for (name, left) in unseen {
            if let Written::Now(object) = left
                && exists(&object)
            {
                result.push(object.clone());
                written.insert(name, Written::Now(object));
            }
        }
        if written.is_empty() {
            owners.remove(owner);
        }
        result
    }
}

fn name(meta: &ObjectMeta) -> &str {
    meta.name.as_deref().unwrap_or_default()
}

fn version(meta: &ObjectMeta) -> u64 {
    meta.resource_version.as_deref().and_then(|v| v.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Pod;

    use super::*;

    fn pod(name: &str, version: u64) -> Arc<Pod> {
        let metadata = ObjectMeta {
            name: Some(name.into()),
            uid: Some(format!("uid-{name}")),
            resource_version: Some(version.to_string()),
            ..ObjectMeta::default()
        };
        Arc::new(Pod { metadata, ..Pod::default() })
    }

    fn shown(pods: &[Arc<Pod>]) -> Vec<(String, u64)> {
        pods.iter().map(|p| (name(&p.metadata).to_owned(), version(&p.metadata))).collect()
    }

    #[test]
    fn unseen_writes_are_shown_until_the_informer_shows_them() {
        let overlay = Overlay::new();
        overlay.wrote("o", pod("a", 5));
        overlay.wrote("o", pod("b", 6));
        assert_eq!(shown(&overlay.over("o", vec![pod("a", 3)], |_| true)), [("a".into(), 5), ("b".into(), 6)]);
        assert_eq!(shown(&overlay.over("o", vec![pod("a", 7)], |_| true)), [("a".into(), 7), ("b".into(), 6)]);
        assert_eq!(shown(&overlay.over("o", vec![pod("a", 4)], |_| false)), [("a".into(), 4)]);
        assert!(overlay.owners.lock().is_empty());
    }

    #[test]
    fn the_deleted_are_hidden_until_the_informer_drops_them() {
        let overlay = Overlay::new();
        let a = pod("a", 1);
        overlay.deleted("o", &a.metadata);
        assert!(overlay.over("o", vec![a.clone()], |_| true).is_empty());
        assert!(overlay.over("o", vec![], |_| true).is_empty());
        assert_eq!(shown(&overlay.over("o", vec![a], |_| true)), [("a".into(), 1)]);
    }
}
