//! The toolbox that comes with the binary: an image that is always here.

use std::io::Read as _;

use jiff::Timestamp;
use parking_lot::Mutex;

use super::{Error, Image, Store};
use crate::image::digest::Digest;
use crate::image::manifest::MAX_IMAGE;
use crate::image::reference::Reference;

/// Its name, whatever the tag.
const REPOSITORY: &str = "localhost/toolbox";

/// The embedded program.
#[derive(Debug)]
pub(super) struct Toolbox {
    compressed: &'static [u8],
    /// The manifest it was unpacked under.
    unpacked: Mutex<Option<Digest>>,
}

impl Toolbox {
    pub(super) fn new(compressed: &'static [u8]) -> Self {
        Self { compressed, unpacked: Mutex::default() }
    }
}

impl Store {
    /// The toolbox, when that is what the name stands for.
    pub(super) fn resolve_toolbox(&self, reference: &Reference) -> Result<Option<Image>, Error> {
        let Some(toolbox) = self.toolbox.as_ref().filter(|_| reference.repository() == REPOSITORY) else {
            return Ok(None);
        };
        if reference.digest().is_some() {
            return Ok(None);
        }
        // Whoever comes second waits for the first.
        let mut unpacked = toolbox.unpacked.lock();
        if let Some(digest) = &*unpacked
            && let Some(image) = self.image(reference.clone(), digest.clone(), Timestamp::UNIX_EPOCH)?
            && image.module.path.exists()
        {
            return Ok(Some(image));
        }
        let digest = self.unpack_toolbox(toolbox)?;
        *unpacked = Some(digest.clone());
        self.image(reference.clone(), digest, Timestamp::UNIX_EPOCH)
    }

    fn unpack_toolbox(&self, toolbox: &Toolbox) -> Result<Digest, Error> {
        let mut bytes = Vec::new();
        let decoder = flate2::read::GzDecoder::new(toolbox.compressed);
        decoder.take(MAX_IMAGE).read_to_end(&mut bytes).map_err(Error::Toolbox)?;
        let program = self.put_blob(&bytes)?;
        let name = super::parse(REPOSITORY)?;
        self.name_program(&name, &bytes[..bytes.len().min(8)], program, bytes.len() as u64)
    }
}
