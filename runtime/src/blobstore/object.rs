//! Reading objects, and putting them elsewhere.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use super::draft::{Temporary, place};
use super::{Bucket, Error, MAX_WHOLE, Name, blocking};
use crate::container::files::Lease;

/// Bytes that are copied before somebody may have lost interest.
const STEP: u64 = 8 << 20;

/// An object that is open, or a part of it: it stays what it was.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    file: Arc<Open>,
    from: u64,
    size: u64,
}

#[derive(Debug)]
struct Open {
    file: File,
    _lease: Lease,
}

impl Object {
    pub(super) fn new(file: File, size: u64, lease: Lease) -> Object {
        Object { file: Arc::new(Open { file, _lease: lease }), from: 0, size }
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// From the first of these bytes to the last, as far as there are so many.
    pub(crate) fn part(self, first: u64, last: u64) -> Result<Object, Error> {
        if first > last {
            return Err(Error::Range);
        }
        let end = self.size.min(last.saturating_add(1));
        Ok(Object { from: first.min(end), size: end.saturating_sub(first), file: self.file })
    }

    /// Some bytes; none at the end. Blocks on the disk.
    pub(crate) fn read(&self, at: u64, count: usize) -> io::Result<Vec<u8>> {
        let left = usize::try_from(self.size.saturating_sub(at)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; count.min(left)];
        loop {
            match self.file.file.read_at(&mut bytes, self.from + at) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => {
                    bytes.truncate(read?);
                    return Ok(bytes);
                }
            }
        }
    }

    /// All of it. Blocks on the disk.
    pub(crate) fn whole(&self) -> Result<Vec<u8>, Error> {
        let size = usize::try_from(self.size).ok().filter(|_| self.size <= MAX_WHOLE).ok_or(Error::Whole)?;
        let mut bytes = Vec::with_capacity(size);
        while bytes.len() < size {
            let more = self.read(bytes.len() as u64, size - bytes.len())?;
            if more.is_empty() {
                break;
            }
            bytes.extend(more);
        }
        Ok(bytes)
    }
}

/// Makes an object of the bytes of another. Nothing is left of it when the future is dropped.
pub(crate) async fn copy(from: Object, bucket: Arc<Bucket>, name: Name) -> Result<(), Error> {
    let place_of = bucket.clone();
    let to = Arc::new(blocking(move || Temporary::new(place_of)).await?);
    // The file is nobody else's, but its position is: it was opened for this.
    loop {
        let (from, to) = (from.clone(), to.clone());
        let copied = blocking(move || Ok(io::copy(&mut (&from.file.file).take(STEP), &mut to.file())?)).await?;
        if copied == 0 {
            break;
        }
    }
    blocking(move || if place(&to, &bucket, &name)? { Ok(()) } else { Err(Error::Interrupted) }).await
}

/// Gives an object another name. False when that takes a copy.
pub(crate) fn rename(from: &Bucket, name: &Name, to: &Bucket, new: &Name) -> Result<bool, Error> {
    if !from.dir.symlink_metadata(name.path()).is_ok_and(|found| found.is_file()) {
        return Ok(false);
    }
    if !super::draft::rename(&from.dir, name.path(), to, new)? {
        return Ok(false);
    }
    from.prune(name);
    from.sync(name);
    Ok(true)
}
