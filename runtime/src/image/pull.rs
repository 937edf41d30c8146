//! Getting an image under its pull policy: from the store where the policy allows, else from a registry, once for all
//! who want it now.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared, WeakShared};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::aliases::Aliases;
use super::credentials::Keyring;
use super::digest::Digest;
use super::platform::Purpose;
use super::policy::Policy;
use super::reference::{InvalidReference, Reference};
use super::registries::{Config, InvalidConfig};
use super::remote::{self, Clients, Downloads, Fetch, Patience, Progress, Want};
use super::store::{self, Image, Store};

/// Gets images. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Puller {
    store: Store,
    aliases: Arc<Aliases>,
    fetch: Fetch,
    running: Arc<Mutex<HashMap<Key, Running>>>,
}

/// What is the same pull: other credentials are told other things.
type Key = (Reference, Purpose, [u8; 32]);
type Outcome = Result<Digest, Arc<remote::Error>>;
type Shareable = BoxFuture<'static, Outcome>;

#[derive(Debug)]
struct Running {
    pull: WeakShared<Shareable>,
    progress: Arc<Progress>,
    begun: Instant,
}

/// What a look into the store says.
#[derive(Debug)]
pub enum Found<T> {
    /// It is here, and the policy has no more to ask.
    Here(T),
    /// A registry is to be asked for it.
    Ask(Reference),
}

/// The files of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The whole name it was found by.
    pub reference: Reference,
    /// Of its manifest.
    pub digest: Digest,
    /// Where they are. Not to be written to.
    pub path: PathBuf,
}

/// A pull under way. Dropping it ends the pull, unless others wait for it too.
#[must_use]
pub struct Pull {
    reference: Reference,
    shared: Shared<Shareable>,
    progress: Arc<Progress>,
    begun: Instant,
}

/// How long a pull took, without and with the time in which it waited for others.
#[derive(Clone, Copy, Debug)]
pub struct Took {
    /// The work.
    pub working: Duration,
    /// All of it.
    pub waiting: Duration,
}

/// Why there is no image to run.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The name is not one.
    #[error("Failed to apply default image tag {name:?}: couldn't parse image name {name:?}: {source}")]
    InvalidName {
        /// As the manifest has it.
        name: String,
        /// What is wrong with it.
        source: InvalidReference,
    },
    /// Policy `Never`, and it is not here.
    #[error("Container image {0:?} is not present with pull policy of Never")]
    NeverPull(String),
    /// It is not here, and there is nowhere to get it from.
    #[error("{0:?} is not in this node's image store (add it: `sampan image import FILE {0}`)")]
    NotFound(String),
    /// The store could not be read.
    #[error("Failed to inspect image {name:?}: {source}")]
    Inspect {
        /// As the manifest has it.
        name: String,
        /// The cause.
        source: store::Error,
    },
    /// It is here, and nothing for this node.
    #[error("failed to unpack image {name:?}: {source}")]
    Unusable {
        /// The whole name.
        name: String,
        /// Why.
        source: store::Error,
    },
    /// No registry gave it.
    #[error("failed to pull and unpack image {name:?}: {source}")]
    Fetch {
        /// The whole name.
        name: String,
        /// Why.
        source: Arc<remote::Error>,
    },
}

impl PullError {
    /// The waiting container's reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::InvalidName { .. } => "InvalidImageName",
            Self::NeverPull(_) => "ErrImageNeverPull",
            Self::Inspect { .. } => "ImageInspectError",
            Self::Fetch { source, .. } if matches!(**source, remote::Error::Unavailable { .. }) => {
                "RegistryUnavailable"
            }
            Self::NotFound(_) | Self::Unusable { .. } | Self::Fetch { .. } => "ErrImagePull",
        }
    }

    /// Whether it is a pull that failed: the next one waits in its back-off.
    pub fn is_pull(&self) -> bool {
        matches!(self, Self::NotFound(_) | Self::Unusable { .. } | Self::Fetch { .. })
    }

    fn of(name: &str, error: store::Error) -> Self {
        let name = name.to_owned();
        match error {
            store::Error::Reference { reference, source } => Self::InvalidName { name: reference, source },
            source @ store::Error::Io { .. } => Self::Inspect { name, source },
            source => Self::Unusable { name, source },
        }
    }
}

impl Puller {
    /// Pulls into `store`.
    ///
    /// # Errors
    /// A configuration that can't be meant. Reads the authorities that it names.
    pub fn new(store: Store, config: Config) -> Result<Self, InvalidConfig> {
        Self::patient(store, config, Patience::default())
    }

    pub(super) fn patient(store: Store, config: Config, patience: Patience) -> Result<Self, InvalidConfig> {
        let aliases = Arc::new(config.validate()?);
        for (registry, path) in
            config.registries.iter().filter_map(|(name, found)| Some((name, found.ca_file.as_ref()?)))
        {
            let refused =
                |reason| InvalidConfig::Authorities { registry: registry.clone(), path: path.clone(), reason };
            remote::authorities(path).map_err(refused)?;
        }
        let fetch = Fetch {
            store: store.clone(),
            config: Arc::new(config),
            clients: Arc::new(Clients::new(patience)),
            downloads: Arc::new(Downloads::default()),
        };
        Ok(Self { store, aliases, fetch, running: Arc::default() })
    }

    /// What the node's configuration has run in place of `name`.
    pub fn alias(&self, name: &str) -> Option<&str> {
        self.aliases.find(name)
    }

    /// Looks for an image to run. Reads a file or two: not for an async worker's own thread.
    pub fn look(&self, name: &str, policy: Policy) -> Result<Found<Image>, PullError> {
        self.look_with(name, policy, Store::find)
    }

    /// Looks for an image whose files are wanted, whatever it is for.
    pub fn look_for_files(&self, name: &str, policy: Policy) -> Result<Found<Files>, PullError> {
        self.look_with(name, policy, files)
    }

    fn look_with<T>(
        &self,
        name: &str,
        policy: Policy,
        find: impl FnOnce(&Store, &Reference) -> Result<Option<T>, store::Error>,
    ) -> Result<Found<T>, PullError> {
        let reference =
            Reference::parse(name).map_err(|source| PullError::InvalidName { name: name.to_owned(), source })?;
        if policy == Policy::Always && !reference.is_local() {
            return Ok(Found::Ask(reference));
        }
        match find(&self.store, &reference).map_err(|error| PullError::of(name, error))? {
            Some(found) => Ok(Found::Here(found)),
            None if policy == Policy::Never => Err(PullError::NeverPull(name.to_owned())),
            None if reference.is_local() => Err(PullError::NotFound(name.to_owned())),
            None => Ok(Found::Ask(reference)),
        }
    }

    /// Begins to pull, or joins the pull that is under way.
    pub fn pull(&self, reference: Reference, keyring: Keyring, purpose: Purpose) -> Pull {
        let key = (reference.clone(), purpose, keyring.fingerprint());
        let mut running = self.running.lock();
        running.retain(|_, running| running.pull.upgrade().is_some_and(|pull| pull.peek().is_none()));
        if let Some(Running { pull, progress, begun }) = running.get(&key)
            && let Some(shared) = pull.upgrade()
        {
            return Pull { reference, shared, progress: progress.clone(), begun: *begun };
        }
        let progress = Arc::new(Progress::default());
        let want = Want { reference: reference.clone(), keyring: Arc::new(keyring), purpose };
        let fetching = self.fetch.clone().run(want, progress.clone());
        let shared = async move { fetching.await.map_err(Arc::new) }.boxed().shared();
        let begun = Instant::now();
        if let Some(pull) = shared.downgrade() {
            running.insert(key, Running { pull, progress: progress.clone(), begun });
        }
        Pull { reference, shared, progress, begun }
    }

    /// Waits for a pull, and finds what is to be run.
    pub async fn image(&self, pull: &Pull) -> Result<Image, PullError> {
        self.wait(pull, Store::find).await
    }

    /// Waits for a pull, and finds the files.
    pub async fn files(&self, pull: &Pull) -> Result<Files, PullError> {
        self.wait(pull, files).await
    }

    async fn wait<T: Send + 'static>(
        &self,
        pull: &Pull,
        find: impl FnOnce(&Store, &Reference) -> Result<Option<T>, store::Error> + Send + 'static,
    ) -> Result<T, PullError> {
        let name = pull.reference.to_string();
        let failed = |source| PullError::Fetch { name: name.clone(), source };
        // A clone: it may be waited for again after this future was dropped.
        pull.shared.clone().await.map_err(failed)?;
        let (store, reference) = (self.store.clone(), pull.reference.clone());
        let found = tokio::task::spawn_blocking(move || find(&store, &reference)).await;
        match found.map_err(|_| failed(Arc::new(remote::Error::Stopping)))? {
            Ok(Some(found)) => Ok(found),
            // It was removed in the moment between.
            Ok(None) => Err(PullError::NotFound(name)),
            Err(error) => Err(PullError::of(&name, error)),
        }
    }
}

impl Pull {
    /// Bytes that are here, and bytes in all; zero until that is known.
    pub fn progress(&self) -> (u64, u64) {
        self.progress.now()
    }

    /// How long it took, for somebody who has waited since `asked`.
    pub fn took(&self, asked: Instant) -> Took {
        let working = self.begun.elapsed();
        Took { working, waiting: asked.elapsed().max(working) }
    }
}

fn files(store: &Store, reference: &Reference) -> Result<Option<Files>, store::Error> {
    let Some(found) = store.manifest(reference)? else { return Ok(None) };
    let path = store.rootfs(&found.digest)?;
    Ok(path.map(|path| Files { reference: reference.clone(), digest: found.digest, path }))
}

#[cfg(test)]
mod tests;
