//! A pod's sandbox: its volumes on disk, its address on the network.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Pod, PodSpec};
use netproxy::fabric::{AttachError, DnsConfig, PodAddress, PodIp, PoolError};

use tokio::sync::OwnedSemaphorePermit;

use super::given::Given;
use super::ground::Ground;
use crate::agent::references::Subscription;
use crate::sandbox::Sandbox;
use crate::volume::{self, Site, claim};

/// How soon what may have come right by itself is tried again.
pub(super) const RETRY: Duration = Duration::from_secs(10);

/// The sandbox, and the address it borrows.
pub struct Place {
    /// For the containers.
    pub sandbox: Sandbox,
    /// The turn it was made in, for its first container: a pod is finished before the next is begun.
    pub turn: Option<OwnedSemaphorePermit>,
    /// Goes back with the place. Declared after the sandbox, so that the plug is pulled first.
    _lease: PodIp,
}

/// Why there is no place.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A `FailedMount`.
    #[error("MountVolume.SetUp failed for volume {volume:?} : {source}")]
    Volume {
        /// Which one.
        volume: String,
        /// What is wrong.
        source: volume::Error,
    },
    /// A `FailedMount`, too.
    #[error(
        "Unable to attach or mount volumes: unmounted volumes=[{volume}], unattached volumes=[], failed to process \
         volumes=[{volume}]: error processing PVC {claim}: {source}"
    )]
    Claim {
        /// The pod's volume.
        volume: String,
        /// The claim's namespace and name.
        claim: String,
        /// What is wrong.
        source: claim::Error,
    },
    /// A `FailedCreatePodSandBox`.
    #[error("Failed to create pod sandbox: {0}")]
    Address(#[from] PoolError),
    /// A `FailedCreatePodSandBox`.
    #[error("Failed to create pod sandbox: {0}")]
    Attach(#[from] AttachError),
    /// The node is being stopped.
    #[error("Failed to create pod sandbox: the node is stopping")]
    Stopping,
}

impl Error {
    /// The event's reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Volume { .. } | Self::Claim { .. } => "FailedMount",
            Self::Address(_) | Self::Attach(_) | Self::Stopping => "FailedCreatePodSandBox",
        }
    }
}

/// Where the pod's volumes are, by name.
pub fn volumes(ground: &Ground, pod: &Pod) -> PathBuf {
    directory(ground, pod).join("volumes")
}

/// What the pod has in memory, where the machine has a file system there.
pub fn memory(ground: &Ground, pod: &Pod) -> Option<PathBuf> {
    ground.places.memory(pod.metadata.uid.as_deref().unwrap_or("none"))
}

/// Everything the pod has on disk besides its logs.
pub fn directory(ground: &Ground, pod: &Pod) -> PathBuf {
    ground.pods.join(pod.metadata.uid.as_deref().unwrap_or("none"))
}

/// Removes what an evicted pod kept: it was evicted for the room. Its logs stay until it goes.
pub async fn empty(ground: &Ground, pod: &Pod) {
    let directories: Vec<_> = [directory(ground, pod)].into_iter().chain(memory(ground, pod)).collect();
    let removed = tokio::task::spawn_blocking(move || {
        for directory in directories {
            match std::fs::remove_dir_all(&directory) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    tracing::warn!(path = %directory.display(), %error, "an evicted pod's directory could not be removed");
                }
                _ => {}
            }
        }
    });
    // The next start sweeps, if the runtime is going down.
    let _ = removed.await;
}

/// Makes the place of a pod. Gives back the subscription, which from then on tells of what came after.
pub async fn make(
    ground: Arc<Ground>,
    pod: Arc<Pod>,
    mut around: Subscription,
) -> (Result<Place, Error>, Subscription) {
    around.known().await;
    let made = match claim::resolve(&ground.client, &pod).await {
        Ok(claims) => {
            around.found(claims);
            make_with(&ground, &pod, &around).await
        }
        Err((volume, claim, source)) => {
            let namespace = pod.metadata.namespace.clone().unwrap_or_default();
            Err(Error::Claim { volume, claim: format!("{namespace}/{claim}"), source })
        }
    };
    (made, around)
}

async fn make_with(ground: &Ground, pod: &Arc<Pod>, around: &Subscription) -> Result<Place, Error> {
    ground.services.synced().await;
    let turn = ground.starts.clone().acquire_owned().await.map_err(|_| Error::Stopping)?;
    let lease = ground.addresses.lease()?;
    let plug = ground.fabric.attach(address(pod, &lease))?;
    let given = ground.given(pod, around, Some(lease.ip()));
    provide(ground, pod, given).await?;
    Ok(Place { sandbox: Sandbox::new(plug, hostname(pod)), turn: Some(turn), _lease: lease })
}

/// Makes or renews the pod's volumes.
pub async fn provide(ground: &Ground, pod: &Arc<Pod>, given: Given) -> Result<(), Error> {
    let volumes = volumes(ground, pod);
    if pod.spec.as_ref().is_none_or(|spec| spec.volumes.iter().flatten().next().is_none()) {
        return Ok(());
    }
    let (pod, places) = (pod.clone(), ground.places.clone());
    let work = move || provide_all(&pod, &given, Site { places: &places, directory: &volumes });
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(Error::Stopping))
}

fn provide_all(pod: &Pod, given: &Given, site: Site<'_>) -> Result<(), Error> {
    for volume in pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten()) {
        volume::provide(volume, pod, given, site)
            .map_err(|source| Error::Volume { volume: volume.name.clone(), source })?;
    }
    Ok(())
}

/// Whether a change of the objects around may change what the pod's containers see.
pub fn has_live_volumes(pod: &Pod) -> bool {
    pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten()).any(volume::is_live)
}

fn address(pod: &Pod, lease: &PodIp) -> PodAddress {
    let meta = &pod.metadata;
    PodAddress {
        ip: lease.ip(),
        namespace: meta.namespace.clone().unwrap_or_default(),
        name: meta.name.clone().unwrap_or_default(),
        hostname: hostname(pod),
        subdomain: pod.spec.as_ref().and_then(|spec| spec.subdomain.clone()).filter(|name| !name.is_empty()),
        dns: pod.spec.as_ref().map(dns).unwrap_or_default(),
    }
}

/// What the pod calls itself: a host name has no more than 63 characters.
fn hostname(pod: &Pod) -> String {
    let given = pod.spec.as_ref().and_then(|spec| spec.hostname.as_deref()).filter(|name| !name.is_empty());
    let name = given.or(pod.metadata.name.as_deref()).unwrap_or("localhost");
    let cut = name.get(..63).unwrap_or(name);
    cut.trim_end_matches(['-', '.']).to_owned()
}

fn dns(spec: &PodSpec) -> DnsConfig {
    let mut dns =
        DnsConfig { cluster: !matches!(spec.dns_policy.as_deref(), Some("Default" | "None")), ..DnsConfig::default() };
    if let Some(config) = &spec.dns_config {
        dns.search.extend(config.searches.iter().flatten().cloned());
        let ndots = config.options.iter().flatten().find(|option| option.name.as_deref() == Some("ndots"));
        if let Some(ndots) = ndots.and_then(|option| option.value.as_deref()?.parse().ok()) {
            dns.ndots = ndots;
        }
    }
    for alias in spec.host_aliases.iter().flatten() {
        if let Ok(ip) = alias.ip.parse() {
            dns.hosts.push((ip, alias.hostnames.clone().unwrap_or_default()));
        }
    }
    dns
}
