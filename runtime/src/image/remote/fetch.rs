//! All of an image, from whichever registry has it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::session::Session;
use super::{Clients, Downloads, Error, on_disk};
use crate::image::credentials::Keyring;
use crate::image::digest::Digest;
use crate::image::layout;
use crate::image::manifest::{Descriptor, Document, MAX_MANIFEST, Manifest};
use crate::image::platform::{self, MAX_DEPTH, Purpose};
use crate::image::reference::Reference;
use crate::image::registries::{Config, Endpoint};
use crate::image::store::Store;

/// Layers of one image that are fetched at once, as containerd has it.
const AT_ONCE: usize = 3;

/// How far a pull is.
#[derive(Debug, Default)]
pub(in crate::image) struct Progress {
    done: AtomicU64,
    total: AtomicU64,
}

impl Progress {
    pub(super) fn add(&self, bytes: u64) {
        self.done.fetch_add(bytes, Ordering::Relaxed);
    }

    /// They have to come again.
    pub(super) fn take(&self, bytes: u64) {
        let less = |done: u64| Some(done.saturating_sub(bytes));
        let _ = self.done.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    /// Bytes that are here, and bytes in all; zero until that is known.
    pub(in crate::image) fn now(&self) -> (u64, u64) {
        (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }
}

/// What is to be fetched.
#[derive(Clone, Debug)]
pub(in crate::image) struct Want {
    pub(in crate::image) reference: Reference,
    pub(in crate::image) keyring: Arc<Keyring>,
    pub(in crate::image) purpose: Purpose,
}

/// What fetching needs.
#[derive(Clone, Debug)]
pub(in crate::image) struct Fetch {
    pub(in crate::image) store: Store,
    pub(in crate::image) config: Arc<Config>,
    pub(in crate::image) clients: Arc<Clients>,
    pub(in crate::image) downloads: Arc<Downloads>,
}

impl Fetch {
    /// Brings the image and its name into the store. What is there is not fetched again.
    pub(in crate::image) async fn run(self, want: Want, progress: Arc<Progress>) -> Result<Digest, Error> {
        let mut last = None;
        for endpoint in self.config.endpoints(&want.reference) {
            match self.from(&endpoint, &want, &progress).await {
                Err(error) if !error.is_final() => {
                    tracing::debug!(image = %want.reference, endpoint = endpoint.base, %error, "an image was not fetched");
                    last = Some(error);
                }
                result => return result,
            }
        }
        Err(last.unwrap_or_else(|| Error::NotFound(want.reference.to_string())))
    }

    /// From one registry, with each of our credentials for it until one is good.
    async fn from(&self, endpoint: &Endpoint, want: &Want, progress: &Progress) -> Result<Digest, Error> {
        let reference = &want.reference;
        let credentials = match endpoint.origin {
            // What is for the registry is not for its mirrors.
            Some(_) => want.keyring.matches(&format!("{}/{}", endpoint.host, reference.path())),
            None => want.keyring.find(reference),
        };
        let tries: Vec<_> = match credentials.is_empty() {
            true => vec![None],
            false => credentials.into_iter().map(|credentials| Some(credentials.clone())).collect(),
        };
        let (clients, ca_file) = (self.clients.clone(), endpoint.ca_file.clone());
        let client = tokio::task::spawn_blocking(move || clients.client(ca_file.as_deref()));
        let client = client.await.map_err(|_| Error::Stopping)??;
        let mut denied = None;
        for credentials in tries {
            let session = Session::new(client.clone(), endpoint.clone(), reference.path(), credentials);
            match self.image(&session, want, progress).await {
                Err(error @ Error::Denied { .. }) => denied = Some(error),
                result => return result,
            }
        }
        Err(denied.unwrap_or_else(|| Error::NotFound(reference.to_string())))
    }

    async fn image(&self, session: &Session, want: &Want, progress: &Progress) -> Result<Digest, Error> {
        let reference = &want.reference;
        let (_, bytes) = match reference.digest() {
            Some(digest) => self.manifest(session, digest).await?,
            None => match session.head(reference.target()).await? {
                Some(digest) => self.manifest(session, &digest).await?,
                None => session.manifest(reference.target()).await?,
            },
        };
        let manifest = self.choose(session, &bytes, want.purpose).await?;
        progress.total.store(layout::size(&manifest), Ordering::Relaxed);
        progress.done.store(0, Ordering::Relaxed);
        let config = self.config(session, &manifest.config, progress).await?;
        layout::content(&manifest, &config, want.purpose)?;
        let layers = stream::iter(manifest.layers);
        let layers = layers.map(async |layer| self.blob(session, &layer, progress).await);
        layers.buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        let (store, reference) = (self.store.clone(), reference.clone());
        on_disk(move || store.put_manifest(&reference, "", &bytes)).await
    }

    /// A manifest by digest: from the store when it is there.
    async fn manifest(&self, session: &Session, digest: &str) -> Result<(Digest, Vec<u8>), Error> {
        let Ok(digest) = digest.parse::<Digest>() else { return session.manifest(digest).await };
        let (store, wanted) = (self.store.clone(), digest.clone());
        match on_disk(move || store.read_blob(&wanted, MAX_MANIFEST)).await? {
            Some(bytes) => Ok((digest, bytes)),
            None => session.manifest(&digest).await,
        }
    }

    /// The manifest of one image; of an index, the one for us, which is kept.
    async fn choose(&self, session: &Session, bytes: &[u8], purpose: Purpose) -> Result<Manifest, Error> {
        let mut document = Document::parse(bytes)?;
        for _ in 0..MAX_DEPTH {
            let index = match document {
                Document::Manifest(manifest) => return Ok(manifest),
                Document::Index(index) => index,
            };
            let entry = platform::choose(&index, purpose).map_err(layout::Error::Containers)?;
            let (_, bytes) = self.manifest(session, &entry.digest).await?;
            document = Document::parse(&bytes)?;
            let store = self.store.clone();
            on_disk(move || store.put_blob(&bytes)).await?;
        }
        Err(layout::Error::Depth.into())
    }

    async fn config(&self, session: &Session, config: &Descriptor, progress: &Progress) -> Result<Vec<u8>, Error> {
        if config.size > MAX_MANIFEST {
            return Err(layout::Error::Config(format!("it has {} bytes", config.size)).into());
        }
        self.blob(session, config, progress).await?;
        let (store, digest) = (self.store.clone(), config.digest.clone());
        let bytes = on_disk(move || store.read_blob(&digest, MAX_MANIFEST)).await?;
        bytes.ok_or_else(|| Error::NotFound(config.digest.to_string()))
    }

    async fn blob(&self, session: &Session, blob: &Descriptor, progress: &Progress) -> Result<(), Error> {
        self.downloads.fetch(&self.store, session, blob, progress, self.clients.patience()).await
    }
}
