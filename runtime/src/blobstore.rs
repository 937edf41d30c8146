//! Objects that guests keep: files in the volumes that their container mounts.
//!
//! There is nothing to configure. A volume that is mounted as a directory is a bucket by the volume's name, with the
//! rights of the mount; an object is a file in it, and a `/` in its name a directory. So whoever may write objects may
//! write the files, and the other way round; what holds for a volume (its size, its end, who else mounts it) holds for
//! its objects. Buckets that a guest makes itself are directories in the volume called [`HOME`], if there is one.
//! What WASI calls a container is called a bucket here: this crate has containers already.
//!
//! # Guarantees
//! - An object is whole: it is written to a [file beside](draft) and renamed when it is finished and on the disk. Who
//!   reads the object before it goes on reading that one.
//! - No name leads out of the volume: names are [checked](name), and the files are opened beneath the volume's directory,
//!   whatever links guests have put into it.
//! - What is held open counts as the container's open files do. No operation holds more than a page in memory.

mod bucket;
mod draft;
mod listing;
mod name;
mod object;
mod places;

use std::io;

pub(crate) use bucket::{Bucket, Info};
pub(crate) use draft::{Draft, State as DraftState};
pub(crate) use listing::Listing;
pub(crate) use name::Name;
pub(crate) use object::{Object, copy, rename};
pub(crate) use places::Buckets;
pub use places::{HOME, Place, of_mounts};

/// Bytes of an object that is handed over whole.
const MAX_WHOLE: u64 = 32 << 20;
/// Names of one answer.
const PAGE: usize = 1_000;

/// Why an operation failed. Guests read these.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such volume.
    #[error("there is no container {0:?}: no volume of this name is mounted, and none was created")]
    NoBucket(String),
    /// There is one already.
    #[error("there is a container {0:?} already")]
    Exists(String),
    /// It comes with the pod.
    #[error("the container {0:?} is a volume of the pod, which goes with the pod and not before")]
    Volume(String),
    /// Nowhere to make one.
    #[error("containers are created in a volume called {HOME:?}, and none is mounted")]
    NoHome,
    /// A name that no bucket can have.
    #[error("a container's name has 1 to 255 bytes, no / and no . in front")]
    BucketName,
    /// A name that no object can have.
    #[error("the object's name {0}")]
    Name(&'static str),
    /// No such object.
    #[error("there is no object {0:?}")]
    NoObject(String),
    /// The mount is read-only, or the volume is.
    #[error("the container {0:?} is read-only")]
    ReadOnly(String),
    /// The quota of open files.
    #[error("too many files are open")]
    Files,
    /// The end is before the start.
    #[error("the range ends before it starts")]
    Range,
    /// It would not fit into memory.
    #[error("more than {MAX_WHOLE} bytes at once: read them as a stream")]
    Whole,
    /// A value that belongs nowhere.
    #[error("the value was written to no container")]
    Loose,
    /// A value that belongs somewhere.
    #[error("the value is another object's already")]
    Taken,
    /// Bytes were lost on the way to the disk.
    #[error("the value is incomplete: {0}")]
    Incomplete(String),
    /// The disk said no.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The process is being stopped.
    #[error("the operation was interrupted")]
    Interrupted,
}

/// Off the guests' threads.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(Error::Interrupted))
}

#[cfg(test)]
mod tests;
