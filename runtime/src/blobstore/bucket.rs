//! A bucket that somebody has open. All of it blocks on the disk.

use std::io;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::UNIX_EPOCH;

use cap_std::fs::{Dir, Metadata, OpenOptions, OpenOptionsExt as _};

use super::name::{Name, is_hidden};
use super::{Error, Object};
use crate::container::files::{Lease, Quota};

/// Files, or directories at the top, that are removed in one go.
const BATCH: usize = 256;

/// What is known of an object or a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Info {
    /// Seconds since 1970.
    pub(crate) created: u64,
    pub(crate) size: u64,
}

#[derive(Debug)]
pub(crate) struct Bucket {
    name: String,
    pub(super) dir: Dir,
    read_only: bool,
    pub(super) files: Quota,
    /// Whether what a process before this one left unfinished is gone.
    pub(super) is_swept: AtomicBool,
    _open: Lease,
}

impl Bucket {
    pub(super) fn new(name: &str, dir: Dir, read_only: bool, files: &Quota) -> Result<Bucket, Error> {
        let _open = files.lease().ok_or(Error::Files)?;
        let (name, files) = (name.to_owned(), files.clone());
        Ok(Bucket { name, dir, read_only, files, is_swept: AtomicBool::new(false), _open })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn writable(&self) -> Result<(), Error> {
        if self.read_only { Err(Error::ReadOnly(self.name.clone())) } else { Ok(()) }
    }

    pub(crate) fn info(&self) -> Result<Info, Error> {
        Ok(info(&self.dir.dir_metadata()?))
    }

    /// None where there is no object.
    pub(crate) fn find(&self, name: &Name) -> Result<Option<Info>, Error> {
        match self.dir.metadata(name.path()) {
            Ok(found) => Ok(found.is_file().then(|| info(&found))),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(Error::Io(error)),
        }
    }

    pub(crate) fn open(&self, name: &Name) -> Result<Object, Error> {
        let open = self.files.lease().ok_or(Error::Files)?;
        let missing = || Error::NoObject(name.to_string());
        // A pipe of somebody else's would keep the thread.
        let nonblocking = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default();
        let opened = self.dir.open_with(name.path(), OpenOptions::new().read(true).custom_flags(nonblocking));
        let file = opened.map_err(|error| if is_missing(&error) { missing() } else { Error::Io(error) })?;
        let found = file.metadata()?;
        if found.is_file() { Ok(Object::new(file.into_std(), found.len(), open)) } else { Err(missing()) }
    }

    /// An object that is not there is no error.
    pub(crate) fn remove(&self, name: &Name) -> Result<(), Error> {
        match self.dir.symlink_metadata(name.path()) {
            Ok(found) if found.is_dir() => return Ok(()),
            Err(error) if is_missing(&error) => return Ok(()),
            _ => {}
        }
        match self.dir.remove_file(name.path()) {
            Err(error) if !is_missing(&error) => return Err(Error::Io(error)),
            _ => {}
        }
        self.prune(name);
        Ok(())
    }

    /// Removes the directories that an object was the last in.
    pub(super) fn prune(&self, name: &Name) {
        for directory in name.directories() {
            if self.dir.remove_dir(directory).is_err() {
                break;
            }
        }
    }

    /// Removes some of what is in it, and says whether there may be more.
    pub(crate) fn clear_some(&self) -> Result<bool, Error> {
        let mut removed = 0;
        for entry in self.dir.entries()? {
            let entry = entry?;
            let name = entry.file_name();
            if name.to_str().is_some_and(is_hidden) {
                continue;
            }
            if entry.file_type()?.is_dir() {
                self.dir.remove_dir_all(&name)?;
            } else {
                self.dir.remove_file(&name)?;
            }
            removed += 1;
            if removed == BATCH {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Makes what was renamed in a directory last. Where a file system can't do that, there is nothing to be done.
    pub(super) fn sync(&self, name: &Name) {
        let directory = name.directories().next().unwrap_or(Path::new("."));
        if let Err(error) = self.dir.open(directory).and_then(|directory| directory.sync_all()) {
            tracing::debug!(%error, "a directory is not synced");
        }
    }
}

/// Nothing there, or an object where a directory would have to be.
fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn info(found: &Metadata) -> Info {
    let time = found.created().or_else(|_| found.modified()).map(cap_std::time::SystemTime::into_std).ok();
    let created = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map_or(0, |since| since.as_secs());
    Info { created, size: found.len() }
}
