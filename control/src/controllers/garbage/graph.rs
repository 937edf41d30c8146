//! Who depends on whom.

use std::collections::{BTreeSet, HashMap};

use crate::store::Key;

/// Dependents by the uid of their owners, and the reverse. Objects without owners are not here.
#[derive(Debug, Default)]
pub(super) struct Graph {
    dependents: HashMap<String, BTreeSet<Key>>,
    owners: HashMap<Key, BTreeSet<String>>,
}

impl Graph {
    /// Sets the owners of an object; none takes it out. True when they changed.
    pub fn set(&mut self, key: &Key, owners: BTreeSet<String>) -> bool {
        let before = self.owners.remove(key).unwrap_or_default();
        let changed = before != owners;
        for gone in before.difference(&owners) {
            if let Some(keys) = self.dependents.get_mut(gone) {
                keys.remove(key);
                if keys.is_empty() {
                    self.dependents.remove(gone);
                }
            }
        }
        for new in owners.difference(&before) {
            self.dependents.entry(new.clone()).or_default().insert(key.clone());
        }
        if !owners.is_empty() {
            self.owners.insert(key.clone(), owners);
        }
        changed
    }

    /// The objects that the owner with this uid has.
    pub fn dependents(&self, uid: &str) -> Vec<Key> {
        self.dependents.get(uid).into_iter().flatten().cloned().collect()
    }

    /// The objects that have owners.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.owners.keys()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_directions_agree() {
        let mut graph = Graph::default();
        let key = Key::new("pods", "default", "a");
        let owners = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<BTreeSet<_>>();
        assert!(graph.set(&key, owners(&["x", "y"])));
        assert!(!graph.set(&key, owners(&["x", "y"])));
        assert!(graph.set(&key, owners(&["y", "z"])));
        assert!(graph.dependents("x").is_empty());
        assert_eq!(graph.dependents("z"), std::slice::from_ref(&key));
        graph.set(&key, owners(&[]));
        assert!(graph.dependents.is_empty() && graph.owners.is_empty());
    }
}
