//! Compiled code on disk.
//!
//! wasmtime maps a file of compiled code and runs it as it stands: whoever can write the file can run machine code in
//! this process. So the directory is for this user only, an entry counts only beside the checksum that was written with
//! it, and what does not match is deleted and compiled again. There is a directory for each engine: another version,
//! other settings, another address-space plan or another CPU never meet each other's code.
//!
//! An entry is three files: the code, its checksum, and where its program lay. The checksum's time is when the code was
//! last used, to the day: [what makes room](super::collect) goes by it, and a start writes nothing.

use std::collections::HashMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use wasmtime::component::Component;

use crate::image::hex;

/// Why compiled code could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The directory can't be made or read.
    #[error("the cache of compiled code {path}: {source}", path = .path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others could put code into it.
    #[error("the cache of compiled code {path} belongs to another user, or others may write to it", path = .0.display())]
    NotOurs(PathBuf),
}

/// Counts the ways in which bytes were made ready for the compiler: what was compiled after an earlier one is made anew.
const PREPARATION: u32 = 4;

/// The endings of an entry's files, and of the note that another engine has the code.
pub(super) const CODE: &str = "cwasm";
const SUM: &str = "sha256";
const PROGRAM: &str = "program";
pub(super) const ELSEWHERE: &str = "elsewhere";
/// How files begin that are being written.
pub(super) const UNFINISHED: &str = ".tmp";

/// A use is written down when the last one that was is older than this.
const USES: Duration = Duration::from_secs(24 * 3600);

pub(super) struct Cache {
    dir: PathBuf,
    /// The files that this process has found whole, by digest. Summing one up takes longer than all the rest of a start,
    /// and a file that nobody has touched since need not be summed up again.
    whole: Mutex<HashMap<String, Identity>>,
}

/// A file of code that is whole.
pub(super) struct Known {
    name: String,
    code: PathBuf,
}

/// What changes when a file does.
#[derive(PartialEq, Eq)]
struct Identity {
    inode: (u64, u64),
    size: u64,
    changed: (i64, i64),
}

impl Identity {
    fn of(path: &Path) -> Option<Identity> {
        let meta = fs::metadata(path).ok()?;
        let changed = (meta.ctime(), meta.ctime_nsec());
        Some(Identity { inode: (meta.dev(), meta.ino()), size: meta.size(), changed })
    }
}

impl Cache {
    pub(super) fn open(root: &Path, engine: &wasmtime::Engine) -> Result<Cache, CacheError> {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        PREPARATION.hash(&mut hasher);
        let dir = root.join(format!("{:016x}", hasher.finish()));
        let failed = |source| CacheError::Directory { path: dir.clone(), source };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir).map_err(failed)?;
        let meta = fs::metadata(&dir).map_err(failed)?;
        if meta.uid() != rustix::process::geteuid().as_raw() || meta.mode() & 0o022 != 0 {
            return Err(CacheError::NotOurs(dir));
        }
        Ok(Cache { dir, whole: Mutex::default() })
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The code of the program at `path`, if it is there and whole.
    pub(super) fn get(&self, engine: &wasmtime::Engine, digest: &str, path: &Path) -> Option<Component> {
        let known = match self.known(digest) {
            Some(known) => known,
            None => {
                let known = self.check(digest)?;
                self.note_program(digest, path);
                known
            }
        };
        self.map(engine, digest, known)
    }

    /// The code of an image whose file was found whole, and has not changed since.
    pub(super) fn map(&self, engine: &wasmtime::Engine, digest: &str, known: Known) -> Option<Component> {
        let Known { name, code } = known;
        mark_used(&self.dir, &name, SystemTime::now());
        // SAFETY: the file is what `put` wrote with an engine of the same compatibility hash: it lies in a directory that
        // only this user can write to, and it has not changed since its checksum was compared.
        match unsafe { Component::deserialize_file(engine, &code) } {
            Ok(component) => Some(component),
            Err(error) => {
                tracing::warn!(path = %code.display(), %error, "compiled code does not load, compiling again");
                self.remove(digest);
                None
            }
        }
    }

    /// The file, if it was found whole before and is the same still: then it is mapped, and nothing of it is read.
    pub(super) fn known(&self, digest: &str) -> Option<Known> {
        if !self.whole.lock().contains_key(digest) {
            return None;
        }
        let known = self.entry(digest);
        let now = Identity::of(&known.code)?;
        (self.whole.lock().get(digest) == Some(&now)).then_some(known)
    }

    fn entry(&self, digest: &str) -> Known {
        let name = file_name(digest);
        Known { code: in_dir(&self.dir, &name, CODE), name }
    }

    /// Sums the file up. One that is not whole is removed.
    fn check(&self, digest: &str) -> Option<Known> {
        let known = self.entry(digest);
        // Before it is read: a file that changes meanwhile is another one.
        let identity = Identity::of(&known.code)?;
        let wanted = fs::read(in_dir(&self.dir, &known.name, SUM)).ok()?;
        if wanted != checksum(&known.code).ok()? {
            tracing::warn!(path = %known.code.display(), "compiled code does not match its checksum, compiling again");
            self.remove(digest);
            return None;
        }
        self.whole.lock().insert(digest.to_owned(), identity);
        Some(known)
    }

    /// Whether another engine has the code of this image.
    pub(super) fn is_elsewhere(&self, digest: &str) -> bool {
        self.pointer(digest).exists()
    }

    /// Remembers that another engine has it, and which. Without the note the next start reads the image once more, no
    /// worse.
    pub(super) fn note_elsewhere(&self, digest: &str, other: &Cache) {
        let name = other.dir.file_name().unwrap_or_default();
        self.note(&self.pointer(digest), name.as_encoded_bytes());
    }

    /// Remembers where the program lies, unless it is known of a place where it still does.
    fn note_program(&self, digest: &str, path: &Path) {
        let name = file_name(digest);
        if program(&self.dir, &name).is_some_and(|known| known.exists()) {
            return;
        }
        if let Some(path) = std::path::absolute(path).ok().filter(|path| path.exists()) {
            self.note(&in_dir(&self.dir, &name, PROGRAM), path.as_os_str().as_encoded_bytes());
        }
    }

    fn note(&self, path: &Path, bytes: &[u8]) {
        if let Err(error) = self.replace(path, bytes) {
            tracing::warn!(%error, "a note on compiled code can't be kept");
        }
    }

    /// Keeps what was just compiled and loads it from the disk, so that its pages are the file's and not the heap's.
    /// A full disk costs the next start a compilation, and nothing now.
    pub(super) fn put(
        &self,
        engine: &wasmtime::Engine,
        digest: &str,
        path: &Path,
        bytes: &[u8],
    ) -> wasmtime::Result<Component> {
        let (code, sum) = self.paths(digest);
        self.note_program(digest, path);
        let written = self.replace(&code, bytes).and_then(|()| self.replace(&sum, &Sha256::digest(bytes)));
        // SAFETY (both): `bytes` came from this engine's compiler a moment ago, and the file is those bytes.
        match written {
            Ok(()) => unsafe { Component::deserialize_file(engine, &code) },
            Err(error) => {
                tracing::warn!(path = %code.display(), %error, "compiled code can't be kept");
                self.remove(digest);
                unsafe { Component::deserialize(engine, bytes) }
            }
        }
    }

    /// The checksum goes last, so an entry that a crash cut short has none that matches.
    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.dir)?;
        file.write_all(bytes)?;
        file.persist(path)?;
        Ok(())
    }

    fn remove(&self, digest: &str) {
        self.whole.lock().remove(digest);
        // Gone already, or gone with the directory: either way `get` finds nothing.
        let _ = remove(&self.dir, &file_name(digest));
    }

    fn pointer(&self, digest: &str) -> PathBuf {
        in_dir(&self.dir, &file_name(digest), ELSEWHERE)
    }

    fn paths(&self, digest: &str) -> (PathBuf, PathBuf) {
        let name = file_name(digest);
        (in_dir(&self.dir, &name, CODE), in_dir(&self.dir, &name, SUM))
    }
}

/// Removes an entry. The code goes last: what is cut short is still found, and removed the next time.
pub(super) fn remove(dir: &Path, name: &str) -> io::Result<()> {
    for ending in [SUM, PROGRAM, ELSEWHERE, CODE] {
        match fs::remove_file(in_dir(dir, name, ending)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => (),
        }
    }
    Ok(())
}

/// When an entry was last used, to the day.
pub(super) fn last_used(dir: &Path, name: &str) -> Option<SystemTime> {
    fs::metadata(in_dir(dir, name, SUM)).ok()?.modified().ok()
}

/// Writes down that an entry is used, once a day. Where that fails it goes sooner, and is compiled again.
pub(super) fn mark_used(dir: &Path, name: &str, now: SystemTime) {
    let lately = |used: SystemTime| now.duration_since(used).is_ok_and(|passed| passed < USES);
    if !last_used(dir, name).is_some_and(lately) {
        let _ = fs::File::open(in_dir(dir, name, SUM)).and_then(|file| file.set_modified(now));
    }
}

/// Where an entry's program lay when it was compiled.
pub(super) fn program(dir: &Path, name: &str) -> Option<PathBuf> {
    let bytes = fs::read(in_dir(dir, name, PROGRAM)).ok()?;
    Some(PathBuf::from(std::ffi::OsString::from_vec(bytes)))
}

/// Whether a directory may be an engine's.
pub(super) fn is_engine_name(name: &str) -> bool {
    name.len() == 16 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn in_dir(dir: &Path, name: &str, ending: &str) -> PathBuf {
    dir.join(format!("{name}.{ending}"))
}

/// A digest is data from outside (`sha256:…`); its hash is a file name whatever it holds.
pub(super) fn file_name(digest: &str) -> String {
    hex(&Sha256::digest(digest.as_bytes()))
}

fn checksum(path: &Path) -> io::Result<Vec<u8>> {
    let mut hasher = Sha256::new();
    io::copy(&mut fs::File::open(path)?, &mut hasher)?;
    Ok(hasher.finalize().to_vec())
}
