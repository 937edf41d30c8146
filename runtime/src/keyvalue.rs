//! Pairs of keys and values that guests keep: a store for each namespace, shared by its pods, on disk.
//!
//! A store is one database file below the data directory, opened when the first guest asks and closed with the last
//! container that did. A bucket is nothing but the first part of a key.
//!
//! # Guarantees
//! - A write that was acknowledged is on the disk: it survives `kill -9` and the loss of power.
//! - Writes of one call are done all or not at all.
//! - A store goes with its namespace.
//! - A namespace has [a bounded amount](QUOTA) of data, and what waits to be written is bounded, too: who writes faster
//!   than the disk waits.

mod disk;
mod writer;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use disk::Disk;
use writer::{Change, Writer};

/// Bytes of a key, and of a bucket's name.
pub(crate) const MAX_KEY: usize = 1 << 10;
/// Bytes of a value, and of all pairs of one call.
const MAX_VALUE: usize = 4 << 20;
/// Bytes of all keys and values of a namespace.
const QUOTA: u64 = 256 << 20;
/// Keys, or pairs, of one answer.
const PAGE: usize = 1_000;

/// Why an operation failed.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// The key is longer than [`MAX_KEY`].
    #[error("the key has more than {MAX_KEY} bytes")]
    Key,
    /// The value, or all of a call's, are longer than [`MAX_VALUE`].
    #[error("the value has more than {MAX_VALUE} bytes")]
    Value,
    /// More keys than one call may name.
    #[error("more than {PAGE} keys at a time")]
    Keys,
    /// The namespace has all that it may have.
    #[error("the namespace's store is full: it holds {QUOTA} bytes at most")]
    Full,
    /// What is there is no number.
    #[error("the value is not a number, or would not fit one")]
    Number,
    /// The namespace was deleted.
    #[error("the namespace is gone, and its store with it")]
    Gone,
    /// The disk, or what is on it.
    #[error("the store failed: {0}")]
    Disk(String),
}

impl<E: Into<redb::Error>> From<E> for Error {
    fn from(error: E) -> Error {
        Error::Disk(error.into().to_string())
    }
}

/// All stores of a node.
pub struct Stores {
    directory: PathBuf,
    open: Mutex<HashMap<String, Open>>,
}

/// The file may be open a moment longer than the store.
struct Open {
    store: Weak<Store>,
    disk: Weak<Disk>,
}

impl Stores {
    /// The stores in a directory, which is made with the first of them.
    pub fn new(directory: impl Into<PathBuf>) -> Arc<Stores> {
        Arc::new(Stores { directory: directory.into(), open: Mutex::default() })
    }

    /// The store of one namespace, not opened yet.
    pub fn namespace(self: &Arc<Stores>, name: &str) -> Namespace {
        Namespace { stores: self.clone(), name: name.to_owned() }
    }

    /// The namespaces that have a store on the disk.
    pub(crate) async fn names(&self) -> HashSet<String> {
        let directory = self.directory.clone();
        let found =
            blocking(move || disk::namespaces(&directory).map_err(|error| Error::Disk(error.to_string()))).await;
        found.unwrap_or_else(|error| {
            tracing::warn!(%error, "the stores of namespaces could not be listed");
            HashSet::new()
        })
    }

    /// Removes the store of a namespace that is gone. A guest that has it open still reads what it wrote; a namespace of
    /// the same name starts with nothing.
    pub(crate) async fn remove(self: &Arc<Stores>, name: &str) -> Result<(), Error> {
        let (stores, name) = (self.clone(), name.to_owned());
        blocking(move || {
            // Held, so that nobody opens it meanwhile.
            let mut open = stores.open.lock();
            match open.remove(&name).and_then(|open| open.disk.upgrade()) {
                Some(disk) => disk.remove(),
                None => disk::remove(&disk::path(&stores.directory, &name)),
            }
        })
        .await
    }
}

/// The right to use one namespace's store.
#[derive(Clone)]
pub struct Namespace {
    stores: Arc<Stores>,
    name: String,
}

impl Namespace {
    pub(crate) async fn open(&self) -> Result<Arc<Store>, Error> {
        let (stores, name) = (self.stores.clone(), self.name.clone());
        let handle = tokio::runtime::Handle::current();
        blocking(move || {
            // Held while it opens: a file can be open once.
            let mut open = stores.open.lock();
            if let Some(store) = open.get(&name).and_then(|open| open.store.upgrade()) {
                return Ok(store);
            }
            let disk = match open.get(&name).and_then(|open| open.disk.upgrade()) {
                Some(disk) => disk,
                None => Arc::new(Disk::open(&stores.directory, &name)?),
            };
            open.retain(|_, open| open.disk.strong_count() > 0);
            let _entered = handle.enter();
            let store = Arc::new(Store { disk: disk.clone(), writer: Writer::start(disk.clone()) });
            open.insert(name, Open { store: Arc::downgrade(&store), disk: Arc::downgrade(&disk) });
            Ok(store)
        })
        .await
    }
}

/// An open store. The writer is the last to let go of the file, because closing it is work for the disk.
pub(crate) struct Store {
    disk: Arc<Disk>,
    writer: Writer,
}

/// Some of a bucket's keys, in order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) keys: Vec<String>,
    /// Where the next page begins: how many keys come before it. Keys that are deleted meanwhile move the rest.
    pub(crate) next: Option<u64>,
}

impl Store {
    pub(crate) async fn get(&self, bucket: &str, key: String) -> Result<Option<Vec<u8>>, Error> {
        let found = self.get_many(bucket, vec![key]).await?;
        Ok(found.into_iter().next().flatten().map(|(_, value)| value))
    }

    pub(crate) async fn get_many(
        &self,
        bucket: &str,
        keys: Vec<String>,
    ) -> Result<Vec<Option<(String, Vec<u8>)>>, Error> {
        if keys.len() > PAGE {
            return Err(Error::Keys);
        }
        let (disk, bucket) = (self.disk.clone(), bucket.to_owned());
        blocking(move || disk.get(&bucket, keys, MAX_VALUE)).await
    }

    pub(crate) async fn keys(&self, bucket: &str, from: u64) -> Result<Page, Error> {
        let (disk, bucket) = (self.disk.clone(), bucket.to_owned());
        blocking(move || disk.keys(&bucket, from, PAGE)).await
    }

    /// Sets the keys that have a value, and deletes the others.
    pub(crate) async fn write(&self, bucket: &str, pairs: Vec<(String, Option<Vec<u8>>)>) -> Result<(), Error> {
        let change = Change::Put { bucket: bucket.to_owned(), pairs };
        self.writer.apply(change).await.map(drop)
    }

    /// Adds to a number, which is kept as decimal digits; what is not there counts as 0.
    pub(crate) async fn increment(&self, bucket: &str, key: String, delta: u64) -> Result<u64, Error> {
        self.writer.apply(Change::Add { bucket: bucket.to_owned(), key, delta }).await
    }
}

/// Off the guests' threads. A damaged file may trip an assertion of the database: an error like any other.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(Error::Disk("the database is damaged".to_owned())))
}

#[cfg(test)]
mod tests;
