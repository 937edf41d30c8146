//! Objects on their way: files that no object's name leads to, until they are whole.

use std::fs::File;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, LazyLock, OnceLock};

use bytes::Bytes;
use cap_std::fs::{Dir, OpenOptions};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::name::UNFINISHED;
use super::object::copy;
use super::{Bucket, Buckets, Error, Name, Object, blocking};
use crate::container::files::Lease;

/// Somebody may remove the directory while it is empty.
const TRIES: usize = 8;

/// What files of this process begin with: others are left from one that was killed.
static PROCESS: LazyLock<String> = LazyLock::new(|| format!("{:016x}-", RandomState::new().hash_one(0)));

/// A file for an object's bytes. It goes when it has not become an object.
#[derive(Debug)]
pub(super) struct Temporary {
    bucket: Arc<Bucket>,
    path: PathBuf,
    file: File,
    is_placed: AtomicBool,
    _lease: Lease,
}

impl Temporary {
    pub(super) fn new(bucket: Arc<Bucket>) -> Result<Temporary, Error> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let _lease = bucket.files.lease().ok_or(Error::Files)?;
        let path = Path::new(UNFINISHED).join(format!("{}{}", *PROCESS, NEXT.fetch_add(1, Relaxed)));
        for left in (0..TRIES).rev() {
            match bucket.dir.create_dir(UNFINISHED) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(Error::Io(error)),
                Err(_) if !bucket.is_swept.swap(true, Relaxed) => sweep(&bucket.dir)?,
                _ => {}
            }
            match bucket.dir.open_with(&path, OpenOptions::new().write(true).create_new(true)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound && left > 0 => {}
                opened => {
                    let file = opened?.into_std();
                    return Ok(Temporary { bucket, path, file, is_placed: AtomicBool::new(false), _lease });
                }
            }
        }
        Err(Error::Interrupted)
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let (bucket, path) = (self.bucket.clone(), std::mem::take(&mut self.path));
        let is_placed = self.is_placed.load(Relaxed);
        let remove = move || {
            if !is_placed {
                let _ = bucket.dir.remove_file(&path);
            }
            // Others may be in it.
            let _ = bucket.dir.remove_dir(UNFINISHED);
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(remove)),
            Err(_) => remove(),
        }
    }
}

/// Removes what a process that was killed has left.
fn sweep(dir: &Dir) -> Result<(), Error> {
    for entry in dir.read_dir(UNFINISHED)? {
        let name = entry?.file_name();
        if !name.to_str().is_some_and(|name| name.starts_with(&*PROCESS)) {
            let _ = dir.remove_file(Path::new(UNFINISHED).join(name));
        }
    }
    Ok(())
}

/// Makes a file an object. False when it is on another file system.
pub(super) fn place(from: &Temporary, bucket: &Bucket, name: &Name) -> Result<bool, Error> {
    from.file.sync_data()?;
    let placed = rename(&from.bucket.dir, &from.path, bucket, name)?;
    from.is_placed.store(placed, Relaxed);
    Ok(placed)
}

/// Renames a file to an object's name. False when it is on another file system.
pub(super) fn rename(from: &Dir, path: &Path, to: &Bucket, name: &Name) -> Result<bool, Error> {
    for left in (0..TRIES).rev() {
        if let Some(directory) = name.directories().next() {
            to.dir.create_dir_all(directory)?;
        }
        match from.rename(path, &to.dir, name.path()) {
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => return Ok(false),
            // The directory went with the last object that was in it, or the file is not there.
            Err(error) if error.kind() == io::ErrorKind::NotFound && left > 0 && from.exists(path) => {}
            renamed => {
                renamed?;
                to.sync(name);
                return Ok(true);
            }
        }
    }
    Err(Error::Interrupted)
}

/// A value that a guest writes. Writes are done one after the other.
#[derive(Debug)]
pub(crate) struct Draft {
    buckets: Arc<Buckets>,
    /// Where it is going to be, as soon as that is known.
    home: Mutex<Option<Arc<Bucket>>>,
    /// Made with the first byte.
    file: OnceLock<Temporary>,
    state: Mutex<State>,
    settled: Notify,
}

#[derive(Debug, Clone)]
pub(crate) enum State {
    Idle,
    Busy,
    Failed(String),
}

impl Draft {
    pub(crate) fn new(buckets: Arc<Buckets>) -> Arc<Draft> {
        Arc::new(Draft {
            buckets,
            home: Mutex::default(),
            file: OnceLock::new(),
            state: Mutex::new(State::Idle),
            settled: Notify::new(),
        })
    }

    /// Says where it is going to be.
    pub(crate) fn settle_in(&self, bucket: Arc<Bucket>) {
        *self.home.lock() = Some(bucket);
    }

    pub(crate) fn state(&self) -> State {
        self.state.lock().clone()
    }

    /// Writes on, in the background. The draft must be idle.
    pub(crate) fn write(self: &Arc<Draft>, bytes: Bytes) {
        *self.state.lock() = State::Busy;
        let draft = self.clone();
        drop(tokio::task::spawn_blocking(move || {
            let written = draft.file().and_then(|file| Ok(file.file().write_all(&bytes)?));
            *draft.state.lock() = match written {
                Ok(()) => State::Idle,
                Err(error) => State::Failed(error.to_string()),
            };
            draft.settled.notify_waiters();
        }));
    }

    /// Waits until nothing is being written.
    pub(crate) async fn settled(&self) {
        loop {
            let settled = self.settled.notified();
            if !matches!(self.state(), State::Busy) {
                return;
            }
            settled.await;
        }
    }

    /// Blocks on the disk.
    fn file(&self) -> Result<&Temporary, Error> {
        if let Some(file) = self.file.get() {
            return Ok(file);
        }
        let home = self.home.lock().clone();
        let bucket = match home {
            Some(bucket) => bucket,
            None => Arc::new(self.buckets.writable()?),
        };
        let file = Temporary::new(bucket)?;
        // Only one writes at a time.
        Ok(self.file.get_or_init(|| file))
    }

    /// Makes it an object.
    pub(crate) async fn finish(self: Arc<Draft>, bucket: Arc<Bucket>, name: Name) -> Result<(), Error> {
        self.settled().await;
        if let State::Failed(why) = self.state() {
            return Err(Error::Incomplete(why));
        }
        let (to, as_name) = (bucket.clone(), name.clone());
        let elsewhere = blocking(move || {
            let file = self.file()?;
            if place(file, &to, &as_name)? { Ok(None) } else { reopened(file).map(Some) }
        });
        match elsewhere.await? {
            Some(object) => copy(object, bucket, name).await,
            None => Ok(()),
        }
    }
}

/// What was written, to be read.
fn reopened(file: &Temporary) -> Result<Object, Error> {
    let lease = file.bucket.files.lease().ok_or(Error::Files)?;
    let file = file.bucket.dir.open(&file.path)?.into_std();
    let size = file.metadata()?.len();
    Ok(Object::new(file, size, lease))
}
