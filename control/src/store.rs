//! The objects of the cluster: durable, ordered by one [`Revision`], and watched.
//!
//! ```text
//! write() ─► queue ─► writer thread: plan (expectations, revisions, bytes) ─► one transaction, one fsync
//!                                    └─► publish: maps and history ─► watchers ─► acknowledge
//! get(), list(), list_at() ◄─ maps in memory          watch() ◄─ history, then live events
//! ```
//!
//! A single writer drains its queue into one transaction, so that sixty-four clients that wait for the disk
//! wait for it together (group commit). The latest bytes of every object are in memory, as clients will get
//! them; reads never touch the disk, and nothing parsed is kept.
//!
//! # Guarantees
//!
//! - A durable write is on disk before it is acknowledged, and before any reader or watcher sees it.
//! - Revisions grow by one per change, across all resources, and never go backwards, not even after a crash.
//! - `list()` at revision R followed by `watch(since R)` neither misses nor repeats a change.
//! - What a failed write left undone is seen by nobody.
//!
//! # Volatile objects
//!
//! Leases and events change all the time and are worth little after a crash. Objects of [`Class::Volatile`]
//! are published without touching the disk. They are checkpointed when the store is closed, and otherwise only
//! ride along with a durable commit that happens anyway, when the last checkpoint is five minutes old; their
//! deletions ride along with the next one, so that a namespace removed for good takes its events with it.
//! A device on which nothing but leases is renewed writes nothing.
//!
//! The revisions that volatile writes use up are not on disk, so the file holds a mark that all revisions
//! handed out are below; after a crash the counter starts at the mark. The mark moves with every durable
//! commit, and costs a commit of its own only once in 65,536 volatile writes.

use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::RwLock;
use tokio::sync::{mpsc, oneshot};

mod disk;
mod draft;
mod entry;
mod event;
mod follow;
mod history;
mod hub;
mod plan;
mod saver;
mod tables;
mod watch;
mod writer;

pub use disk::OpenError;
pub use draft::Draft;
pub use entry::{Class, Entry, Key, Revision};
pub use event::{Change, Event};
pub use history::Expired;
pub use plan::{Expect, Write, WriteError};
pub use tables::Listing;
pub use watch::{Interest, Watch};

use hub::Hub;
use saver::Saver;
use tables::Tables;
use writer::Command;

/// The largest object, in bytes of JSON: what etcd takes by default.
pub const LARGEST_OBJECT: usize = 3 << 19;

/// How many writes may wait for the writer before further ones wait to be queued.
const QUEUE: usize = 1024;

/// Where the objects are kept, and how much of the past is remembered.
#[derive(Clone, Debug)]
pub struct Config {
    /// The database file; without one everything is in memory only.
    pub path: Option<PathBuf>,
    /// How many past events are kept for each resource.
    pub history: usize,
    /// How many bytes of past objects are kept for each resource.
    pub history_bytes: usize,
    /// How many events may wait for one watcher before it is dropped as too slow.
    pub watch_queue: usize,
    /// The same in bytes.
    pub watch_bytes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { path: None, history: 8192, history_bytes: 4 << 20, watch_queue: 4096, watch_bytes: 32 << 20 }
    }
}

/// A handle to the store; clones are the same store.
///
/// The writer ends when the last handle is gone; [`Store::close`] also waits until it has.
#[derive(Clone)]
pub struct Store {
    writer: mpsc::Sender<Command>,
    shared: Arc<Shared>,
}

/// What the writer publishes and everybody reads.
///
/// Lock order: the hub, then the tables. The writer holds the hub from before a batch shows in the tables until
/// every watcher has it, so whoever registers a watch sees either all of a batch in the history or none of it.
pub(crate) struct Shared {
    tables: RwLock<Tables>,
    hub: Hub,
}

impl Store {
    /// Opens the file, loads all objects and starts the writer.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened or read; the error says which and what can be done.
    pub fn open(config: Config) -> Result<Self, OpenError> {
        let (disk, loaded) = disk::open(config.path.as_deref())?;
        let tables = Tables::new(loaded.revision, config.history, config.history_bytes, loaded.entries);
        let room = hub::Room { events: config.watch_queue, bytes: config.watch_bytes };
        let shared = Arc::new(Shared { hub: Hub::new(loaded.revision, room), tables: RwLock::new(tables) });
        let (writer, queue) = mpsc::channel(QUEUE);
        let saver = disk.map(|disk| Saver::new(disk, loaded.revision));
        writer::spawn(saver, shared.clone(), queue).map_err(OpenError::Thread)?;
        Ok(Self { writer, shared })
    }

    /// Creates, replaces or deletes one object; returns when that is durable (or published, if volatile).
    ///
    /// For a deletion the entry is the last state with the revision of the deletion.
    ///
    /// # Cancel safety
    ///
    /// A write that was queued takes place even if nobody waits for it any more.
    ///
    /// # Errors
    ///
    /// When the expectation does not hold, the object is too large, or the disk failed.
    pub async fn write(&self, write: Write) -> Result<Arc<Entry>, WriteError> {
        if write.draft().len() > LARGEST_OBJECT {
            return Err(WriteError::TooLarge);
        }
        let (done, acknowledged) = oneshot::channel();
        self.writer.send(Command::Write(write, done)).await.map_err(|_| WriteError::stopped())?;
        acknowledged.await.unwrap_or_else(|_| Err(WriteError::stopped()))
    }

    /// True while writes are taken.
    pub fn is_open(&self) -> bool {
        !self.writer.is_closed()
    }

    /// The latest state of an object.
    pub fn get(&self, key: &Key) -> Option<Arc<Entry>> {
        self.shared.tables.read().get(key).cloned()
    }

    /// All objects of a resource, or of a namespace of it, as of one revision, ordered by namespace and name.
    pub fn list(&self, resource: &str, namespace: Option<&str>) -> Listing {
        self.shared.tables.read().list(resource, namespace)
    }

    /// All objects of all resources as of one revision, or those of one namespace; in no order.
    pub fn list_all(&self, namespace: Option<&str>) -> Listing {
        let tables = self.shared.tables.read();
        namespace.map_or_else(|| tables.list_all(), |one| tables.list_namespace(one))
    }

    /// What [`Store::list`] returned at an earlier revision.
    ///
    /// # Errors
    ///
    /// When that is longer ago than the history reaches.
    pub fn list_at(&self, resource: &str, namespace: Option<&str>, at: Revision) -> Result<Listing, Expired> {
        self.shared.tables.read().list_at(resource, namespace, at)
    }

    /// How many objects of a resource there are.
    pub fn count(&self, resource: &str) -> usize {
        self.shared.tables.read().count(resource)
    }

    /// The revision of the latest change that can be read.
    pub fn revision(&self) -> Revision {
        self.shared.tables.read().revision()
    }

    /// Every change after `since` that matches, in order; first those of the past, then the live ones.
    ///
    /// # Errors
    ///
    /// When the changes right after `since` are no longer remembered: list again.
    pub fn watch(&self, interest: Interest, since: Revision) -> Result<Watch, Expired> {
        watch::start(self.shared.clone(), interest, since)
    }

    /// Ends all watches, writes the volatile objects too, and waits until the file is closed.
    /// Writes fail from here on.
    pub async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.writer.send(Command::Close(done)).await.is_ok() {
            // An error means that another close was faster, or that the writer had failed: closed either way.
            let _ = closed.await;
        }
    }
}

#[cfg(test)]
mod tests;
