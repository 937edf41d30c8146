//! Clearing up after those who did not come back: uploads that were begun and left, directories half made.

use std::fs::{self, DirEntry};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::{Error, Store, at, unless_missing};

impl Store {
    /// Removes what was left for longer than `age`. Blocks on the disk; writes nothing where there is nothing.
    pub fn sweep(&self, age: Duration) -> Result<(), Error> {
        let before = SystemTime::now().checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH);
        for entry in entries(&self.root.join("uploads"))? {
            if is_older(&entry, before) {
                fs::remove_file(entry.path()).or_else(unless_missing).map_err(at(&entry.path()))?;
            }
        }
        for entry in entries(&self.root.join("rootfs"))? {
            if entry.file_name().as_encoded_bytes().starts_with(b".") && is_older(&entry, before) {
                fs::remove_dir_all(entry.path()).or_else(unless_missing).map_err(at(&entry.path()))?;
            }
        }
        Ok(())
    }
}

fn entries(directory: &Path) -> Result<Vec<DirEntry>, Error> {
    match fs::read_dir(directory).and_then(|entries| entries.collect::<io::Result<Vec<_>>>()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        entries => entries.map_err(at(directory)),
    }
}

fn is_older(entry: &DirEntry, before: SystemTime) -> bool {
    entry.metadata().and_then(|found| found.modified()).is_ok_and(|modified| modified < before)
}
