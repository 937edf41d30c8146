//! Laying a tar archive from anywhere over a directory.
//!
//! # Guarantees
//! Nothing outside the directory is touched: paths with `..` are refused, and every operation goes through a handle of
//! the directory that resolves links below it only. What is unpacked is bounded in bytes and in files.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::File;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, BufReader, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt as _};
use flate2::bufread::MultiGzDecoder;
use sha2::{Digest as _, Sha256};
use tar::EntryType;

use super::archive::{Entries, Entry};
use crate::image::digest::Digest;

/// All layers of an image, unpacked.
const MAX_BYTES: u64 = 4 << 30;
/// Files and directories in them.
const MAX_FILES: u64 = 200_000;

/// Why a layer can't be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A path that leads out.
    #[error("the archive has an entry that leads out of it: {0:?}")]
    Escape(PathBuf),
    /// More bytes than a device should be asked to hold.
    #[error("the layers unpack to more than {MAX_BYTES} bytes")]
    Bytes,
    /// More files.
    #[error("the layers have more than {MAX_FILES} files and directories")]
    Files,
    /// Compressed in a way that is not known here.
    #[error("the layer is compressed with zstd; Sampan unpacks tar archives, plain or compressed with gzip")]
    Zstd,
    /// The content is not what the image's configuration says.
    #[error("the layer unpacks to {actual}, and the image says {expected}")]
    DiffId {
        /// As the configuration has it.
        expected: String,
        /// As it is.
        actual: Digest,
    },
    /// What tar can do and images have no use for.
    #[error("the archive has an entry that is not supported: {0}")]
    Entry(&'static str),
    /// A broken archive, or the disk.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The entry.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// What the layers of one image may still make.
#[derive(Debug)]
pub(super) struct Budget {
    bytes: u64,
    files: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { bytes: MAX_BYTES, files: MAX_FILES }
    }
}

/// Counts and hashes what is read.
struct Measured<'a, R> {
    inner: R,
    hash: Sha256,
    left: &'a mut u64,
}

impl<R: Read> Read for Measured<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let filled = self.inner.read(buffer)?;
        self.hash.update(&buffer[..filled]);
        *self.left = self.left.checked_sub(filled as u64).ok_or_else(|| io::Error::other(Error::Bytes))?;
        Ok(filled)
    }
}

/// What a directory can be made to hold.
pub(super) trait UnpackLayer {
    /// Lays one layer over what is here. `diff_id` is what its digest must be when it is not compressed.
    fn unpack_layer(&self, layer: File, diff_id: Option<&str>, budget: &mut Budget) -> Result<(), Error>;
}

impl UnpackLayer for Dir {
    fn unpack_layer(&self, layer: File, diff_id: Option<&str>, budget: &mut Budget) -> Result<(), Error> {
        let mut layer = BufReader::with_capacity(64 << 10, layer);
        let head = io::BufRead::fill_buf(&mut layer).map_err(broken)?;
        let inner: Box<dyn Read> = match head {
            [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(layer)),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => return Err(Error::Zstd),
            _ => Box::new(layer),
        };
        let Budget { bytes, files } = budget;
        let mut measured = Measured { inner, hash: Sha256::new(), left: bytes };
        let mut target = Target { root: self, touched: Touched::default(), files };
        let mut entries = Entries::new(&mut measured);
        entries.each(|entry, content| target.add(entry, content))?;
        io::copy(&mut measured, &mut io::sink()).map_err(broken)?;
        let actual = Digest::finish(measured.hash);
        match diff_id {
            Some(expected) if *expected != *actual => Err(Error::DiffId { expected: expected.to_owned(), actual }),
            _ => Ok(()),
        }
    }
}

/// The directory, while one layer is laid over it.
struct Target<'a> {
    root: &'a Dir,
    /// What is of this layer, and the directories above it: its whiteouts are about the layers below. Hashes, because
    /// the paths of a hostile archive would fill the memory.
    touched: Touched,
    files: &'a mut u64,
}

impl Target<'_> {
    fn add(&mut self, entry: &Entry, content: &mut dyn Read) -> Result<(), Error> {
        let path = clean(&entry.path)?;
        let Some(name) = path.file_name() else { return Ok(()) };
        self.charge()?;
        if let Some(hidden) = name.as_bytes().strip_prefix(b".wh.") {
            return self.hide(path.parent().unwrap_or(Path::new("")), hidden);
        }
        self.make_parents(&path)?;
        let io = |source| Error::Io { path: path.clone(), source };
        match entry.kind {
            EntryType::Directory => self.make_directory(&path, entry.mode).map_err(io)?,
            EntryType::Regular | EntryType::Continuous => {
                self.clear(&path).map_err(io)?;
                let mut options = OpenOptions::new();
                options.write(true).create_new(true).mode(entry.mode & 0o777 | 0o600);
                let mut file = self.root.open_with(&path, &options).map_err(io)?;
                io::copy(content, &mut file).map_err(|error| limited(error, &path))?;
            }
            EntryType::Symlink => {
                let target = within(&path, &entry.link);
                self.clear(&path).map_err(io)?;
                self.root.symlink(target, &path).map_err(io)?;
            }
            EntryType::Link => {
                let source = clean(&entry.link)?;
                if source != path {
                    self.clear(&path).map_err(io)?;
                    self.root.hard_link(&source, self.root, &path).map_err(io)?;
                }
            }
            // Devices and pipes are nothing to a guest.
            EntryType::Block | EntryType::Char | EntryType::Fifo => return Ok(()),
            EntryType::GNUSparse => return Err(Error::Entry("a sparse file")),
            _ => return Ok(()),
        }
        self.touched.insert(&path);
        Ok(())
    }

    fn charge(&mut self) -> Result<(), Error> {
        *self.files = self.files.checked_sub(1).ok_or(Error::Files)?;
        Ok(())
    }

    fn make_parents(&mut self, path: &Path) -> Result<(), Error> {
        let parent = path.parent().unwrap_or(Path::new(""));
        if parent == Path::new("") || self.root.is_dir(parent) {
            return Ok(());
        }
        let mut above = PathBuf::new();
        for part in parent.components() {
            above.push(part);
            if !self.root.is_dir(&above) {
                self.charge()?;
                self.clear(&above)
                    .and_then(|()| self.root.create_dir(&above))
                    .map_err(|source| Error::Io { path: above.clone(), source })?;
            }
        }
        Ok(())
    }

    fn make_directory(&self, path: &Path, mode: u32) -> io::Result<()> {
        let is_directory = self.root.symlink_metadata(path).is_ok_and(|found| found.is_dir());
        if !is_directory {
            self.clear(path)?;
            self.root.create_dir(path)?;
        }
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode & 0o777 | 0o700);
        self.root.set_permissions(path, cap_std::fs::Permissions::from_std(permissions))
    }

    /// Removes what is in the way, without following it.
    fn clear(&self, path: &Path) -> io::Result<()> {
        match self.root.symlink_metadata(path) {
            Ok(found) if found.is_dir() => self.root.remove_dir_all(path),
            Ok(_) => self.root.remove_file(path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// A whiteout: of one name, or (`.wh..wh..opq`) of all that lower layers have in the directory.
    fn hide(&self, parent: &Path, hidden: &[u8]) -> Result<(), Error> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::Io { path, source }
        };
        if hidden == b".wh..opq" {
            return self.hide_lower(parent).map_err(io(parent));
        }
        // `.wh...` would be the directory above.
        if matches!(hidden, b"" | b"." | b"..") {
            return Err(Error::Escape(parent.join(OsStr::from_bytes(hidden))));
        }
        let path = parent.join(OsStr::from_bytes(hidden));
        if !self.root.is_dir(here(parent)) {
            return Ok(());
        }
        let is_directory = self.root.symlink_metadata(&path).is_ok_and(|found| found.is_dir());
        let hidden = match (self.touched.contains(&path), is_directory) {
            (false, _) => self.clear(&path),
            (true, true) => self.hide_lower(&path),
            (true, false) => Ok(()),
        };
        hidden.map_err(io(&path))
    }

    fn hide_lower(&self, parent: &Path) -> io::Result<()> {
        let mut waiting = vec![parent.to_owned()];
        while let Some(directory) = waiting.pop() {
            let entries = match self.root.read_dir(here(&directory)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                entries => entries?,
            };
            for entry in entries {
                let entry = entry?;
                let path = directory.join(entry.file_name());
                match (self.touched.contains(&path), entry.file_type()?.is_dir()) {
                    (true, true) => waiting.push(path),
                    (true, false) => {}
                    (false, _) => self.clear(&path)?,
                }
            }
        }
        Ok(())
    }
}

/// Paths, by their hashes.
#[derive(Default)]
struct Touched(RandomState, HashSet<u64>);

impl Touched {
    fn insert(&mut self, path: &Path) {
        for part in path.ancestors() {
            // What is known has its directories known.
            if !self.1.insert(self.0.hash_one(part)) {
                break;
            }
        }
    }

    fn contains(&self, path: &Path) -> bool {
        self.1.contains(&self.0.hash_one(path))
    }
}

/// The root itself has a name only so.
fn here(directory: &Path) -> &Path {
    if directory == Path::new("") { Path::new(".") } else { directory }
}

/// An entry's path below the root, or the refusal of one that leads out.
pub(super) fn clean(path: &Path) -> Result<PathBuf, Error> {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => clean.push(part),
            Component::RootDir | Component::CurDir => {}
            Component::ParentDir | Component::Prefix(_) => return Err(Error::Escape(path.to_owned())),
        }
    }
    Ok(clean)
}

/// A link's target as one that stays within the root: absolute ones start at it, and it has nothing above.
fn within(link: &Path, target: &Path) -> PathBuf {
    let parent = link.parent().unwrap_or(Path::new(""));
    let mut resolved: Vec<&OsStr> = if target.is_absolute() { Vec::new() } else { parent.iter().collect() };
    let mut climbs = target.is_absolute();
    for part in target.components() {
        match part {
            Component::Normal(part) => resolved.push(part),
            Component::ParentDir => climbs |= resolved.pop().is_none(),
            _ => {}
        }
    }
    if !climbs {
        return target.to_owned();
    }
    let up = parent.components().map(|_| OsStr::new(".."));
    let path: PathBuf = up.chain(resolved).collect();
    if path == Path::new("") { PathBuf::from(".") } else { path }
}

pub(super) fn broken(source: io::Error) -> Error {
    limited(source, Path::new("the archive"))
}

/// The budget's own error, which came through the reader.
fn limited(source: io::Error, path: &Path) -> Error {
    match source.downcast::<Error>() {
        Ok(error) => error,
        Err(source) => Error::Io { path: path.to_owned(), source },
    }
}
