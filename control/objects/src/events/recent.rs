//! A bounded memory of what was seen lately.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// A map from hashed keys that forgets the least lately used half when it is full.
///
/// Two generations instead of a linked list: a look-up promotes into the young one, and a full young one becomes the old.
#[derive(Debug)]
pub(super) struct Recent<V> {
    young: HashMap<u64, V>,
    old: HashMap<u64, V>,
    hasher: RandomState,
    capacity: usize,
}

impl<V> Recent<V> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), hasher: RandomState::new(), capacity }
    }

    /// The hash of a key; 64 bits with a random seed do not collide among a few thousand.
    pub(super) fn key(&self, parts: &impl std::hash::Hash) -> u64 {
        self.hasher.hash_one(parts)
    }

    /// What is remembered under this key, or a new memory.
    pub(super) fn entry(&mut self, key: u64, new: impl FnOnce() -> V) -> &mut V {
        if self.young.len() >= self.capacity / 2 && !self.young.contains_key(&key) {
            let promoted = self.old.remove(&key);
            self.old = std::mem::take(&mut self.young);
            self.young.extend(promoted.map(|v| (key, v)));
        }
        let old = &mut self.old;
        self.young.entry(key).or_insert_with(|| old.remove(&key).unwrap_or_else(new))
    }
}
