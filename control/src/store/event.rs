//! One change, as watchers get it.

use std::sync::{Arc, Weak};

use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::Value;

use super::{Entry, Revision};

/// What happened to the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was created.
    Added,
    /// It was replaced.
    Modified,
    /// It is gone.
    Deleted,
}

impl Change {
    /// The word of the watch protocol.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "ADDED",
            Self::Modified => "MODIFIED",
            Self::Deleted => "DELETED",
        }
    }
}

/// One change of one object. Encoded once, shared by the history and all watchers.
#[derive(Debug)]
pub struct Event {
    /// The place of the change in the order of all.
    pub revision: Revision,
    /// What happened.
    pub change: Change,
    /// The new state; for a deletion the last state, with the revision of the deletion.
    pub entry: Arc<Entry>,
    /// The state before, unless the object is new: it tells who enters and who leaves a selector.
    pub previous: Option<Arc<Entry>>,
    frame: Bytes,
    parsed: Mutex<Parsed>,
}

/// Parsed states, for the watchers with selectors. A parsed object takes many times its bytes, so each is kept only
/// while the event is among the latest; watchers that come later share it only while one of them holds it.
#[derive(Debug, Default)]
struct Parsed {
    value: Slot,
    previous: Slot,
    late: bool,
}

#[derive(Debug, Default)]
struct Slot {
    kept: Option<Arc<Value>>,
    lent: Weak<Value>,
}

impl Slot {
    fn get(&mut self, late: bool, entry: &Entry) -> Arc<Value> {
        if let Some(value) = self.lent.upgrade() {
            return value;
        }
        let value = Arc::new(entry.value());
        self.lent = Arc::downgrade(&value);
        self.kept = (!late).then(|| value.clone());
        value
    }
}

impl Event {
    pub(super) fn new(change: Change, entry: Arc<Entry>, previous: Option<Arc<Entry>>, frame: Bytes) -> Self {
        Self { revision: entry.revision, change, entry, previous, frame, parsed: Mutex::default() }
    }

    /// `{"type":"ADDED","object":…}` and a line feed: the event on the wire for those who see all of the resource.
    pub fn frame(&self) -> Bytes {
        self.frame.clone()
    }

    /// The new state, parsed at most once for the watchers that run at about the same time.
    pub fn value(&self) -> Arc<Value> {
        let Parsed { value, late, .. } = &mut *self.parsed.lock();
        value.get(*late, &self.entry)
    }

    /// The state before, likewise.
    pub fn previous_value(&self) -> Option<Arc<Value>> {
        let entry = self.previous.as_ref()?;
        let Parsed { previous, late, .. } = &mut *self.parsed.lock();
        Some(previous.get(*late, entry))
    }

    /// Gives the memory of the parsed states back, and keeps none from here on.
    pub(super) fn forget_parsed(&self) {
        *self.parsed.lock() = Parsed { late: true, ..Parsed::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Class, Key};
    use super::*;

    #[test]
    fn what_is_parsed_late_is_not_kept() {
        let bytes = Bytes::from_static(b"{}");
        let entry = Entry { key: Key::new("pods", "a", "b"), revision: Revision(1), bytes, class: Class::Durable };
        let event = Event::new(Change::Added, Arc::new(entry), None, Bytes::new());
        assert_eq!(Arc::strong_count(&event.value()), 2);
        event.forget_parsed();
        let held = event.value();
        assert!(Arc::ptr_eq(&held, &event.value()), "shared while somebody holds it");
        assert_eq!(Arc::strong_count(&held), 1);
    }
}
