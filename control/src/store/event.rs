//! One change, as watchers get it.

use std::sync::{Arc, Weak};

use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::Value;

use super::{Entry, Revision};

/// What happened to the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    rendered: Mutex<Rendered>,
}

/// The event in other forms than its own, each by a hash of what the form is: while the event is among the latest, all
/// watchers of a form share one encoding.
#[derive(Debug, Default)]
struct Rendered {
    forms: Vec<(u64, Bytes)>,
    late: bool,
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
        Self {
            revision: entry.revision,
            change,
            entry,
            previous,
            frame,
            parsed: Mutex::default(),
            rendered: Mutex::default(),
        }
    }

    /// What the event holds on to, in bytes.
    pub(super) fn size(&self) -> usize {
        self.frame.len()
    }

    /// The event in the form with this hash; made at most once for the watchers that run at about the same time.
    pub fn rendered(&self, form: u64, make: impl FnOnce() -> Bytes) -> Bytes {
        let mut rendered = self.rendered.lock();
        if let Some((_, known)) = rendered.forms.iter().find(|(known, _)| *known == form) {
            return known.clone();
        }
        let made = make();
        if !rendered.late {
            rendered.forms.push((form, made.clone()));
        }
        made
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

    /// Gives the memory of the parsed states and other forms back, and keeps none from here on.
    pub(super) fn forget_parsed(&self) {
        *self.parsed.lock() = Parsed { late: true, ..Parsed::default() };
        *self.rendered.lock() = Rendered { late: true, forms: Vec::new() };
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

    #[test]
    fn a_form_is_made_once_while_the_event_is_young() {
        let bytes = Bytes::from_static(b"{}");
        let entry = Entry { key: Key::new("pods", "a", "b"), revision: Revision(1), bytes, class: Class::Durable };
        let event = Event::new(Change::Added, Arc::new(entry), None, Bytes::new());
        let made = std::cell::Cell::new(0);
        let get = |form| event.rendered(form, || Bytes::from(vec![made.replace(made.get() + 1)]));
        assert_eq!((get(1), get(1), get(2), get(1)), (vec![0].into(), vec![0].into(), vec![1].into(), vec![0].into()));
        event.forget_parsed();
        assert_eq!((get(1), get(1)), (vec![2].into(), vec![3].into()));
    }
}
