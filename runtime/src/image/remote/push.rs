//! A WebAssembly file becomes an image in a registry: its blobs, where they are not there yet, then the manifest.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;

use super::session::Session;
use super::{Clients, Error, Patience, on_disk};
use crate::image::credentials::Keyring;
use crate::image::digest::Digest;
use crate::image::manifest::media;
use crate::image::reference::Reference;
use crate::image::registries::Config;
use crate::image::store::{self, Package};

/// Nothing comes back while a large program is on its way there.
const SILENCE: Duration = Duration::from_secs(600);

/// Pushes `file` as the same image that an import makes. It goes to the registry itself, never to a mirror.
///
/// # Errors
/// A file that is no WebAssembly, a registry that does not take it.
pub async fn push(file: &Path, reference: &Reference, config: &Config, keyring: &Keyring) -> Result<Digest, Error> {
    let path = file.to_owned();
    let package = on_disk(move || store::package(&path)).await?;
    let endpoint = config.origin(reference.registry());
    let clients = Clients::new(Patience { silence: SILENCE, ..Patience::default() });
    let client = clients.client(endpoint.ca_file.as_deref())?;
    let found = keyring.find(reference).into_iter().cloned().map(Some);
    let mut tries: Vec<_> = found.collect();
    if tries.is_empty() {
        tries.push(None);
    }
    let mut denied = None;
    for credentials in tries {
        let session = Session::new(client.clone(), endpoint.clone(), reference.path(), credentials);
        match give(&session, reference.target(), &package).await {
            Err(error @ (Error::Denied { .. } | Error::PushDenied { .. })) => denied = Some(error),
            result => return result,
        }
    }
    Err(denied.unwrap_or_else(|| Error::NotFound(reference.to_string())))
}

async fn give(session: &Session, target: &str, package: &Package) -> Result<Digest, Error> {
    for bytes in [&package.program, &package.config] {
        let digest = Digest::of(bytes);
        if !session.has(&digest).await? {
            session.put_blob(&digest, Bytes::clone(bytes)).await?;
        }
    }
    session.put_manifest(target, media::MANIFEST, package.manifest.clone()).await?;
    Ok(Digest::of(&package.manifest))
}
