//! The pod's files as one tree.
//!
//! A guest is given directories, not a root: what lies above them (`/`, or `/etc` when only `/etc/config` is mounted) is
//! on no file system. The tools show these directories all the same, so that `ls /` and `cd ..` work. There is no working
//! directory either; the shell keeps one, and every path is resolved here.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};
use std::sync::RwLock;
use std::time::SystemTime;

use crate::host;
use crate::stream::Stream;

static WORKING: RwLock<Option<PathBuf>> = RwLock::new(None);

/// The directory that relative paths start from.
pub fn working() -> PathBuf {
    let known = WORKING.read().ok().and_then(|working| working.clone());
    known.or_else(host::initial_directory).unwrap_or_else(|| PathBuf::from("/"))
}

/// Moves it.
pub fn set_working(path: PathBuf) {
    if let Ok(mut working) = WORKING.write() {
        *working = Some(path);
    }
}

/// A path from the root on, without `.` and `..`.
pub fn absolute(path: impl AsRef<Path>) -> PathBuf {
    normal(&working().join(path))
}

fn normal(path: &Path) -> PathBuf {
    let mut all = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::Normal(name) => all.push(name),
            Component::ParentDir => {
                all.pop();
            }
            _ => {}
        }
    }
    all
}

/// Whether this is a directory that only stands for those below it.
pub fn is_virtual(path: &Path) -> bool {
    let directories = host::directories();
    let within = |directory: &PathBuf| path.starts_with(directory);
    !directories.iter().any(within) && (path == Path::new("/") || directories.iter().any(|d| d.starts_with(path)))
}

/// What kind of thing a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    File,
    Directory,
    Link,
    Other,
}

/// What is known of a file.
#[derive(Debug, Clone)]
pub struct Facts {
    pub kind: Kind,
    pub size: u64,
    pub modified: SystemTime,
    pub read_only: bool,
}

impl From<Metadata> for Facts {
    fn from(data: Metadata) -> Facts {
        let kind = data.file_type();
        let kind = match () {
            () if kind.is_dir() => Kind::Directory,
            () if kind.is_file() => Kind::File,
            () if kind.is_symlink() => Kind::Link,
            () => Kind::Other,
        };
        let modified = data.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        Facts { kind, size: data.len(), modified, read_only: data.permissions().readonly() }
    }
}

const VIRTUAL: Facts = Facts { kind: Kind::Directory, size: 0, modified: SystemTime::UNIX_EPOCH, read_only: true };

const DEVICE: Facts = Facts { kind: Kind::Other, size: 0, modified: SystemTime::UNIX_EPOCH, read_only: false };

/// What is at a path, links followed.
pub fn facts(path: &str) -> io::Result<Facts> {
    facts_by(path, |path| fs::metadata(path))
}

/// What is at a path, a link itself.
pub fn link_facts(path: &str) -> io::Result<Facts> {
    facts_by(path, |path| fs::symlink_metadata(path))
}

fn facts_by(path: &str, ask: impl Fn(&Path) -> io::Result<Metadata>) -> io::Result<Facts> {
    if path.is_empty() {
        return Err(io::ErrorKind::NotFound.into());
    }
    let whole = absolute(path);
    match ask(&whole) {
        Ok(data) if path.ends_with('/') && !data.is_dir() => Err(io::ErrorKind::NotADirectory.into()),
        Ok(data) => Ok(data.into()),
        Err(_) if is_virtual(&whole) => Ok(VIRTUAL),
        Err(_) if device(&whole).is_some() => Ok(DEVICE),
        Err(error) => Err(missing(error)),
    }
}

/// Outside of every directory that the pod gives there is nothing: WASI says that in other words.
fn missing(error: io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(76) if cfg!(target_family = "wasm") => io::ErrorKind::NotFound.into(),
        _ => error,
    }
}

pub fn exists(path: &str) -> bool {
    facts(path).is_ok()
}

pub fn is_directory(path: &str) -> bool {
    facts(path).is_ok_and(|facts| facts.kind == Kind::Directory)
}

/// The names in a directory, sorted, with those of directories that are mounted right below.
pub fn names(path: &str) -> io::Result<Vec<String>> {
    let whole = absolute(path);
    let mut names = match fs::read_dir(&whole) {
        Ok(entries) => entries
            .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<Vec<_>>>()?,
        Err(_) if is_virtual(&whole) => Vec::new(),
        Err(error) => return Err(missing(error)),
    };
    for directory in host::directories() {
        if let Some(Component::Normal(name)) =
            directory.strip_prefix(&whole).ok().and_then(|rest| rest.components().next())
        {
            names.push(name.to_string_lossy().into_owned());
        }
    }
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

/// Something to read, by the name that a tool was given.
pub fn open(path: &str) -> io::Result<Box<dyn Read>> {
    let whole = absolute(path);
    if let Some(device) = device(&whole) {
        return Ok(device);
    }
    if is_directory(path) {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok(Box::new(File::open(whole).map_err(missing)?))
}

/// The files that every Unix has and no pod.
fn device(path: &Path) -> Option<Box<dyn Read>> {
    Some(match path.to_str()? {
        "/dev/null" => Box::new(io::empty()),
        "/dev/zero" => Box::new(io::repeat(0)),
        "/dev/stdin" => Box::new(Stream::Own(0)),
        "/dev/random" | "/dev/urandom" => Box::new(Random::new()),
        _ => return None,
    })
}

/// Numbers that are good enough for names and tests, seeded by the standard library's own.
struct Random(u64);

impl Random {
    fn new() -> Random {
        use std::hash::{BuildHasher as _, RandomState};
        Random(RandomState::new().hash_one(0) | 1)
    }
}

impl Read for Random {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        for byte in bytes.iter_mut() {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            *byte = (self.0 >> 32) as u8;
        }
        Ok(bytes.len())
    }
}

/// A file to write into, from its start.
pub fn create(path: &str) -> io::Result<Stream> {
    Stream::open(path, crate::stream::Mode::Append, true).map_err(missing)
}

/// All of a file.
pub fn read(path: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_no_dots() {
        assert_eq!(normal(Path::new("/a/./b/../c/")), Path::new("/a/c"));
        assert_eq!(normal(Path::new("/../../etc")), Path::new("/etc"));
    }

    #[test]
    fn devices_are_there_without_a_file_system() {
        let mut four = [1; 4];
        open("/dev/zero").unwrap().read_exact(&mut four).unwrap();
        assert_eq!(four, [0; 4]);
        assert!(read("/dev/null").unwrap().is_empty());
    }
}
