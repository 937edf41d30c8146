//! Opening and making what is below a root, where guests may have put symbolic links anywhere on the way.
//!
//! A guest that can write to a volume can put a link into it that leads out, and can do so between somebody's look and
//! his next step. So a path is made real first and must still be below the root; then it is walked from the root, part by
//! part and following nothing, and what is at its end is held open: whoever uses it uses that, whatever the path has
//! become. It is how the kubelet opens a `subPath`.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, fstat, linkat, mkdirat, openat, unlinkat};
use rustix::io::Errno;

/// A place that needs no right to be read to be held.
#[cfg(target_os = "linux")]
const HELD: OFlags = OFlags::PATH;
#[cfg(not(target_os = "linux"))]
const HELD: OFlags = OFlags::RDONLY;

/// Why it can't be opened or made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is elsewhere.
    #[error("{path} leads out of {root}", path = .path.display(), root = .root.display())]
    Out {
        /// What was asked for.
        path: PathBuf,
        /// What it should be below.
        root: PathBuf,
    },
    /// The disk said no.
    #[error("{path}: {source}", path = .path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// Something held open.
#[derive(Clone, Debug)]
pub struct Held {
    fd: Arc<OwnedFd>,
    /// Where it was when it was opened.
    path: PathBuf,
    kind: FileType,
    /// Whether it was reached through what guests may have changed.
    is_below: bool,
}

impl Held {
    /// Where it was when it was opened, links resolved.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What holds it, where its path is not enough: a root's is, since no guest can change the way to it.
    pub fn pin(&self) -> Option<Arc<OwnedFd>> {
        self.is_below.then(|| self.fd.clone())
    }

    /// What it is.
    pub fn kind(&self) -> FileType {
        self.kind
    }

    /// True for a directory.
    pub fn is_directory(&self) -> bool {
        self.kind == FileType::Directory
    }

    /// Puts this very file into another directory, without a copy.
    pub fn link_into(&self, directory: &Held, name: &Path) -> io::Result<()> {
        let from = pinned(&self.fd).unwrap_or_else(|| self.path.clone());
        linkat(CWD, from, &*directory.fd, name, AtFlags::SYMLINK_FOLLOW).map_err(Into::into)
    }

    /// Puts a copy of this file into another directory.
    pub fn copy_into(&self, directory: &Held, name: &Path) -> io::Result<()> {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let mut from = fs::File::open(self.real_path())?;
        let mut to = fs::File::from(openat(&*directory.fd, name, flags, Mode::from_raw_mode(0o600))?);
        to.set_permissions(from.metadata()?.permissions())?;
        io::copy(&mut from, &mut to).map(drop)
    }

    /// Removes a file in this directory, if there is one.
    pub fn remove(&self, name: &Path) -> io::Result<()> {
        match unlinkat(&*self.fd, name, AtFlags::empty()) {
            Err(Errno::NOENT) => Ok(()),
            removed => removed.map_err(Into::into),
        }
    }

    /// Opens what is at `path` below this directory. Links on the way are followed as long as they stay below.
    pub fn open(&self, path: &Path) -> Result<Self, Error> {
        let io = |source| Error::Io { path: self.path.join(path), source };
        let out = || Error::Out { path: self.path.join(path), root: self.path.clone() };
        let root = fs::canonicalize(self.real_path()).map_err(io)?;
        let real = fs::canonicalize(root.join(path)).map_err(io)?;
        let way = real.strip_prefix(&root).map_err(|_| out())?;
        let mut fd = self.fd.clone();
        for part in way.components() {
            let flags = HELD | OFlags::CLOEXEC | OFlags::NOFOLLOW;
            fd = Arc::new(openat(&*fd, part.as_os_str(), flags, Mode::empty()).map_err(|error| io(error.into()))?);
        }
        match kind(&fd).map_err(io)? {
            // Somebody has just put a link where there was none.
            FileType::Symlink => Err(out()),
            kind => Ok(Self { fd, path: real, kind, is_below: true }),
        }
    }

    /// Opens the directory at `path` below this one, and makes it and those above it where they are missing.
    pub fn make(&self, path: &Path, mode: u32) -> Result<Self, Error> {
        let mut missing: Vec<OsString> = Vec::new();
        let mut there = path;
        let mut held = loop {
            match self.open(there) {
                Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound && there != Path::new("") => {
                    missing.extend(there.file_name().map(ToOwned::to_owned));
                    there = there.parent().unwrap_or(Path::new(""));
                }
                opened => break opened?,
            }
        };
        for name in missing.iter().rev() {
            held = step(&held, Path::new(name), mode)?;
        }
        Ok(held)
    }

    /// A path that leads to what is held, as long as it is.
    pub fn real_path(&self) -> PathBuf {
        pinned(&self.fd).unwrap_or_else(|| self.path.clone())
    }
}

/// The path of an open file, by which it is found even when it is moved; none where the system has no such paths.
pub fn pinned(fd: &impl AsFd) -> Option<PathBuf> {
    let path = PathBuf::from(format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd()));
    (cfg!(target_os = "linux") && path.exists()).then_some(path)
}

/// Opens what is at `path` below `root`. Links on the way are followed as long as they stay below.
pub fn open(root: &Path, path: &Path) -> Result<Held, Error> {
    let io = |source| Error::Io { path: root.to_owned(), source };
    let real = fs::canonicalize(root).map_err(io)?;
    let fd = openat(CWD, &real, HELD | OFlags::CLOEXEC, Mode::empty()).map_err(|error| io(error.into()))?;
    let root = Held { kind: kind(&fd).map_err(io)?, fd: Arc::new(fd), path: real, is_below: false };
    if path == Path::new("") { Ok(root) } else { root.open(path) }
}

/// Opens the directory at `path` below `root`, and makes it and those above it where they are missing.
pub fn make(root: &Path, path: &Path, mode: u32) -> Result<Held, Error> {
    open(root, Path::new(""))?.make(path, mode)
}

/// Makes an empty file at `path` below `root`, where there is none.
pub fn make_file(root: &Path, path: &Path, mode: u32) -> Result<Held, Error> {
    let name = path.file_name().map(PathBuf::from).unwrap_or_default();
    let parent = open(root, path.parent().unwrap_or(Path::new("")))?;
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    match openat(&*parent.fd, &name, flags, Mode::from_raw_mode(mode)) {
        Err(error) if error != Errno::EXIST => Err(Error::Io { path: root.join(path), source: error.into() }),
        _ => open(root, path),
    }
}

fn kind(fd: &OwnedFd) -> io::Result<FileType> {
    Ok(FileType::from_raw_mode(fstat(fd)?.st_mode))
}

/// The directory of this name in one that is held.
fn step(held: &Held, name: &Path, mode: u32) -> Result<Held, Error> {
    let path = held.path.join(name);
    let io = |error: Errno| Error::Io { path: path.clone(), source: error.into() };
    match mkdirat(&*held.fd, name, Mode::from_raw_mode(mode)) {
        Err(error) if error != Errno::EXIST => return Err(io(error)),
        _ => {}
    }
    let flags = HELD | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::DIRECTORY;
    let fd = openat(&*held.fd, name, flags, Mode::empty()).map_err(io)?;
    Ok(Held { fd: Arc::new(fd), path, kind: FileType::Directory, is_below: true })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn tree() -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("directory");
        let at = |path: &str| root.path().join(path);
        fs::create_dir_all(at("volume/deep")).expect("directories");
        fs::create_dir_all(at("outside")).expect("directory");
        fs::write(at("volume/file"), "text").expect("file");
        symlink("../outside", at("volume/out")).expect("link");
        symlink("/etc", at("volume/etc")).expect("link");
        symlink("deep", at("volume/in")).expect("link");
        symlink("nowhere", at("volume/dangling")).expect("link");
        root
    }

    #[test]
    fn links_that_stay_below_are_followed_and_others_are_not() {
        let root = tree();
        let volume = root.path().join("volume");
        let opened = |path: &str| open(&volume, Path::new(path));
        assert!(opened("").expect("the root").is_directory());
        assert!(opened("in").expect("a link within").path().ends_with("volume/deep"));
        assert!(!opened("file").expect("a file").is_directory());
        for path in ["out", "etc", "etc/passwd", "..", "deep/../../outside"] {
            assert!(matches!(opened(path), Err(Error::Out { .. })), "{path}: {:?}", opened(path));
        }
        assert!(matches!(opened("none"), Err(Error::Io { .. })));
    }

    #[test]
    fn directories_are_made_only_below() {
        let root = tree();
        let volume = root.path().join("volume");
        let made = make(&volume, Path::new("in/a/b"), 0o755).expect("made");
        assert!(made.is_directory() && volume.join("deep/a/b").is_dir());
        make(&volume, Path::new("in/a/b"), 0o755).expect("there already");
        for path in ["out/x", "etc/sampan-test", "dangling", "dangling/x", "../y"] {
            assert!(make(&volume, Path::new(path), 0o755).is_err(), "{path}");
        }
        assert_eq!(fs::read_dir(root.path().join("outside")).expect("read").count(), 0);
    }

    #[test]
    fn what_is_held_stays_what_it_was() {
        let root = tree();
        let volume = root.path().join("volume");
        let held = open(&volume, Path::new("deep")).expect("held");
        fs::write(volume.join("deep/mark"), "x").expect("file");
        fs::rename(volume.join("deep"), volume.join("moved")).expect("move");
        symlink("/etc", volume.join("deep")).expect("link");
        assert!(!cfg!(target_os = "linux") || held.real_path().join("mark").exists());
        let file = open(&volume, Path::new("file")).expect("file");
        file.link_into(&open(&volume, Path::new("moved")).expect("directory"), Path::new("other")).expect("link");
        assert_eq!(fs::read_to_string(volume.join("moved/other")).expect("read"), "text");
    }
}
