//! The content store on disk.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::reference::{InvalidReference, Reference};

/// No WebAssembly program is near this size; a disk image given by mistake is.
const MAX_SIZE: u64 = 1 << 30;

/// The images under one directory. Cheap to clone; several processes may have it open.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

/// An image that is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The whole name it was found by.
    pub reference: Reference,
    /// `sha256:…` of the bytes.
    pub digest: String,
    /// Where the bytes are.
    pub path: PathBuf,
    /// How many there are.
    pub size: u64,
    /// When the name was last pointed here.
    pub imported: Timestamp,
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
    /// The file is something else.
    #[error("{path}: not WebAssembly: {found}", path = path.display())]
    NotWasm {
        /// The file.
        path: PathBuf,
        /// What it looks like.
        found: &'static str,
    },
    /// The file is larger than the store takes.
    #[error("{path}: larger than {MAX_SIZE} bytes", path = path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The disk said no.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// One name, as it is kept on disk.
#[derive(Serialize, Deserialize)]
struct Record {
    reference: String,
    digest: String,
    size: u64,
    imported: Timestamp,
}

/// The digest that `file` would have as an image.
///
/// # Errors
/// A file that cannot be read, or that is no image.
pub fn digest(file: &Path) -> Result<String, Error> {
    let mut source = File::open(file).map_err(at(file))?;
    copy(&mut source, file, &mut io::sink()).map(|(digest, _)| digest)
}

impl Store {
    /// Opens the store in `root`, making it when it is not there.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, Error> {
        let store = Self { root: root.into() };
        for directory in [store.blobs(), store.refs()] {
            fs::create_dir_all(&directory).map_err(at(&directory))?;
        }
        Ok(store)
    }

    /// Copies `file` into the store and points `reference` at it. A name that exists moves.
    pub fn import(&self, file: &Path, reference: &str) -> Result<Image, Error> {
        let reference = parse(reference)?;
        let mut source = File::open(file).map_err(at(file))?;
        let mut blob = tempfile::NamedTempFile::new_in(self.blobs()).map_err(at(&self.blobs()))?;
        let (digest, size) = copy(&mut source, file, &mut blob)?;
        blob.as_file().sync_all().map_err(at(blob.path()))?;

        let _guard = self.lock()?;
        let path = self.blob(&digest);
        if !path.exists() {
            blob.persist(&path).map_err(|error| Error::Io { path: path.clone(), source: error.error })?;
        }
        let imported = Timestamp::now();
        self.publish(&Record { reference: reference.to_string(), digest: digest.clone(), size, imported })?;
        Ok(Image { reference, digest, path, size, imported })
    }

    /// The image a name stands for now, read from disk each time: another process may have changed it.
    pub fn resolve(&self, reference: &str) -> Result<Option<Image>, Error> {
        let reference = parse(reference)?;
        if let Some(digest) = reference.digest() {
            let (digest, path) = (digest.to_owned(), self.blob(digest));
            return match fs::metadata(&path) {
                Ok(found) => {
                    let image = Image { reference, digest, path, size: found.len(), imported: Timestamp::UNIX_EPOCH };
                    Ok(Some(image))
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(at(&path)(error)),
            };
        }
        Ok(self.record(&self.ref_path(&reference))?.and_then(|record| self.image(record)))
    }

    /// Every name, in order.
    pub fn list(&self) -> Result<Vec<Image>, Error> {
        let mut images = Vec::new();
        for path in self.ref_paths()? {
            images.extend(self.record(&path)?.and_then(|record| self.image(record)));
        }
        images.sort_by_key(|image| image.reference.to_string());
        Ok(images)
    }

    /// Forgets a name, and the bytes when no other name has them. False when there was no such name.
    pub fn remove(&self, reference: &str) -> Result<bool, Error> {
        let reference = parse(reference)?;
        let _guard = self.lock()?;
        let path = self.ref_path(&reference);
        let Some(record) = self.record(&path)? else { return Ok(false) };
        fs::remove_file(&path).map_err(at(&path))?;
        let mut others = false;
        for path in self.ref_paths()? {
            others |= self.record(&path)?.is_some_and(|other| other.digest == record.digest);
        }
        if !others {
            let blob = self.blob(&record.digest);
            fs::remove_file(&blob).or_else(unless_missing).map_err(at(&blob))?;
        }
        Ok(true)
    }

    fn publish(&self, record: &Record) -> Result<(), Error> {
        let refs = self.refs();
        let path = refs.join(ref_name(&record.reference));
        let write = || -> io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(&refs)?;
            serde_json::to_writer(&mut file, record)?;
            file.as_file().sync_all()?;
            file.persist(&path)?;
            File::open(&refs)?.sync_all()
        };
        write().map_err(at(&path))
    }

    fn record(&self, path: &Path) -> Result<Option<Record>, Error> {
        match fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(io::Error::from).map_err(at(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(at(path)(error)),
        }
    }

    /// None when the bytes are gone: then the name stands for nothing.
    fn image(&self, record: Record) -> Option<Image> {
        let path = self.blob(&record.digest);
        let reference = Reference::parse(&record.reference).ok()?;
        path.exists().then_some(Image {
            reference,
            digest: record.digest,
            path,
            size: record.size,
            imported: record.imported,
        })
    }

    fn ref_paths(&self) -> Result<Vec<PathBuf>, Error> {
        let refs = self.refs();
        let paths = fs::read_dir(&refs)
            .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>());
        let mut paths = paths.map_err(at(&refs))?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        Ok(paths)
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

    fn blob(&self, digest: &str) -> PathBuf {
        self.blobs().join(digest.trim_start_matches("sha256:"))
    }

    fn refs(&self) -> PathBuf {
        self.root.join("refs")
    }

    fn ref_path(&self, reference: &Reference) -> PathBuf {
        self.refs().join(ref_name(&reference.to_string()))
    }
}

/// Hashed, because a name may be longer than a file name and holds slashes.
fn ref_name(reference: &str) -> String {
    format!("{}.json", hex(&Sha256::digest(reference)[..16]))
}

fn parse(reference: &str) -> Result<Reference, Error> {
    Reference::parse(reference).map_err(|source| Error::Reference { reference: reference.to_owned(), source })
}

/// Copies while hashing, and looks at the first bytes before it writes any.
fn copy(source: &mut File, path: &Path, to: &mut impl Write) -> Result<(String, u64), Error> {
    let mut chunk = vec![0; 64 * 1024];
    let (mut hash, mut size) = (Sha256::new(), 0);
    let mut head = Vec::with_capacity(512);
    source.take(512).read_to_end(&mut head).map_err(at(path))?;
    if !head.starts_with(b"\0asm") {
        return Err(Error::NotWasm { path: path.to_owned(), found: looks_like(&head) });
    }
    let mut filled = head.len();
    chunk[..filled].copy_from_slice(&head);
    while filled > 0 {
        size += filled as u64;
        if size > MAX_SIZE {
            return Err(Error::TooLarge { path: path.to_owned() });
        }
        hash.update(&chunk[..filled]);
        to.write_all(&chunk[..filled]).map_err(at(path))?;
        filled = source.read(&mut chunk).map_err(at(path))?;
    }
    Ok((format!("sha256:{}", hex(&hash.finalize())), size))
}

fn looks_like(head: &[u8]) -> &'static str {
    match head {
        [] => "the file is empty",
        [0x7f, b'E', b'L', b'F', ..] => "this is a Linux program; build it for wasm32-wasip2",
        [0x1f, 0x8b, ..] => "this is a compressed archive; give the .wasm file itself",
        [b'(', ..] => "this is WebAssembly text; assemble it first",
        _ if head.get(257..262) == Some(b"ustar") => {
            "this is a tar archive, as a Linux container image is; Sampan runs WebAssembly components"
        }
        _ => "it does not start with \\0asm",
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> Error + use<> {
    let path = path.to_owned();
    move |source| Error::Io { path, source }
}

fn unless_missing(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wasm(directory: &Path, content: &str) -> PathBuf {
        let path = directory.join(format!("{content}.wasm"));
        fs::write(&path, [b"\0asm", content.as_bytes()].concat()).expect("write");
        path
    }

    #[test]
    fn a_name_moves_and_the_bytes_go_with_the_last_one() {
        let directory = tempfile::tempdir().expect("directory");
        let store = Store::open(directory.path().join("images")).expect("open");
        let (one, two) = (wasm(directory.path(), "one"), wasm(directory.path(), "two"));
        let first = store.import(&one, "localhost/web:v1").expect("import");
        assert_eq!(store.resolve("localhost/web:v1").expect("read"), Some(first.clone()));
        assert_eq!(store.resolve("localhost/web:v2").expect("read"), None);
        let pinned = store.resolve(&format!("localhost/web@{}", first.digest)).expect("read").expect("by digest");
        assert_eq!(pinned.path, first.path);

        store.import(&one, "web").expect("a second name");
        let moved = store.import(&two, "localhost/web:v1").expect("move");
        assert_ne!(moved.digest, first.digest);
        let names: Vec<_> = store.list().expect("list").iter().map(|image| image.reference.to_string()).collect();
        assert_eq!(names, ["docker.io/library/web:latest", "localhost/web:v1"]);

        assert!(first.path.exists(), "another name holds it");
        assert!(store.remove("web").expect("remove"));
        assert!(!first.path.exists());
        assert!(!store.remove("web").expect("nothing to remove"));
    }

    #[test]
    fn other_files_are_refused_with_what_they_are() {
        let directory = tempfile::tempdir().expect("directory");
        let store = Store::open(directory.path().join("images")).expect("open");
        let path = directory.path().join("server");
        fs::write(&path, b"\x7fELF....").expect("write");
        let error = store.import(&path, "localhost/server").expect_err("refused");
        assert!(error.to_string().contains("Linux program"), "{error}");
        assert!(store.list().expect("list").is_empty());
        assert_eq!(fs::read_dir(store.blobs()).expect("read").count(), 0, "nothing is left behind");
    }
}
