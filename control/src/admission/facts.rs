//! What the plug-ins look up for every request: parsed once a revision, found by name.
//!
//! The store keeps objects as bytes. A fact is the little that admission needs of one, kept beside the revision that it was
//! read from: a look-up asks the store (so it is never behind) and parses only what changed since.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::Value;

use crate::store::{Entry, Key, Revision, Store};

/// So many facts of objects that may be gone are kept before somebody looks.
const SLACK: usize = 256;

/// The part of an object that admission needs.
pub trait Fact {
    /// The store's name of the resource.
    const RESOURCE: &'static str;

    /// Reads it out of an object.
    fn read(object: &Value) -> Self;
}

/// The facts of one resource.
pub struct Facts<T> {
    resource: Arc<str>,
    known: Mutex<HashMap<Key, (Revision, Arc<T>)>>,
}

impl<T: Fact> Default for Facts<T> {
    fn default() -> Self {
        Self { resource: T::RESOURCE.into(), known: Mutex::default() }
    }
}

impl<T: Fact> Facts<T> {
    /// Of one object, as it is stored now.
    pub fn one(&self, store: &Store, namespace: &Arc<str>, name: &str) -> Option<Arc<T>> {
        let key = Key { resource: self.resource.clone(), namespace: namespace.clone(), name: name.into() };
        match store.get(&key) {
            Some(entry) => Some(self.of(store, &entry)),
            None => {
                self.known.lock().remove(&key);
                None
            }
        }
    }

    /// Of all objects in the namespace, ordered by name; `None` is for cluster-wide kinds.
    pub fn all(&self, store: &Store, namespace: Option<&str>) -> Vec<Arc<T>> {
        store.list(&self.resource, namespace).entries.iter().map(|entry| self.of(store, entry)).collect()
    }

    /// Of an object as it was listed.
    pub fn of(&self, store: &Store, entry: &Entry) -> Arc<T> {
        let mut known = self.known.lock();
        if let Some((_, fact)) = known.get(&entry.key).filter(|(revision, _)| *revision == entry.revision) {
            return fact.clone();
        }
        let fact = Arc::new(T::read(&entry.value()));
        known.insert(entry.key.clone(), (entry.revision, fact.clone()));
        if known.len() > store.count(&self.resource) + SLACK {
            known.retain(|key, _| store.get(key).is_some());
        }
        fact
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::store::{self, Class, Draft, Expect, Write};

    struct Colour(String);

    impl Fact for Colour {
        const RESOURCE: &'static str = "things";

        fn read(object: &Value) -> Self {
            Self(object["colour"].as_str().unwrap_or_default().to_owned())
        }
    }

    async fn paint(store: &Store, colour: &str) {
        let object = json!({"kind": "Thing", "metadata": {"name": "a", "namespace": "n"}, "colour": colour});
        let key = Key::new("things", "n", "a");
        let expect = store.get(&key).map_or(Expect::Absent, |entry| Expect::At(entry.revision));
        let write = Write::Put { key, expect, draft: Draft::new(&object), class: Class::Durable };
        store.write(write).await.expect("the store takes it");
    }

    #[tokio::test]
    async fn a_fact_is_as_new_as_the_store_and_read_once() {
        let store = Store::open(store::Config::default()).expect("a store in memory");
        let facts = Facts::<Colour>::default();
        let one = || facts.one(&store, &"n".into(), "a");
        assert!(one().is_none());
        paint(&store, "red").await;
        let red = one().expect("it is there");
        assert_eq!(red.0, "red");
        assert!(Arc::ptr_eq(&red, &facts.all(&store, Some("n"))[0]));
        paint(&store, "blue").await;
        assert_eq!(one().expect("it is there").0, "blue");
    }
}
