//! One change, as watchers get it.

use std::sync::Arc;

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

/// Parsed states, for the watchers with selectors; forgotten when the event is no longer among the latest.
#[derive(Debug, Default)]
struct Parsed {
    value: Option<Arc<Value>>,
    previous: Option<Arc<Value>>,
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
        self.parsed.lock().value.get_or_insert_with(|| Arc::new(self.entry.value())).clone()
    }

    /// The state before, likewise.
    pub fn previous_value(&self) -> Option<Arc<Value>> {
        let previous = self.previous.as_ref()?;
        Some(self.parsed.lock().previous.get_or_insert_with(|| Arc::new(previous.value())).clone())
    }

    /// Gives the memory of the parsed states back.
    pub(super) fn forget_parsed(&self) {
        *self.parsed.lock() = Parsed::default();
    }
}
