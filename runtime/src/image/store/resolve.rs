//! From a name to what is to be run.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Error, Store, at, parse};
use crate::image::config::Config;
use crate::image::digest::Digest;
use crate::image::layout::{self, Content};
use crate::image::manifest::{Document, MAX_MANIFEST, Manifest};
use crate::image::platform::{self, MAX_DEPTH, Purpose};
use crate::image::reference::Reference;

/// So many manifests are remembered.
const MAX_FACTS: usize = 4096;

/// An image that is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The whole name it was found by.
    pub reference: Reference,
    /// Of the manifest, or of the index that has it: what a container's `imageID` says.
    pub digest: Digest,
    /// The program.
    pub module: Module,
    /// How it wants to be run.
    pub config: Config,
    /// The files around it.
    pub rootfs: Option<PathBuf>,
    /// All its bytes.
    pub size: u64,
    /// When the name was last pointed here.
    pub imported: Timestamp,
}

/// A WebAssembly file of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// Where it is.
    pub path: PathBuf,
    /// Of its bytes: what compiled code is kept under.
    pub digest: Digest,
}

/// What there is to know of a manifest.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    module: Module,
    config: Config,
    rootfs: Option<PathBuf>,
    size: u64,
}

impl Store {
    /// The image a name stands for now. Another process may have changed it: the name is read from disk each time, and
    /// nothing else once the image is known.
    ///
    /// # Errors
    /// A name that is none, an image that is here and can't be run.
    pub fn resolve(&self, reference: &str) -> Result<Option<Image>, Error> {
        self.find(&parse(reference)?)
    }

    /// The same, for a name that was read.
    pub fn find(&self, reference: &Reference) -> Result<Option<Image>, Error> {
        if let Some(image) = self.resolve_toolbox(reference)? {
            return Ok(Some(image));
        }
        let (digest, imported) = match (self.record(&self.name_path(reference))?, reference.digest()) {
            (Some(record), _) => (record.digest, record.imported),
            (None, Some(digest)) => (digest.parse()?, Timestamp::UNIX_EPOCH),
            (None, None) => return Ok(None),
        };
        self.image(reference.clone(), digest, imported)
    }

    /// None when something of it is gone: then the name stands for nothing.
    pub(super) fn image(
        &self,
        reference: Reference,
        digest: Digest,
        imported: Timestamp,
    ) -> Result<Option<Image>, Error> {
        let Some(facts) = self.facts(&digest)? else { return Ok(None) };
        let Facts { module, config, rootfs, size } = (*facts).clone();
        Ok(Some(Image { reference, digest, module, config, rootfs, size, imported }))
    }

    fn facts(&self, digest: &Digest) -> Result<Option<Arc<Facts>>, Error> {
        let known = self.facts.lock().get(digest).cloned();
        // Another process may have removed the files with the image, before it was pulled again.
        if let Some(facts) = known.filter(|facts| facts.rootfs.as_ref().is_none_or(|rootfs| rootfs.is_dir())) {
            return Ok(Some(facts));
        }
        let Some(facts) = self.gather(digest)?.map(Arc::new) else { return Ok(None) };
        let mut known = self.facts.lock();
        if known.len() >= MAX_FACTS {
            known.clear();
        }
        known.insert(digest.clone(), facts.clone());
        Ok(Some(facts))
    }

    fn gather(&self, digest: &Digest) -> Result<Option<Facts>, Error> {
        if let Some(facts) = self.bare(digest)? {
            return Ok(Some(facts));
        }
        let Some((digest, manifest)) = self.find_manifest(digest, Purpose::Run)? else { return Ok(None) };
        let Some(config) = self.read_blob(&manifest.config.digest, MAX_MANIFEST)? else { return Ok(None) };
        let (content, config) = layout::content(&manifest, &config, Purpose::Run)?;
        let size = layout::size(&manifest);
        match content {
            Content::Wasm(layer) => {
                let Some(blob) = self.blob(&layer.digest)? else { return Ok(None) };
                let module = Module { path: blob.path, digest: layer.digest };
                Ok(Some(Facts { module, config, rootfs: None, size }))
            }
            Content::Files { diff_ids } => {
                let Some(rootfs) = self.unpacked(&digest, &manifest, &diff_ids)? else { return Ok(None) };
                let module = self.program(&rootfs, &config)?;
                Ok(Some(Facts { module, config, rootfs: Some(rootfs), size }))
            }
            Content::Artifact => Ok(None),
        }
    }

    /// The manifest of one image behind a digest that may be of an index. None when it is not all here.
    pub(super) fn find_manifest(&self, digest: &Digest, purpose: Purpose) -> Result<Option<(Digest, Manifest)>, Error> {
        let mut digest = digest.clone();
        for _ in 0..MAX_DEPTH {
            let Some(bytes) = self.read_blob(&digest, MAX_MANIFEST)? else { return Ok(None) };
            match Document::parse(&bytes)? {
                Document::Manifest(manifest) => return Ok(Some((digest, manifest))),
                Document::Index(index) => {
                    digest = platform::choose(&index, purpose).map_err(layout::Error::Containers)?.digest.clone();
                }
            }
        }
        Err(layout::Error::Depth.into())
    }

    /// A pod of an earlier version may be pinned to the digest of the program itself.
    fn bare(&self, digest: &Digest) -> Result<Option<Facts>, Error> {
        let path = self.blob_path(digest);
        let mut head = Vec::with_capacity(4);
        match File::open(&path).and_then(|file| file.take(4).read_to_end(&mut head)) {
            Ok(_) if head == b"\0asm" => {
                let size = fs::metadata(&path).map_err(at(&path))?.len();
                let module = Module { path, digest: digest.clone() };
                Ok(Some(Facts { module, config: Config::default(), rootfs: None, size }))
            }
            Ok(_) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(at(&path)(error)),
        }
    }
}
