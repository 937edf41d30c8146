//! Pods that have no node: those to look at next, and those that fit nowhere for now.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use crate::work::Key;

/// The order of the ready ones: the highest priority first, then first come, first served.
type Turn = (Reverse<i32>, u64);

#[derive(Debug, Default)]
pub(super) struct Pending {
    ready: BTreeMap<Turn, Key>,
    pods: HashMap<Key, Waiting>,
    turns: u64,
}

#[derive(Debug)]
struct Waiting {
    priority: i32,
    /// Its place among the ready; none while it is looked at or parked.
    turn: Option<Turn>,
    /// Why it was parked last.
    message: String,
}

impl Pending {
    /// True when there is a pod to look at.
    pub fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// A pod that is new or changed.
    pub fn add(&mut self, key: Key, priority: i32) {
        self.turns += 1;
        let turn = (Reverse(priority), self.turns);
        let waiting = self.pods.entry(key.clone()).or_insert(Waiting { priority, turn: None, message: String::new() });
        waiting.priority = priority;
        if waiting.turn.is_none() {
            waiting.turn = Some(turn);
            self.ready.insert(turn, key);
        }
    }

    /// A pod that needs no node any more.
    pub fn remove(&mut self, key: &Key) {
        if let Some(turn) = self.pods.remove(key).and_then(|w| w.turn) {
            self.ready.remove(&turn);
        }
    }

    /// The next pod to look at. It stays known until it is removed.
    pub fn take(&mut self) -> Option<Key> {
        let (_, key) = self.ready.pop_first()?;
        if let Some(waiting) = self.pods.get_mut(&key) {
            waiting.turn = None;
        }
        Some(key)
    }

    /// Parks a pod with the reason; true when the reason is news.
    pub fn park(&mut self, key: Key, message: &str) -> bool {
        let waiting = self.pods.entry(key).or_insert(Waiting { priority: 0, turn: None, message: String::new() });
        if waiting.message == message {
            return false;
        }
        message.clone_into(&mut waiting.message);
        true
    }

    /// Something changed for one pod.
    pub fn wake(&mut self, key: Key) {
        if let Some(priority) = self.pods.get(&key).map(|w| w.priority) {
            self.add(key, priority);
        }
    }

    /// Something changed for all: parked pods are looked at again, in their old order as far as it is known.
    pub fn wake_all(&mut self) {
        self.parked().into_iter().for_each(|key| self.wake(key));
    }

    /// Those that fit nowhere for now.
    pub fn parked(&self) -> Vec<Key> {
        self.pods.iter().filter(|(_, w)| w.turn.is_none() && !w.message.is_empty()).map(|(k, _)| k.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key::new("default", name)
    }

    #[test]
    fn by_priority_then_first_come() {
        let mut pending = Pending::default();
        for (name, priority) in [("a", 0), ("b", 10), ("c", 0), ("a", 0)] {
            pending.add(key(name), priority);
        }
        pending.remove(&key("c"));
        let order: Vec<_> = std::iter::from_fn(|| pending.take()).collect();
        assert_eq!(order, [key("b"), key("a")]);
    }

    #[test]
    fn the_parked_wait_for_a_change_and_report_news_once() {
        let mut pending = Pending::default();
        pending.add(key("a"), 0);
        pending.take();
        assert!(pending.park(key("a"), "no room"));
        assert!(!pending.is_ready());
        pending.wake_all();
        assert_eq!(pending.take(), Some(key("a")));
        assert!(!pending.park(key("a"), "no room"));
        assert!(pending.park(key("a"), "still no room"));
    }
}
