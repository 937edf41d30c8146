//! Content by its digest, and how it comes in: in one piece, or in chunks that may be days and restarts apart.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::{Error, Store, at, sync_directory, unless_missing};
use crate::image::digest::Digest;
use crate::image::manifest::MAX_IMAGE;

/// Some content that is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// Where.
    pub path: PathBuf,
    /// How much.
    pub size: u64,
}

impl Store {
    /// The content of this digest, when it is here.
    pub fn blob(&self, digest: &Digest) -> Result<Option<Blob>, Error> {
        let path = self.blob_path(digest);
        match fs::metadata(&path) {
            Ok(found) => Ok(Some(Blob { path, size: found.len() })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(at(&path)(error)),
        }
    }

    /// A small blob, whole: a manifest, a configuration. None when it is not here or larger than `most`.
    pub fn read_blob(&self, digest: &Digest, most: u64) -> Result<Option<Vec<u8>>, Error> {
        match self.blob(digest)? {
            Some(blob) if blob.size <= most => fs::read(&blob.path).map(Some).map_err(at(&blob.path)),
            _ => Ok(None),
        }
    }

    /// Keeps a small blob.
    pub fn put_blob(&self, bytes: &[u8]) -> Result<Digest, Error> {
        let digest = Digest::of(bytes);
        if self.blob(&digest)?.is_none() {
            let mut upload = self.begin_upload()?;
            upload.append(bytes)?;
            upload.finish(&digest)?;
        }
        Ok(digest)
    }

    /// Begins to write a blob whose digest may not be known yet.
    pub fn begin_upload(&self) -> Result<Upload, Error> {
        let directory = self.uploads()?;
        let made = tempfile::Builder::new().prefix("").rand_bytes(32).tempfile_in(&directory);
        let (file, path) = made.and_then(|file| file.keep().map_err(|error| error.error)).map_err(at(&directory))?;
        Upload::locked(self.clone(), file, path)
    }

    /// The upload that was begun under this id, as far as it got. None when there is none.
    pub fn upload(&self, id: &str) -> Result<Option<Upload>, Error> {
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Ok(None);
        }
        let path = self.uploads()?.join(id);
        match File::options().read(true).write(true).open(&path) {
            Ok(file) => Upload::locked(self.clone(), file, path).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(at(&path)(error)),
        }
    }

    /// The download of this blob, as far as it got: it is the same upload each time, after a restart too. While another
    /// process is at it, one that starts from nothing.
    pub(in crate::image) fn download(&self, digest: &Digest) -> Result<Upload, Error> {
        let path = self.uploads()?.join(digest.hex());
        let file = File::options().read(true).write(true).create(true).truncate(false).open(&path);
        match Upload::locked(self.clone(), file.map_err(at(&path))?, path) {
            Err(Error::Busy(_)) => self.begin_upload(),
            upload => upload,
        }
    }

    fn uploads(&self) -> Result<PathBuf, Error> {
        let path = self.root.join("uploads");
        fs::create_dir_all(&path).map_err(at(&path))?;
        Ok(path)
    }
}

/// Content on its way in. It stays on disk when it is dropped, to be gone on with.
#[derive(Debug)]
pub struct Upload {
    store: Store,
    file: File,
    path: PathBuf,
    hash: Sha256,
    size: u64,
}

impl Upload {
    /// What is in the file counts: it is hashed again.
    fn locked(store: Store, mut file: File, path: PathBuf) -> Result<Self, Error> {
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                return Err(Error::Busy(path.file_name().unwrap_or_default().to_string_lossy().into_owned()));
            }
            Err(fs::TryLockError::Error(error)) => return Err(at(&path)(error)),
        }
        // Whoever had it locked may have made it a blob, or given it up, between our opening and our locking.
        let ours = file.metadata().map_err(at(&path))?.ino();
        if !fs::metadata(&path).is_ok_and(|there| there.ino() == ours) {
            return Err(Error::Busy(path.display().to_string()));
        }
        let mut hash = Sha256::new();
        let size = hash_into(&mut file, &mut hash).map_err(at(&path))?;
        Ok(Self { store, file, path, hash, size })
    }

    /// What it goes by between requests.
    pub fn id(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// How much is here.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds to it. Blocks on the disk.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let size = self.size.saturating_add(bytes.len() as u64);
        if size > MAX_IMAGE {
            return Err(Error::TooLarge { path: self.path.clone() });
        }
        if let Err(error) = self.file.write_all(bytes) {
            // A chunk counts whole or not at all.
            let _ = self.file.set_len(self.size).and_then(|()| self.file.seek(SeekFrom::Start(self.size)));
            return Err(at(&self.path)(error));
        }
        self.hash.update(bytes);
        self.size = size;
        Ok(())
    }

    /// Forgets what is here.
    pub fn restart(&mut self) -> Result<(), Error> {
        self.file.set_len(0).and_then(|()| self.file.seek(SeekFrom::Start(0))).map_err(at(&self.path))?;
        (self.hash, self.size) = (Sha256::new(), 0);
        Ok(())
    }

    /// Makes it the blob of this digest. When it is not, nothing is left of it.
    pub fn finish(self, expected: &Digest) -> Result<Blob, Error> {
        let Self { store, file, path, hash, size } = self;
        let actual = Digest::finish(hash);
        if actual != *expected {
            discard(&path)?;
            return Err(Error::Digest { expected: expected.clone(), actual });
        }
        file.sync_all().map_err(at(&path))?;
        let blob = store.blob_path(expected);
        fs::rename(&path, &blob).map_err(at(&blob))?;
        sync_directory(&store.blobs())?;
        Ok(Blob { path: blob, size })
    }

    /// Gives it up.
    pub fn cancel(self) -> Result<(), Error> {
        discard(&self.path)
    }
}

fn discard(path: &Path) -> Result<(), Error> {
    fs::remove_file(path).or_else(unless_missing).map_err(at(path))
}

/// Reads to the end, and says how far that is.
fn hash_into(file: &mut File, hash: &mut Sha256) -> io::Result<u64> {
    let mut chunk = vec![0; 64 << 10];
    let mut size = 0;
    loop {
        let filled = file.read(&mut chunk)?;
        if filled == 0 {
            return Ok(size);
        }
        hash.update(&chunk[..filled]);
        size += filled as u64;
    }
}
