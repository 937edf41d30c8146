//! A WebAssembly file becomes an image.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use bytes::Bytes;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{Error, Image, Store, at, parse};
use crate::image::digest::Digest;
use crate::image::layout;
use crate::image::manifest::{MAX_IMAGE, media};
use crate::image::reference::Reference;

/// The digest of the manifest that `file` would be imported under.
///
/// # Errors
/// A file that cannot be read, or that is no WebAssembly.
pub fn digest(file: &Path) -> Result<Digest, Error> {
    let mut source = File::open(file).map_err(at(file))?;
    let mut hash = Sha256::new();
    let (size, head) = copy(&mut source, file, |chunk| {
        hash.update(chunk);
        Ok(())
    })?;
    let program = Digest::finish(hash);
    Ok(Digest::of(&describe(&config(&head, &program), program, size)))
}

/// An image that is in no store yet.
pub(in crate::image) struct Package {
    pub(in crate::image) program: Bytes,
    pub(in crate::image) config: Bytes,
    pub(in crate::image) manifest: Bytes,
}

/// The image that `file` would be imported as.
pub(in crate::image) fn package(file: &Path) -> Result<Package, Error> {
    let mut source = File::open(file).map_err(at(file))?;
    let mut program = Vec::new();
    let (size, head) = copy(&mut source, file, |chunk| {
        program.extend_from_slice(chunk);
        Ok(())
    })?;
    let digest = Digest::of(&program);
    let config = config(&head, &digest);
    let manifest = describe(&config, digest, size);
    Ok(Package { program: program.into(), config: config.into(), manifest: manifest.into() })
}

impl Store {
    /// Copies `file` into the store and points `reference` at it. A name that exists moves.
    pub fn import(&self, file: &Path, reference: &str) -> Result<Image, Error> {
        let name = parse(reference)?;
        let mut source = File::open(file).map_err(at(file))?;
        let mut upload = self.begin_upload()?;
        let mut hash = Sha256::new();
        let copied = copy(&mut source, file, |chunk| {
            hash.update(chunk);
            upload.append(chunk)
        });
        let (size, head) = match copied {
            Ok(copied) => copied,
            Err(error) => {
                upload.cancel()?;
                return Err(error);
            }
        };
        let program = Digest::finish(hash);
        upload.finish(&program)?;
        self.name_program(&name, &head, program, size)?;
        self.resolve(reference)?.ok_or_else(|| at(file)(io::ErrorKind::NotFound.into()))
    }

    /// Points a name at a program that is here as a blob.
    pub(super) fn name_program(
        &self,
        reference: &Reference,
        head: &[u8],
        program: Digest,
        size: u64,
    ) -> Result<Digest, Error> {
        let config = config(head, &program);
        self.put_blob(&config)?;
        self.put_manifest(reference, media::MANIFEST, &describe(&config, program, size))
    }
}

fn describe(config: &[u8], program: Digest, size: u64) -> Vec<u8> {
    json!(layout::of_program(config, program, size)).to_string().into_bytes()
}

/// The configuration of a program that starts with these bytes: the version tells components and modules apart.
fn config(head: &[u8], program: &Digest) -> Vec<u8> {
    let os = if head.get(6) == Some(&1) { "wasip2" } else { "wasip1" };
    json!({"architecture": "wasm", "os": os, "layerDigests": [program]}).to_string().into_bytes()
}

/// Reads all of a WebAssembly file; its size and its first bytes.
fn copy(
    source: &mut File,
    path: &Path,
    mut write: impl FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(u64, Vec<u8>), Error> {
    let mut head = Vec::with_capacity(512);
    source.take(512).read_to_end(&mut head).map_err(at(path))?;
    if !head.starts_with(b"\0asm") {
        return Err(Error::NotWasm { path: path.to_owned(), found: looks_like(&head) });
    }
    let (mut chunk, mut size) = (vec![0; 64 << 10], 0);
    let mut filled = head.len();
    chunk[..filled].copy_from_slice(&head);
    while filled > 0 {
        size += filled as u64;
        if size > MAX_IMAGE {
            return Err(Error::TooLarge { path: path.to_owned() });
        }
        write(&chunk[..filled])?;
        filled = source.read(&mut chunk).map_err(at(path))?;
    }
    Ok((size, head))
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
