//! The pods that nobody controls: few, and the only ones that may be adopted.

use std::collections::{BTreeSet, HashMap};

use k8s_openapi::api::core::v1::Pod;
use objects::owners;
use parking_lot::Mutex;

use crate::registry::Change;

/// Names of pods without a controller, by namespace, so that nobody looks through all pods for them.
#[derive(Default)]
pub(super) struct Orphans(Mutex<HashMap<String, BTreeSet<String>>>);

impl Orphans {
    /// Keeps the index current.
    pub fn observe(&self, change: &Change<Pod>) {
        let Some(pod) = change.object() else { return };
        let (Some(namespace), Some(name)) = (&pod.metadata.namespace, &pod.metadata.name) else { return };
        let orphan = change.new.is_some() && owners::controller_of(&pod.metadata).is_none();
        let mut index = self.0.lock();
        if orphan {
            index.entry(namespace.clone()).or_default().insert(name.clone());
        } else if let Some(names) = index.get_mut(namespace) {
            names.remove(name);
            if names.is_empty() {
                index.remove(namespace);
            }
        }
    }

    /// The orphans of a namespace.
    pub fn of(&self, namespace: &str) -> Vec<String> {
        self.0.lock().get(namespace).into_iter().flatten().cloned().collect()
    }
}

/// True when a pod without a controller was one before, with the same labels: nobody new would want it.
pub(super) fn same_labels(change: &Change<Pod>) -> bool {
    let (Some(old), Some(new)) = (&change.old, &change.new) else { return false };
    old.metadata.labels == new.metadata.labels && owners::controller_of(&old.metadata).is_none()
}
