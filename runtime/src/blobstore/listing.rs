//! Walking through a bucket, a page at a time.

use std::sync::Arc;

use cap_std::fs::{DirEntry, ReadDir};

use super::name::{MAX_PARTS, is_hidden};
use super::{Bucket, Error, PAGE};
use crate::container::files::Lease;

/// The names of a bucket's objects, in the order of the disk. What is changed meanwhile may be among them or not.
pub(crate) struct Listing {
    bucket: Arc<Bucket>,
    /// The directories on the way to where it is.
    levels: Vec<Level>,
}

struct Level {
    /// What names in it begin with.
    prefix: String,
    entries: ReadDir,
    _open: Lease,
}

impl Listing {
    /// Blocks on the disk, as the rest does.
    pub(crate) fn new(bucket: Arc<Bucket>) -> Result<Listing, Error> {
        let _open = bucket.files.lease().ok_or(Error::Files)?;
        let entries = bucket.dir.entries()?;
        Ok(Listing { bucket, levels: vec![Level { prefix: String::new(), entries, _open }] })
    }

    /// So many more names, or as many as one answer has; and whether these were the last.
    pub(crate) fn read(&mut self, count: u64) -> Result<(Vec<String>, bool), Error> {
        let count = usize::try_from(count).unwrap_or(usize::MAX).min(PAGE);
        let mut names = Vec::new();
        while names.len() < count {
            match self.next()? {
                Some(name) => names.push(name),
                None => return Ok((names, true)),
            }
        }
        Ok((names, self.levels.is_empty()))
    }

    fn next(&mut self) -> Result<Option<String>, Error> {
        while let Some(level) = self.levels.last_mut() {
            let Some(entry) = level.entries.next() else {
                self.levels.pop();
                continue;
            };
            let entry = entry?;
            let Some(name) = entry.file_name().to_str().map(|name| format!("{}{name}", level.prefix)) else { continue };
            if self.levels.len() == 1 && is_hidden(&name) {
                continue;
            }
            // What has gone since is passed over.
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                self.enter(&entry, name)?;
            } else if kind.is_file() || self.bucket.dir.metadata(&name).is_ok_and(|found| found.is_file()) {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    /// Deeper than a name can be, there are no objects.
    fn enter(&mut self, entry: &DirEntry, name: String) -> Result<(), Error> {
        if self.levels.len() < MAX_PARTS
            && let Ok(entries) = entry.open_dir().and_then(|dir| dir.entries())
        {
            let _open = self.bucket.files.lease().ok_or(Error::Files)?;
            self.levels.push(Level { prefix: name + "/", entries, _open });
        }
        Ok(())
    }
}
