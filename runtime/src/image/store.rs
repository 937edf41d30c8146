//! The content store on disk.
//!
//! # Guarantees
//! A blob is in `blobs` only when its bytes have the digest it is named by, and are on the disk. A name that is
//! published has all its blobs. Whoever reads needs no lock; what looks before it leaps (publishing a name, removing what
//! nobody needs) holds the store's lock file, which other processes respect.

mod archive;
mod blobs;
mod import;
mod migrate;
mod names;
mod resolve;
mod rootfs;
mod tidy;
mod toolbox;
mod unpack;

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::digest::{Digest, InvalidDigest};
use super::reference::{InvalidReference, Reference};
use super::{layout, manifest};

pub use blobs::{Blob, Upload};
pub use import::digest;
pub(super) use import::{Package, package};
pub use names::{Named, Stored};
use resolve::Facts;
pub use resolve::{Image, Module};
use toolbox::Toolbox;
pub use unpack::Error as UnpackError;

/// The images under one directory. Cheap to clone; several processes may have it open.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
    /// What is known of manifests. They never change, so nothing here is ever wrong, only forgotten.
    facts: Arc<Mutex<HashMap<Digest, Arc<Facts>>>>,
    toolbox: Option<Arc<Toolbox>>,
}

/// What may go wrong with the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The name is not one.
    #[error("{reference:?}: {source}")]
    Reference {
        /// As it was given.
        reference: String,
        /// What is wrong with it.
        source: InvalidReference,
    },
    /// The digest is not one.
    #[error(transparent)]
    NoDigest(#[from] InvalidDigest),
    /// The file is something else.
    #[error("{path}: not WebAssembly: {found}", path = path.display())]
    NotWasm {
        /// The file.
        path: PathBuf,
        /// What it looks like.
        found: &'static str,
    },
    /// Larger than the store takes.
    #[error("{path}: larger than {max} bytes", path = path.display(), max = manifest::MAX_IMAGE)]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The bytes are not what they were said to be.
    #[error("the content has the digest {actual}, not {expected}")]
    Digest {
        /// As it was said.
        expected: Digest,
        /// As it is.
        actual: Digest,
    },
    /// A manifest refers to what is not here.
    #[error("the manifest refers to {0}, which is not here")]
    Incomplete(Digest),
    /// Somebody else writes it.
    #[error("the upload {0} is being written by another")]
    Busy(String),
    /// A manifest that is none.
    #[error("{0}")]
    Manifest(#[from] manifest::Error),
    /// An image that can't be used.
    #[error("{0}")]
    Layout(#[from] layout::Error),
    /// Its layers can't be unpacked.
    #[error("unpack the image's layers: {0}")]
    Unpack(#[from] UnpackError),
    /// The program that it is to run is not in its layers.
    #[error("the image's entry point {0:?} is no WebAssembly file in it")]
    NoProgram(String),
    /// What is embedded in this binary is damaged.
    #[error("unpack the toolbox: {0}")]
    Toolbox(io::Error),
    /// The disk said no.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

impl Store {
    /// Opens the store in `root`, making it when it is not there.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, Error> {
        let store = Self { root: root.into(), facts: Arc::default(), toolbox: None };
        for directory in [store.blobs(), store.names()] {
            fs::create_dir_all(&directory).map_err(at(&directory))?;
        }
        store.migrate()?;
        Ok(store)
    }

    /// With the toolbox that is embedded in the binary (compressed with gzip) as `localhost/toolbox`, whatever the tag.
    /// It is unpacked when it is first asked for.
    #[must_use]
    pub fn with_toolbox(self, compressed: &'static [u8]) -> Self {
        Self { toolbox: Some(Arc::new(Toolbox::new(compressed))), ..self }
    }

    /// Held until dropped; the kernel lets go when the process dies.
    fn lock(&self) -> Result<File, Error> {
        let path = self.root.join("lock");
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(at(&path))?;
        file.lock().map_err(at(&path))?;
        Ok(file)
    }

    fn blobs(&self) -> PathBuf {
        self.root.join("blobs/sha256")
    }

    fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.blobs().join(digest.hex())
    }

    fn names(&self) -> PathBuf {
        self.root.join("refs")
    }
}

fn parse(reference: &str) -> Result<Reference, Error> {
    Reference::parse(reference).map_err(|source| Error::Reference { reference: reference.to_owned(), source })
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> Error + use<> {
    let path = path.to_owned();
    move |source| Error::Io { path, source }
}

fn unless_missing(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

/// Makes what was renamed into a directory last.
fn sync_directory(path: &Path) -> Result<(), Error> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(at(path))
}

#[cfg(test)]
mod tests;
