//! A pod's sandbox: its volumes on disk, its address on the network.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Pod, PodSpec};
use netproxy::fabric::{AttachError, DnsConfig, PodAddress, PodIp, PoolError};
use parking_lot::Mutex;

use super::etc::{self, Etc};
use super::given::Given;
use super::ground::Ground;
use super::turns::{Ahead, Turn};
use super::view::View;
use crate::agent::references::Subscription;
use crate::container::{LazyMount, Mount};
use crate::sandbox::Sandbox;
use crate::volume::{self, Elsewhere, Site, claim};

/// How soon what may have come right by itself is tried again.
pub(super) const RETRY: Duration = Duration::from_secs(10);

/// What a kernel takes for a host name.
const MOST_OF_NAME: usize = 64;

/// The sandbox, and the address it borrows.
pub struct Place {
    /// For the containers.
    pub sandbox: Sandbox,
    /// The pod's `/etc`.
    pub etc: LazyMount,
    /// The turn it was made in, for its first container: a pod is finished before the next is begun.
    pub turn: Option<Turn>,
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
    /// A `FailedCreatePodSandBox`.
    #[error(
        "Failed to create pod sandbox: failed to construct FQDN from pod hostname and cluster domain, FQDN {0} is too \
         long ({MOST_OF_NAME} characters is the max, {len} characters requested)", len = .0.len()
    )]
    LongName(String),
    /// The node is being stopped.
    #[error("Failed to create pod sandbox: the node is stopping")]
    Stopping,
}

impl Error {
    /// The event's reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Volume { .. } | Self::Claim { .. } => "FailedMount",
            Self::Address(_) | Self::Attach(_) | Self::LongName(_) | Self::Stopping => "FailedCreatePodSandBox",
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
    view: Arc<View>,
    mut around: Subscription,
) -> (Result<Place, Error>, Subscription) {
    let ahead = ground.turns.line_up();
    around.known().await;
    let made = match elsewhere(&ground, &pod).await {
        Ok(found) => {
            around.found(found);
            make_with(&ground, &pod, view, &around, ahead).await
        }
        Err(error) => Err(error),
    };
    (made, around)
}

/// What takes asking others: claims and images.
async fn elsewhere(ground: &Ground, pod: &Pod) -> Result<Elsewhere, Error> {
    let claims = claim::resolve(&ground.client, pod).await.map_err(|(volume, claim, source)| {
        let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
        Error::Claim { volume, claim: format!("{namespace}/{claim}"), source }
    })?;
    let images = volume::image::resolve(ground, pod).await;
    let images = images.map_err(|(volume, error)| Error::Volume { volume, source: error.into() })?;
    Ok(Elsewhere { claims, images })
}

async fn make_with(
    ground: &Arc<Ground>,
    pod: &Arc<Pod>,
    view: Arc<View>,
    around: &Subscription,
    ahead: Ahead,
) -> Result<Place, Error> {
    ground.services.synced().await;
    let turn = ground.turns.take(Some(ahead)).await.map_err(|_| Error::Stopping)?;
    let lease = ground.addresses.lease()?;
    let plug = ground.fabric.attach(address(pod, &lease))?;
    let given = ground.given(pod, around, Some(lease.ip()));
    provide(ground, pod, given).await?;
    let called = called(pod, &ground.names.domain)?;
    let etc = etc(ground, directory(ground, pod).join("etc"), view, called.clone(), lease.ip());
    Ok(Place { sandbox: Sandbox::new(plug, called), etc, turn: Some(turn), _lease: lease })
}

/// Written when a guest of the pod first looks.
fn etc(ground: &Arc<Ground>, host: PathBuf, view: Arc<View>, called: String, ip: IpAddr) -> LazyMount {
    let mount = Mount { host: host.clone(), guest: "/etc".to_owned(), read_only: true, pin: None };
    let (ground, written) = (ground.clone(), Mutex::new(false));
    let make = move || {
        let mut written = written.lock();
        if !std::mem::replace(&mut *written, true) {
            let pod = view.pod();
            let hostname = hostname(&pod);
            let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
            let names = etc::Names { namespace, hostname: &hostname, called: &called };
            if let Some(spec) = &pod.spec {
                Etc::of(spec, &names, ip, &ground.names).write(&host)?;
            }
        }
        Ok(())
    };
    LazyMount { mount, make: Arc::new(make) }
}

/// What the pod calls itself: its host name, all of it when it says so.
fn called(pod: &Pod, domain: &str) -> Result<String, Error> {
    let hostname = hostname(pod);
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let spec = pod.spec.as_ref().filter(|spec| spec.set_hostname_as_fqdn == Some(true));
    match spec.and_then(|spec| etc::qualified(spec, &hostname, namespace, domain)) {
        Some(whole) if whole.len() > MOST_OF_NAME => Err(Error::LongName(whole)),
        Some(whole) => Ok(whole),
        None => Ok(hostname),
    }
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

/// The pod's host name: such a name has no more than 63 characters.
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn named(spec: Value) -> Result<String, String> {
        let mut spec = spec;
        spec["containers"] = json!([]);
        let pod: Pod =
            from_value(json!({"metadata": {"name": "web-1", "namespace": "dev"}, "spec": spec})).expect("pod");
        called(&pod, "cluster.local").map_err(|error| error.to_string())
    }

    #[test]
    fn a_pod_calls_itself_as_it_wants() {
        assert_eq!(named(json!({})).as_deref(), Ok("web-1"));
        assert_eq!(named(json!({"hostname": "db", "subdomain": "x"})).as_deref(), Ok("db"));
        let whole = named(json!({"subdomain": "x", "setHostnameAsFQDN": true}));
        assert_eq!(whole.as_deref(), Ok("web-1.x.dev.svc.cluster.local"));
        assert_eq!(named(json!({"setHostnameAsFQDN": true})).as_deref(), Ok("web-1"), "it has no subdomain");
        let long = named(json!({"subdomain": "x".repeat(60), "setHostnameAsFQDN": true})).expect_err("too long");
        assert!(long.contains("is too long (64 characters is the max, 88 characters requested)"), "{long}");
    }
}
