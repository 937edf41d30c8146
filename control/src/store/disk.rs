//! The database file. The only place that knows redb.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::panic;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, StorageError, TableDefinition};

use super::{Class, Entry, Key, Revision};

/// `resource NUL namespace NUL name` to (revision, volatile, JSON).
const OBJECTS: TableDefinition<&str, (u64, bool, &[u8])> = TableDefinition::new("objects");
/// `format`: the version of this layout; `mark`: no revision above it was ever handed out.
const META: TableDefinition<&str, u64> = TableDefinition::new("meta");

const FORMAT: u64 = 1;

/// Everything is in memory already; the database needs little more than the inner pages of its tree.
const CACHE: usize = 8 << 20;

/// Where a new cluster starts: clients give resource version 0 a meaning of its own.
const FIRST: Revision = Revision(1);

/// Why the store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("{} is in use by another process; stop that one, or choose another data directory", path.display())]
    Locked {
        /// The database file.
        path: PathBuf,
    },
    /// It is not, or no longer, a database.
    #[error("{} is damaged ({reason}); put a backup in its place, or move it away to start with an empty cluster", path.display())]
    Damaged {
        /// The database file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// It was written by another version of this program.
    #[error("{} has the format {found}, and this version reads format {FORMAT}; use the version that wrote it", path.display())]
    Format {
        /// The database file.
        path: PathBuf,
        /// The format that it has.
        found: String,
    },
    /// The file system refused.
    #[error("cannot open {}", path.display())]
    Io {
        /// The database file.
        path: PathBuf,
        /// Its reason.
        source: io::Error,
    },
    /// The writer's thread could not be started.
    #[error("cannot start the writer of the store")]
    Thread(#[source] io::Error),
}

/// What the file held.
pub(super) struct Loaded {
    pub(super) revision: Revision,
    pub(super) entries: Vec<Entry>,
}

/// One object to write, or to remove.
pub(super) type Record = (Key, Option<Arc<Entry>>);

/// The open file.
pub(super) struct Disk {
    path: PathBuf,
    /// None after a failure: the next commit opens the file again.
    database: Option<Database>,
}

/// Opens and reads the file; without a path there is none.
pub(super) fn open(path: Option<&Path>) -> Result<(Option<Disk>, Loaded), OpenError> {
    let Some(path) = path else {
        return Ok((None, Loaded { revision: FIRST, entries: Vec::new() }));
    };
    // A damaged file may trip an assertion of the database: that is an error about the file like any other.
    let opened = panic::catch_unwind(|| {
        let database = database(path).map_err(|e| failed(path, e.into()))?;
        let loaded = load(&database, path)?;
        Ok((database, loaded))
    });
    let (database, loaded) =
        opened.unwrap_or_else(|_| Err(OpenError::Damaged { path: path.into(), reason: "it cannot be read".into() }))?;
    Ok((Some(Disk { path: path.into(), database: Some(database) }), loaded))
}

impl Disk {
    /// Writes the records and the mark in one transaction, with one fsync.
    pub(super) fn commit(&mut self, records: &[Record], mark: Revision) -> Result<(), redb::Error> {
        let database = match self.database.take() {
            Some(open) => open,
            None => database(&self.path)?,
        };
        // On failure the database is dropped: redb refuses to go on after an I/O error, and a file that is
        // opened again is repaired to its last commit.
        write(&database, records, mark)?;
        self.database = Some(database);
        Ok(())
    }
}

fn write(database: &Database, records: &[Record], mark: Revision) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut objects = transaction.open_table(OBJECTS)?;
        for (key, state) in records {
            let path = encode(key);
            match state {
                Some(e) => objects.insert(&*path, (e.revision.0, e.class == Class::Volatile, &*e.bytes))?,
                None => objects.remove(&*path)?,
            };
        }
        transaction.open_table(META)?.insert("mark", mark.0)?;
    }
    transaction.commit()?;
    Ok(())
}

fn database(path: &Path) -> Result<Database, DatabaseError> {
    let file = file(path).map_err(StorageError::Io)?;
    Database::builder().set_cache_size(CACHE).create_file(file)
}

/// Secrets are in it: for the owner only.
fn file(path: &Path) -> io::Result<File> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn load(database: &Database, path: &Path) -> Result<Loaded, OpenError> {
    read(database).map_err(|e| failed(path, e)).and_then(|(format, loaded)| match format {
        FORMAT => Ok(loaded),
        other => Err(OpenError::Format { path: path.into(), found: other.to_string() }),
    })
}

fn read(database: &Database) -> Result<(u64, Loaded), redb::Error> {
    prepare(database)?;
    let transaction = database.begin_read()?;
    let meta = transaction.open_table(META)?;
    let number = |name| meta.get(name).map(|found| found.map(|n| n.value()));
    let format = number("format")?.unwrap_or(0);
    let mut revision = Revision(number("mark")?.unwrap_or(0));
    let mut entries = Vec::new();
    for row in transaction.open_table(OBJECTS)?.iter()? {
        let (path, state) = row?;
        let (at, volatile, bytes) = state.value();
        let Some(key) = decode(path.value()) else {
            return Err(redb::Error::Corrupted(format!("no such key: {:?}", path.value())));
        };
        let class = if volatile { Class::Volatile } else { Class::Durable };
        entries.push(Entry { key, revision: Revision(at), bytes: Bytes::copy_from_slice(bytes), class });
        revision = revision.max(Revision(at));
    }
    Ok((format, Loaded { revision, entries }))
}

/// Lays a new file out; writes nothing into one that is.
fn prepare(database: &Database) -> Result<(), redb::Error> {
    if database.begin_read()?.list_tables()?.next().is_some() {
        return Ok(());
    }
    let transaction = database.begin_write()?;
    transaction.open_table(OBJECTS)?;
    {
        let mut meta = transaction.open_table(META)?;
        meta.insert("format", FORMAT)?;
        meta.insert("mark", FIRST.0)?;
    }
    transaction.commit()?;
    Ok(())
}

fn encode(key: &Key) -> String {
    [&*key.resource, &*key.namespace, &*key.name].join("\0")
}

fn decode(path: &str) -> Option<Key> {
    let mut parts = path.splitn(3, '\0');
    Some(Key::new(parts.next()?, parts.next()?, parts.next()?))
}

fn failed(path: &Path, error: redb::Error) -> OpenError {
    let path = path.to_owned();
    match error {
        redb::Error::DatabaseAlreadyOpen => OpenError::Locked { path },
        redb::Error::UpgradeRequired(version) => OpenError::Format { path, found: format!("redb {version}") },
        redb::Error::Io(e) if e.kind() != io::ErrorKind::InvalidData && e.kind() != io::ErrorKind::UnexpectedEof => {
            OpenError::Io { path, source: e }
        }
        other => OpenError::Damaged { path, reason: other.to_string() },
    }
}

#[cfg(test)]
impl Disk {
    /// As after a failure, with the file at another place; returns the place where it was.
    pub(super) fn break_off(&mut self, path: PathBuf) -> PathBuf {
        self.database = None;
        std::mem::replace(&mut self.path, path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_the_way_to_the_file() {
        for key in [Key::new("pods", "default", "a"), Key::new("nodes", "", "n")] {
            assert_eq!(decode(&encode(&key)), Some(key));
        }
        assert_eq!(decode("pods"), None);
    }

    #[test]
    fn a_damaged_file_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state.redb");
        drop(open(Some(&path)).unwrap());
        let whole = fs::read(&path).unwrap();
        for damaged in [&whole[..whole.len() / 2], &whole[..100], &vec![7; 4096][..]] {
            fs::write(&path, damaged).unwrap();
            let error = open(Some(&path)).err().expect("damage is noticed");
            assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
            assert!(error.to_string().contains("state.redb"), "{error}");
        }
    }

    #[test]
    fn a_second_opener_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new/state.redb");
        let first = open(Some(&path)).unwrap();
        assert!(matches!(open(Some(&path)), Err(OpenError::Locked { .. })));
        drop(first);
        open(Some(&path)).unwrap();
    }
}
