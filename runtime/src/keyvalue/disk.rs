//! The database file of one namespace. The only place here that knows redb.

use std::collections::HashSet;
use std::fs::{self, DirBuilder, DirEntry};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, Table, TableDefinition};

use super::writer::Change;
use super::{Error, Page, QUOTA};

/// `(bucket, key)` to the value.
const PAIRS: TableDefinition<(&str, &str), &[u8]> = TableDefinition::new("pairs");
/// `bytes`: how many all keys and values have.
const META: TableDefinition<&str, u64> = TableDefinition::new("meta");

/// The system keeps the file's pages in memory already.
const CACHE: usize = 1 << 20;

/// Hundredths of a second that closing a file may take.
const CLOSING: u32 = 200;

/// What was asked for, in that order.
pub(super) type Found = Vec<Option<(String, Vec<u8>)>>;

pub(super) struct Disk {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// None after a failure: the next operation opens the file again, which repairs it to its last commit.
    database: Option<Arc<Database>>,
    /// The file is nobody's any more but those who have it open.
    is_removed: bool,
}

pub(super) fn path(directory: &Path, namespace: &str) -> PathBuf {
    // A namespace's name is a DNS label.
    directory.join(format!("{namespace}.redb"))
}

/// The namespaces that have a file.
pub(super) fn namespaces(directory: &Path) -> io::Result<HashSet<String>> {
    let named =
        |entry: io::Result<DirEntry>| entry.ok()?.file_name().to_str()?.strip_suffix(".redb").map(str::to_owned);
    match fs::read_dir(directory) {
        Ok(entries) => Ok(entries.filter_map(named).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(HashSet::new()),
        Err(error) => Err(error),
    }
}

/// Removes a namespace's file, if there is one.
pub(super) fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::Disk(error.to_string())),
        _ => Ok(()),
    }
}

impl Disk {
    pub(super) fn open(directory: &Path, namespace: &str) -> Result<Disk, Error> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(directory);
        made.map_err(|error| Error::Disk(format!("{}: {error}", directory.display())))?;
        let disk = Disk { path: path(directory, namespace), state: Mutex::default() };
        disk.database()?;
        Ok(disk)
    }

    fn database(&self) -> Result<Arc<Database>, Error> {
        let mut state = self.state.lock();
        if let Some(database) = &state.database {
            return Ok(database.clone());
        }
        if state.is_removed {
            return Err(Error::Gone);
        }
        let database = Arc::new(create(&self.path)?);
        state.database = Some(database.clone());
        Ok(database)
    }

    /// Removes the file. Those who have it open keep what they have, and its room is free when they are gone.
    pub(super) fn remove(&self) -> Result<(), Error> {
        let mut state = self.state.lock();
        state.is_removed = true;
        remove(&self.path)
    }

    /// At most `budget` bytes of values.
    pub(super) fn get(&self, bucket: &str, keys: Vec<String>, budget: usize) -> Result<Found, Error> {
        let read = self.database()?.begin_read()?;
        let pairs = match read.open_table(PAIRS) {
            Ok(pairs) => pairs,
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(keys.iter().map(|_| None).collect()),
            Err(error) => return Err(error.into()),
        };
        let mut bytes = 0;
        let mut found = Vec::with_capacity(keys.len());
        for key in keys {
            let value = pairs.get((bucket, key.as_str()))?.map(|value| value.value().to_vec());
            bytes += value.as_ref().map_or(0, Vec::len);
            if bytes > budget {
                return Err(Error::Value);
            }
            found.push(value.map(|value| (key, value)));
        }
        Ok(found)
    }

    pub(super) fn keys(&self, bucket: &str, from: u64, count: usize) -> Result<Page, Error> {
        let read = self.database()?.begin_read()?;
        let pairs = match read.open_table(PAIRS) {
            Ok(pairs) => pairs,
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(Page { keys: Vec::new(), next: None }),
            Err(error) => return Err(error.into()),
        };
        let mut keys = Vec::new();
        for pair in pairs.range((bucket, "")..)?.skip(usize::try_from(from).unwrap_or(usize::MAX)) {
            let (key, _) = pair?;
            let (of, key) = key.value();
            if of != bucket {
                break;
            }
            if keys.len() == count {
                return Ok(Page { keys, next: Some(from + count as u64) });
            }
            keys.push(key.to_owned());
        }
        Ok(Page { keys, next: None })
    }

    /// Does all changes in one transaction. Each has an outcome of its own; an error here is everybody's.
    pub(super) fn commit<'a>(
        &self,
        changes: impl Iterator<Item = &'a Change>,
    ) -> Result<Vec<Result<u64, Error>>, Error> {
        let outcome = self.database().and_then(|database| transact(&database, changes));
        if outcome.is_err() {
            self.state.lock().database = None;
        }
        outcome
    }
}

/// Whoever had it open last may be closing it at this very moment.
fn create(path: &Path) -> Result<Database, DatabaseError> {
    let mut left = CLOSING;
    loop {
        match Database::builder().set_cache_size(CACHE).create(path) {
            Err(DatabaseError::DatabaseAlreadyOpen) if left > 0 => left -= 1,
            outcome => return outcome,
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "redb has no way to wait for the file, and this thread may block"
        )]
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn transact<'a>(
    database: &Database,
    changes: impl Iterator<Item = &'a Change>,
) -> Result<Vec<Result<u64, Error>>, Error> {
    let transaction = database.begin_write()?;
    let mut outcomes = Vec::new();
    let dirty = {
        let mut meta = transaction.open_table(META)?;
        let used = meta.get("bytes")?.map_or(0, |bytes| bytes.value());
        let mut pairs = Pairs { table: transaction.open_table(PAIRS)?, used, dirty: false };
        for change in changes {
            outcomes.push(match pairs.apply(change) {
                Err(Error::Disk(reason)) => return Err(Error::Disk(reason)),
                outcome => outcome,
            });
        }
        if pairs.used != used {
            meta.insert("bytes", pairs.used)?;
        }
        pairs.dirty
    };
    // What changes nothing is not worth a write to the disk.
    if dirty {
        transaction.commit()?
    } else {
        transaction.abort()?
    }
    Ok(outcomes)
}

struct Pairs<'t> {
    table: Table<'t, (&'static str, &'static str), &'static [u8]>,
    used: u64,
    dirty: bool,
}

impl Pairs<'_> {
    fn apply(&mut self, change: &Change) -> Result<u64, Error> {
        match change {
            Change::Put { bucket, pairs } => {
                self.admit(bucket, pairs)?;
                for (key, value) in pairs {
                    self.put(bucket, key, value.as_deref())?;
                }
                Ok(0)
            }
            Change::Add { bucket, key, delta } => {
                let number = match self.table.get((bucket.as_str(), key.as_str()))? {
                    Some(value) => number(value.value())?,
                    None => 0,
                };
                let sum = number.checked_add(*delta).ok_or(Error::Number)?;
                let pair = [(key.clone(), Some(sum.to_string().into_bytes()))];
                self.admit(bucket, &pair)?;
                self.put(bucket, key, pair[0].1.as_deref())?;
                Ok(sum)
            }
        }
    }

    /// Whether all of it fits, before any of it is done. A key that is named twice counts twice.
    fn admit(&self, bucket: &str, pairs: &[(String, Option<Vec<u8>>)]) -> Result<(), Error> {
        let mut used = self.used;
        for (key, value) in pairs {
            if let Some(value) = value {
                used += size(bucket, key, value);
                used -= self.size_now(bucket, key)?.min(used);
            }
        }
        if used > QUOTA && used > self.used { Err(Error::Full) } else { Ok(()) }
    }

    fn size_now(&self, bucket: &str, key: &str) -> Result<u64, Error> {
        Ok(self.table.get((bucket, key))?.map_or(0, |value| size(bucket, key, value.value())))
    }

    fn put(&mut self, bucket: &str, key: &str, value: Option<&[u8]>) -> Result<(), Error> {
        let old = self.table.get((bucket, key))?.map(|value| value.value().to_vec());
        if old.as_deref() == value {
            return Ok(());
        }
        self.dirty = true;
        self.used -= old.map_or(0, |old| size(bucket, key, &old)).min(self.used);
        match value {
            Some(value) => {
                self.used += size(bucket, key, value);
                self.table.insert((bucket, key), value)?;
            }
            None => {
                self.table.remove((bucket, key))?;
            }
        }
        Ok(())
    }
}

fn size(bucket: &str, key: &str, value: &[u8]) -> u64 {
    (bucket.len() + key.len() + value.len()) as u64
}

fn number(digits: &[u8]) -> Result<u64, Error> {
    std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).ok_or(Error::Number)
}
