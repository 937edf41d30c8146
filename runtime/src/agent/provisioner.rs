//! Makes directories of the node into PersistentVolumes, as Rancher's local-path provisioner does, under its name: a
//! class that k3s or kind has works here as it is.
//!
//! The control plane chooses: it marks a claim with the provisioner of its class and with the node of its first pod. What
//! is to be done on this node is decided by [`plan`] and carried out here: a directory and a PersistentVolume for a marked
//! claim, and both removed when a volume is released whose policy is `Delete`. A finalizer keeps the object until the
//! directory is gone, whoever deletes it.

mod plan;
mod volume;

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::fmt::Debug;
use std::hash::Hash;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::api::storage::v1::StorageClass;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use kube::runtime::WatchStreamExt;
use kube::runtime::reflector::{Store, reflector, store};
use kube::runtime::watcher::{Config, watcher};
use kube::{Api, Client, Resource};
use objects::events::Level::{Normal, Warning};
use objects::events::{Reporter, regarding};
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::recorder::Recorder;
use crate::volume::claim::said;
use crate::volume::places::{Places, make_private};
use plan::{Seen, Step, plan};
pub use volume::{NAME, directory};

/// What failed is tried again after this long.
const RETRY: Duration = Duration::from_secs(15);

/// Why a step could not be carried out.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("{}", said(.0))]
    Api(#[from] kube::Error),
    #[error("{path}: {source}", path = path.display())]
    Disk { path: PathBuf, source: io::Error },
    #[error("the node is stopping")]
    Stopping,
}

/// The provisioner of one node.
pub struct Provisioner {
    client: Client,
    recorder: Recorder,
    node: String,
    places: Places,
    /// Volumes that were made and are not seen yet.
    made: HashSet<String>,
    /// What failed, and when it is tried again.
    failed: HashMap<String, Instant>,
}

impl Provisioner {
    pub(super) fn new(client: Client, node: String, places: Places) -> Self {
        let recorder = Recorder::reporting(client.clone(), Reporter::on(NAME, &node));
        Self { client, recorder, node, places, made: HashSet::new(), failed: HashMap::new() }
    }

    /// Works until it is told to stop.
    pub async fn run(self, shutdown: CancellationToken) {
        let _: Option<Infallible> = shutdown.run_until_cancelled_owned(self.work()).await;
    }

    async fn work(mut self) -> Infallible {
        let changed = Arc::new(Notify::new());
        let claims = Followed::<PersistentVolumeClaim>::start(&self.client, &changed);
        let volumes = Followed::<PersistentVolume>::start(&self.client, &changed);
        let classes = Followed::<StorageClass>::start(&self.client, &changed);
        // An error means that the watch is over, and with it the node.
        let _ = futures::join!(
            claims.store.wait_until_ready(),
            volumes.store.wait_until_ready(),
            classes.store.wait_until_ready()
        );
        loop {
            let seen =
                Seen { claims: claims.store.state(), volumes: volumes.store.state(), classes: classes.store.state() };
            self.made.retain(|name| !seen.volumes.iter().any(|volume| volume.metadata.name.as_ref() == Some(name)));
            for step in plan(&seen, &self.node) {
                self.carry_out(step).await;
            }
            match self.failed.values().min() {
                Some(retry) => drop(timeout_at(*retry, changed.notified()).await),
                None => changed.notified().await,
            }
        }
    }

    async fn carry_out(&mut self, step: Step) {
        let key = step.key();
        let now = Instant::now();
        if self.failed.get(&key).is_some_and(|retry| now < *retry) || self.made.contains(&key) {
            return;
        }
        let done = match &step {
            Step::Provision(claim, class) => self.provision(claim, class).await,
            Step::Refuse(claim, why) => {
                self.recorder.record(&regarding(&**claim), Warning, "ProvisioningFailed", why.clone());
                self.failed.insert(key, now + RETRY);
                return;
            }
            Step::Delete(volume) => self.delete(volume).await,
            Step::LetGo(volume) => self.let_go(volume).await,
        };
        match done {
            Ok(()) => drop(self.failed.remove(&key)),
            Err(error) => {
                self.tell_failed(&step, &error);
                self.failed.insert(key, now + RETRY);
            }
        }
        // What is over is not kept.
        self.failed.retain(|_, retry| *retry + RETRY > now);
    }

    async fn provision(&mut self, claim: &PersistentVolumeClaim, class: &StorageClass) -> Result<(), Error> {
        let about = regarding(claim);
        let meta = &claim.metadata;
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let full = format!("{}/{}", text(&meta.namespace), text(&meta.name));
        let provisioning = format!("External provisioner is provisioning volume for claim {full:?}");
        self.recorder.record(&about, Normal, "Provisioning", provisioning);
        let name = volume::name(claim);
        let path = self.places.claim(&volume::directory_name(claim));
        let made = path.clone();
        on_disk(path.clone(), move || make_private(&made)).await?;
        let wanted = volume::build(claim, class, &self.node, &path);
        let api: Api<PersistentVolume> = Api::all(self.client.clone());
        match api.create(&PostParams::default(), &wanted).await {
            Err(kube::Error::Api(status)) if status.code == 409 => {}
            created => drop(created?),
        }
        self.recorder.record(
            &about,
            Normal,
            "ProvisioningSucceeded",
            format!("Successfully provisioned volume {name}"),
        );
        self.made.insert(name);
        Ok(())
    }

    /// The directory first: an object that is gone could not tell of it any more.
    async fn delete(&self, volume: &PersistentVolume) -> Result<(), Error> {
        if let Some(directory) = directory(volume) {
            let path = self.places.claim(&directory);
            let removed = path.clone();
            on_disk(path, move || match std::fs::remove_dir_all(&removed) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                done => done,
            })
            .await?;
        }
        self.let_go(volume).await?;
        let api: Api<PersistentVolume> = Api::all(self.client.clone());
        let precondition = Preconditions { uid: volume.metadata.uid.clone(), resource_version: None };
        let parameters = DeleteParams { preconditions: Some(precondition), ..DeleteParams::default() };
        unless_gone(api.delete(name_of(volume), &parameters).await.map(drop))
    }

    async fn let_go(&self, volume: &PersistentVolume) -> Result<(), Error> {
        let Some(left) = volume::without_finalizer(volume) else { return Ok(()) };
        let meta = &volume.metadata;
        let patch = json!({"metadata":
            {"finalizers": left, "resourceVersion": meta.resource_version, "uid": meta.uid}});
        let api: Api<PersistentVolume> = Api::all(self.client.clone());
        unless_gone(api.patch(name_of(volume), &PatchParams::default(), &Patch::Merge(patch)).await.map(drop))
    }

    fn tell_failed(&self, step: &Step, error: &Error) {
        match step {
            Step::Provision(claim, class) => {
                let class = class.metadata.name.as_deref().unwrap_or_default();
                let message = format!("failed to provision volume with StorageClass {class:?}: {error}");
                self.recorder.record(&regarding(&**claim), Warning, "ProvisioningFailed", message);
            }
            Step::Delete(volume) | Step::LetGo(volume) => {
                self.recorder.record(&regarding(&**volume), Warning, "VolumeFailedDelete", error.to_string());
            }
            Step::Refuse(..) => {}
        }
    }
}

/// All objects of a kind, kept up to date as long as this is there.
struct Followed<K: Resource + 'static>
where
    K::DynamicType: Eq + Hash,
{
    store: Store<K>,
    _task: AbortOnDropHandle<()>,
}

impl<K> Followed<K>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
{
    fn start(client: &Client, changed: &Arc<Notify>) -> Self {
        let (store, writer) = store();
        let stream = reflector(writer, watcher(Api::<K>::all(client.clone()), Config::default()).default_backoff());
        let changed = changed.clone();
        let task = tokio::spawn(stream.for_each(move |event| {
            if let Err(error) = event {
                tracing::debug!(%error, "watching what the provisioner works on");
            }
            changed.notify_one();
            std::future::ready(())
        }));
        Self { store, _task: AbortOnDropHandle::new(task) }
    }
}

async fn on_disk(path: PathBuf, work: impl FnOnce() -> io::Result<()> + Send + 'static) -> Result<(), Error> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|_| Error::Stopping)?;
    done.map_err(|source| Error::Disk { path, source })
}

fn unless_gone(result: Result<(), kube::Error>) -> Result<(), Error> {
    match result {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        other => Ok(other?),
    }
}

fn name_of(volume: &PersistentVolume) -> &str {
    volume.metadata.name.as_deref().unwrap_or_default()
}
