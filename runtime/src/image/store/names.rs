//! Names, and the manifests they point at.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Error, Store, at, parse, unless_missing};
use crate::image::digest::Digest;
use crate::image::hex;
use crate::image::manifest::{Document, MAX_MANIFEST, media};
use crate::image::reference::Reference;

/// One name, as it is kept on disk.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record {
    pub(super) reference: String,
    pub(super) digest: Digest,
    /// Absent in stores of earlier versions, whose names point at the program itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) media_type: String,
    pub(super) size: u64,
    pub(super) imported: Timestamp,
}

/// A name that is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The name.
    pub reference: Reference,
    /// Of its manifest.
    pub digest: Digest,
    /// The bytes of all that the manifest lists.
    pub size: u64,
    /// When it was last pointed there.
    pub imported: Timestamp,
}

/// A manifest that is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its digest.
    pub digest: Digest,
    /// Its media type.
    pub media_type: String,
    /// Itself.
    pub bytes: Vec<u8>,
}

impl Store {
    /// Keeps a manifest and points `reference` at it; a tag that exists moves. A reference with a digest must have the
    /// manifest's own.
    ///
    /// # Errors
    /// Bytes that are no manifest, and manifests of images whose blobs are not here. (The images of an index may be
    /// elsewhere: a node fetches the one it runs.)
    pub fn put_manifest(&self, reference: &Reference, media_type: &str, bytes: &[u8]) -> Result<Digest, Error> {
        let document = Document::parse(bytes)?;
        let digest = self.put_blob(bytes)?;
        if let Some(expected) = reference.digest() {
            let expected: Digest = expected.parse()?;
            if expected != digest {
                return Err(Error::Digest { expected, actual: digest });
            }
        }
        let _guard = self.lock()?;
        if let Document::Manifest(manifest) = &document {
            for child in std::iter::once(&manifest.config).chain(&manifest.layers) {
                if self.blob(&child.digest)?.is_none() {
                    return Err(Error::Incomplete(child.digest.clone()));
                }
            }
        }
        // It may have gone with another name since it was put.
        self.put_blob(bytes)?;
        let media_type = if media_type.is_empty() { document.media_type() } else { media_type };
        let before = self.record(&self.name_path(reference))?;
        if before.is_some_and(|before| before.digest == digest && before.media_type == media_type) {
            return Ok(digest);
        }
        self.publish(&Record {
            reference: reference.to_string(),
            digest: digest.clone(),
            media_type: media_type.to_owned(),
            size: document.children().map(|child| child.size).fold(0, u64::saturating_add),
            imported: Timestamp::now(),
        })?;
        Ok(digest)
    }

    /// The manifest of a name, or of a digest (whatever names there are for it).
    pub fn manifest(&self, reference: &Reference) -> Result<Option<Stored>, Error> {
        let (digest, media_type) = match (reference.digest(), self.record(&self.name_path(reference))?) {
            (_, Some(record)) => (record.digest, record.media_type),
            (Some(digest), None) => (digest.parse()?, String::new()),
            (None, None) => return Ok(None),
        };
        let Some(bytes) = self.read_blob(&digest, MAX_MANIFEST)? else { return Ok(None) };
        let Ok(document) = Document::parse(&bytes) else { return Ok(None) };
        let media_type = if media_type.is_empty() { document.media_type().to_owned() } else { media_type };
        Ok(Some(Stored { digest, media_type, bytes }))
    }

    /// Every name whose manifest is here, in order.
    pub fn list(&self) -> Result<Vec<Named>, Error> {
        let mut names = Vec::new();
        for path in self.name_paths()? {
            let Some(Record { reference, digest, size, imported, .. }) = self.record(&path)? else { continue };
            if let Ok(reference) = Reference::parse(&reference)
                && self.blob(&digest)?.is_some()
            {
                names.push(Named { reference, digest, size, imported });
            }
        }
        names.sort_by_key(|name| name.reference.to_string());
        Ok(names)
    }

    /// The repositories below a registry's name (`localhost`): `app` of `localhost/app:v1`.
    pub fn repositories(&self, registry: &str) -> Result<BTreeSet<String>, Error> {
        let names = self.references()?;
        Ok(names.into_iter().filter(|name| name.registry() == registry).map(|name| name.path().to_owned()).collect())
    }

    /// The tags of a repository (`localhost/app`).
    pub fn tags(&self, repository: &str) -> Result<BTreeSet<String>, Error> {
        let names = self.references()?.into_iter().filter(|name| name.repository() == repository);
        Ok(names.filter_map(|name| name.tag().map(str::to_owned)).collect())
    }

    /// The names in a repository (`localhost/app`) that point at a manifest.
    pub fn names_of(&self, repository: &str, digest: &str) -> Result<Vec<String>, Error> {
        let mut names = Vec::new();
        for path in self.name_paths()? {
            let record = self.record(&path)?.filter(|record| *record.digest == *digest);
            let reference = record.and_then(|record| Reference::parse(&record.reference).ok());
            names.extend(reference.filter(|name| name.repository() == repository).map(|name| name.to_string()));
        }
        Ok(names)
    }

    /// Forgets a name, and all blobs that no other name leads to. False when there was no such name.
    pub fn remove(&self, reference: &str) -> Result<bool, Error> {
        let reference = parse(reference)?;
        let _guard = self.lock()?;
        let path = self.name_path(&reference);
        let Some(record) = self.record(&path)? else { return Ok(false) };
        fs::remove_file(&path).map_err(at(&path))?;
        let mut kept = BTreeSet::new();
        for path in self.name_paths()? {
            if let Some(other) = self.record(&path)? {
                self.reach(&other.digest, &mut kept)?;
            }
        }
        let mut left = BTreeSet::new();
        self.reach(&record.digest, &mut left)?;
        for digest in left.difference(&kept) {
            self.remove_blob(digest)?;
        }
        Ok(true)
    }

    /// Removes a blob and what was unpacked from it, whoever refers to it.
    pub(super) fn remove_blob(&self, digest: &Digest) -> Result<(), Error> {
        self.facts.lock().remove(digest);
        self.remove_rootfs(digest)?;
        let blob = self.blob_path(digest);
        fs::remove_file(&blob).or_else(unless_missing).map_err(at(&blob))
    }

    /// All digests that one leads to, itself included.
    pub(super) fn reach(&self, digest: &Digest, reached: &mut BTreeSet<Digest>) -> Result<(), Error> {
        let mut waiting = vec![digest.clone()];
        while let Some(digest) = waiting.pop() {
            if reached.contains(&digest) {
                continue;
            }
            if let Some(bytes) = self.read_manifest(&digest)?
                && let Ok(document) = Document::parse(&bytes)
            {
                waiting.extend(document.children().map(|child| child.digest.clone()));
            }
            reached.insert(digest);
        }
        Ok(())
    }

    /// The bytes of what may be a manifest: layers are told apart by their first byte, and not read.
    fn read_manifest(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Error> {
        use std::io::Read as _;
        let path = self.blob_path(digest);
        let mut first = [0];
        match File::open(&path).and_then(|mut file| file.read(&mut first)) {
            Ok(1) if first == *b"{" || first[0].is_ascii_whitespace() => self.read_blob(digest, MAX_MANIFEST),
            Ok(_) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(at(&path)(error)),
        }
    }

    fn references(&self) -> Result<Vec<Reference>, Error> {
        let mut names = Vec::new();
        for path in self.name_paths()? {
            names.extend(self.record(&path)?.and_then(|record| Reference::parse(&record.reference).ok()));
        }
        Ok(names)
    }

    /// Writes a name. The lock is held.
    pub(super) fn publish(&self, record: &Record) -> Result<(), Error> {
        let names = self.names();
        let path = names.join(file_name(&record.reference));
        let write = || -> io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(&names)?;
            serde_json::to_writer(&mut file, record)?;
            file.as_file().sync_all()?;
            file.persist(&path)?;
            File::open(&names)?.sync_all()
        };
        write().map_err(at(&path))
    }

    pub(super) fn record(&self, path: &Path) -> Result<Option<Record>, Error> {
        match fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(io::Error::from).map_err(at(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(at(path)(error)),
        }
    }

    pub(super) fn name_paths(&self) -> Result<Vec<PathBuf>, Error> {
        let names = self.names();
        let paths = fs::read_dir(&names)
            .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>());
        let mut paths = paths.map_err(at(&names))?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        Ok(paths)
    }

    pub(super) fn name_path(&self, reference: &Reference) -> PathBuf {
        self.names().join(file_name(&reference.to_string()))
    }
}

/// Hashed, because a name may be longer than a file name and holds slashes.
fn file_name(reference: &str) -> String {
    format!("{}.json", hex(&Sha256::digest(reference)[..16]))
}

impl Record {
    /// Whether it is of a store of earlier versions.
    pub(super) fn is_bare(&self) -> bool {
        self.media_type.is_empty() || self.media_type == media::WASM
    }
}
