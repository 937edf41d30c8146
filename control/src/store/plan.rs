//! What a batch of writes comes to: who gets what he expected, which revision, which bytes.
//!
//! Pure: the tables are read, nothing is changed. Each write sees those before it in the batch.

use std::collections::HashMap;
use std::sync::Arc;

use super::tables::Tables;
use super::{Change, Class, Draft, Entry, Event, Key, Revision};

/// What the writer of an object believes about its present state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// It is not there.
    Absent,
    /// It was last changed at this revision.
    At(Revision),
}

/// One change to make.
#[derive(Clone, Debug)]
pub enum Write {
    /// Create or replace.
    Put {
        /// Which object.
        key: Key,
        /// Refuse if this does not hold.
        expect: Expect,
        /// The new state.
        draft: Draft,
        /// What a crash may take away.
        class: Class,
    },
    /// Remove.
    Delete {
        /// Which object.
        key: Key,
        /// Refuse if it was changed since.
        expect: Revision,
        /// The last state, for those who watch.
        last: Draft,
    },
}

impl Write {
    pub(super) fn draft(&self) -> &Draft {
        match self {
            Self::Put { draft, .. } => draft,
            Self::Delete { last, .. } => last,
        }
    }
}

/// Why a write did not take place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// It was to be created, and is there.
    #[error("the object exists")]
    Exists,
    /// It was to be replaced or deleted, and is not there.
    #[error("the object does not exist")]
    Missing,
    /// It was changed since.
    #[error("the object was changed at revision {current}")]
    Conflict {
        /// The revision it is at.
        current: Revision,
    },
    /// The disk failed, or the store was closed; the reason is for people.
    #[error("{0}")]
    Closed(Arc<str>),
    /// Over [`super::LARGEST_OBJECT`].
    #[error("the object is larger than {} bytes", super::LARGEST_OBJECT)]
    TooLarge,
}

impl WriteError {
    pub(super) fn stopped() -> Self {
        Self::Closed("the store is closed".into())
    }
}

/// The outcome of a batch, if it can be made durable.
pub(super) struct Plan {
    /// For each write what to tell its caller.
    pub(super) answers: Vec<Result<Arc<Entry>, WriteError>>,
    /// The changes, in order.
    pub(super) events: Vec<Arc<Event>>,
    /// What they leave of each object.
    pub(super) latest: HashMap<Key, Option<Arc<Entry>>>,
}

/// Decides a batch that comes after the revision of the tables.
pub(super) fn plan(tables: &Tables, writes: impl IntoIterator<Item = Write>) -> Plan {
    let mut batch = Batch { tables, latest: HashMap::new(), revision: tables.revision(), events: Vec::new() };
    let answers = writes.into_iter().map(|write| batch.add(write)).collect();
    Plan { answers, events: batch.events, latest: batch.latest }
}

struct Batch<'a> {
    tables: &'a Tables,
    /// What earlier writes of this batch left.
    latest: HashMap<Key, Option<Arc<Entry>>>,
    revision: Revision,
    events: Vec<Arc<Event>>,
}

impl Batch<'_> {
    fn add(&mut self, write: Write) -> Result<Arc<Entry>, WriteError> {
        match write {
            Write::Put { key, expect, draft, class } => match (expect, self.present(&key)) {
                (Expect::Absent, None) => Ok(self.commit(Change::Added, key, draft, class, None)),
                (Expect::Absent, Some(_)) => Err(WriteError::Exists),
                (Expect::At(_), None) => Err(WriteError::Missing),
                (Expect::At(expected), Some(old)) => {
                    unchanged(expected, &old)?;
                    Ok(self.commit(Change::Modified, key, draft, class, Some(old)))
                }
            },
            Write::Delete { key, expect, last } => {
                let old = self.present(&key).ok_or(WriteError::Missing)?;
                unchanged(expect, &old)?;
                let class = old.class;
                Ok(self.commit(Change::Deleted, key, last, class, Some(old)))
            }
        }
    }

    fn present(&self, key: &Key) -> Option<Arc<Entry>> {
        match self.latest.get(key) {
            Some(in_batch) => in_batch.clone(),
            None => self.tables.get(key).cloned(),
        }
    }

    fn commit(&mut self, change: Change, key: Key, draft: Draft, class: Class, old: Option<Arc<Entry>>) -> Arc<Entry> {
        self.revision = self.revision.next();
        let sealed = draft.seal(change, self.revision);
        let key = old.as_ref().map_or_else(|| self.tables.intern(key), |old| old.key.clone());
        let entry = Arc::new(Entry { key: key.clone(), revision: self.revision, bytes: sealed.object, class });
        self.events.push(Arc::new(Event::new(change, entry.clone(), old, sealed.frame)));
        self.latest.insert(key, (change != Change::Deleted).then(|| entry.clone()));
        entry
    }
}

fn unchanged(expected: Revision, present: &Entry) -> Result<(), WriteError> {
    if present.revision == expected { Ok(()) } else { Err(WriteError::Conflict { current: present.revision }) }
}
