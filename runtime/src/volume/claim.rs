//! What the claims of a pod are bound to, asked of the API before the pod's containers start.
//!
//! A node may read a claim that one of its pods names, and may not watch it: what is not bound yet is asked about again
//! by and by. As a rule there is nothing to wait for, since the scheduler binds a pod's claims before the pod.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{
    HostPathVolumeSource, PersistentVolume, PersistentVolumeClaim, PersistentVolumeSpec, Pod, Volume,
};
use kube::{Api, Client};
use objects::owners;

use super::beneath::{self, Held};
use super::host_path;
use super::places::Places;
use crate::agent::provisioner;

/// The volumes behind claims, by the name of the pod's volume.
pub type Bound = BTreeMap<String, Arc<PersistentVolume>>;

/// Why a claim's volume cannot be had, in a kubelet's words.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The claim can't be read.
    #[error("failed to fetch PVC from API server: {}", said(.0))]
    Fetch(Box<kube::Error>),
    /// It is not the one that was made for the pod.
    #[error("PVC {claim} was not created for pod {pod} (pod is not owner)")]
    NotOurs {
        /// Its namespace and name.
        claim: String,
        /// The pod's.
        pod: String,
    },
    /// It is on its way out.
    #[error("PVC is being deleted")]
    Deleted,
    /// There is no volume for it.
    #[error("PVC is not bound")]
    NotBound,
    /// Its volume can't be read.
    #[error("failed to fetch PV {name} from API server: {}", said(source))]
    FetchVolume {
        /// The volume.
        name: String,
        /// The cause.
        source: Box<kube::Error>,
    },
    /// The volume does not know of it.
    #[error("PV {0}'s claimRef does not name this claim, which indicates that it is not yet bound")]
    NotOf(String),
    /// A device.
    #[error("volume {0} has volumeMode Block, but is specified in volumeMounts; Sampan has no block devices")]
    Block(String),
    /// A source that the node does not have.
    #[error("PV {name} has a source that is not supported: {kind}")]
    Source {
        /// The volume.
        name: String,
        /// The source's field.
        kind: &'static str,
    },
    /// The directory is not there any more.
    #[error("path {0:?} does not exist")]
    Gone(String),
    /// The host's path.
    #[error(transparent)]
    HostPath(#[from] host_path::Error),
    /// The disk.
    #[error(transparent)]
    Beneath(#[from] beneath::Error),
}

/// What the API said, without what a client makes of it.
pub fn said(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status.message.clone(),
        other => other.to_string(),
    }
}

/// The claim that a volume of a pod shows: one that it names, or one that was made for the pod.
pub fn name(pod: &Pod, volume: &Volume) -> Option<String> {
    let made = || format!("{}-{}", pod.metadata.name.as_deref().unwrap_or_default(), volume.name);
    let named = volume.persistent_volume_claim.as_ref().map(|source| source.claim_name.clone());
    named.or_else(|| volume.ephemeral.as_ref().map(|_| made()))
}

/// Asks for the volumes of all claims; the first that cannot be had is the error, with the volume's and the claim's name.
pub async fn resolve(client: &Client, pod: &Pod) -> Result<Bound, (String, String, Error)> {
    let mut bound = Bound::new();
    for volume in pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten()) {
        let Some(claim) = name(pod, volume) else { continue };
        let found = one(client, pod, volume, &claim).await.map_err(|error| (volume.name.clone(), claim, error))?;
        bound.insert(volume.name.clone(), Arc::new(found));
    }
    Ok(bound)
}

async fn one(client: &Client, pod: &Pod, volume: &Volume, name: &str) -> Result<PersistentVolume, Error> {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(client.clone(), namespace);
    let claim = claims.get(name).await.map_err(|error| Error::Fetch(Box::new(error)))?;
    check(pod, volume, &claim)?;
    let name = claim.spec.as_ref().and_then(|spec| spec.volume_name.clone()).unwrap_or_default();
    let volumes: Api<PersistentVolume> = Api::all(client.clone());
    let fetched = volumes.get(&name).await;
    let found = fetched.map_err(|source| Error::FetchVolume { name: name.clone(), source: Box::new(source) })?;
    let claimed = found.spec.as_ref().and_then(|spec| spec.claim_ref.as_ref()).and_then(|claim| claim.uid.as_ref());
    if claimed.is_none() || claimed != claim.metadata.uid.as_ref() {
        return Err(Error::NotOf(name));
    }
    Ok(found)
}

fn check(pod: &Pod, volume: &Volume, claim: &PersistentVolumeClaim) -> Result<(), Error> {
    let meta = &claim.metadata;
    let uid = pod.metadata.uid.as_deref().unwrap_or_default();
    if volume.ephemeral.is_some() && !owners::is_controlled_by(meta, uid) {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let full = |name: &Option<String>| format!("{}/{}", text(&meta.namespace), text(name));
        return Err(Error::NotOurs { claim: full(&meta.name), pod: full(&pod.metadata.name) });
    }
    // A pod that had it before, and comes back with the server, goes on with it.
    let fresh = pod.status.as_ref().is_none_or(|status| status.start_time.is_none());
    if meta.deletion_timestamp.is_some() && fresh {
        return Err(Error::Deleted);
    }
    let phase = claim.status.as_ref().and_then(|status| status.phase.as_deref());
    let named = claim.spec.as_ref().and_then(|spec| spec.volume_name.as_deref()).is_some_and(|name| !name.is_empty());
    if phase == Some("Bound") && named { Ok(()) } else { Err(Error::NotBound) }
}

/// Opens the directory (or file) of a persistent volume.
pub fn open(volume: &PersistentVolume, places: &Places) -> Result<Held, Error> {
    let name = volume.metadata.name.as_deref().unwrap_or_default();
    let Some(spec) = &volume.spec else { return Err(Error::NotBound) };
    if spec.volume_mode.as_deref() == Some("Block") {
        return Err(Error::Block(name.to_owned()));
    }
    if let Some(directory) = provisioner::directory(volume) {
        let path = places.claim(&directory);
        return match path.is_dir() {
            true => Ok(beneath::open(&path, Path::new(""))?),
            false => Err(Error::Gone(path.display().to_string())),
        };
    }
    if let Some(local) = &spec.local {
        let source = HostPathVolumeSource { path: local.path.clone(), type_: None };
        // Unlike a path of the host it is there, or something is wrong: an empty directory would look like lost data.
        let found = host_path::open_existing(&source, places)?;
        return found.ok_or_else(|| Error::Gone(local.path.clone()));
    }
    match &spec.host_path {
        Some(source) => Ok(host_path::open(source, places)?),
        None => Err(Error::Source { name: name.to_owned(), kind: kind(spec) }),
    }
}

fn kind(spec: &PersistentVolumeSpec) -> &'static str {
    let sources = [
        ("csi", spec.csi.is_some()),
        ("nfs", spec.nfs.is_some()),
        ("iscsi", spec.iscsi.is_some()),
        ("fc", spec.fc.is_some()),
        ("rbd", spec.rbd.is_some()),
        ("cephfs", spec.cephfs.is_some()),
        ("awsElasticBlockStore", spec.aws_elastic_block_store.is_some()),
        ("gcePersistentDisk", spec.gce_persistent_disk.is_some()),
        ("azureDisk", spec.azure_disk.is_some()),
        ("azureFile", spec.azure_file.is_some()),
    ];
    sources.into_iter().find(|(_, is_it)| *is_it).map_or("not one that a node knows", |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    #[test]
    fn a_claim_is_used_when_it_is_bound() {
        let pod = |spec: Value| -> Pod {
            from_value(json!({"metadata": {"name": "web", "namespace": "dev", "uid": "p"}, "spec": spec})).expect("pod")
        };
        let named =
            pod(json!({"containers": [], "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]}));
        let made = pod(json!({"containers": [], "volumes": [{"name": "d", "ephemeral": {}}]}));
        let volume = |pod: &Pod| pod.spec.as_ref().and_then(|s| s.volumes.clone()).expect("volumes").remove(0);
        assert_eq!(name(&named, &volume(&named)).as_deref(), Some("data"));
        assert_eq!(name(&made, &volume(&made)).as_deref(), Some("web-d"));
        let said = |pod: &Pod, meta: Value, phase: &str| {
            let claim = json!({"metadata": meta, "spec": {"volumeName": "v"}, "status": {"phase": phase}});
            let claim: PersistentVolumeClaim = from_value(claim).expect("claim");
            check(pod, &volume(pod), &claim).map_err(|error| error.to_string())
        };
        let plain = json!({"name": "web-d", "namespace": "dev"});
        assert_eq!(said(&named, plain.clone(), "Bound"), Ok(()));
        assert_eq!(said(&named, plain.clone(), "Pending"), Err("PVC is not bound".into()));
        let going = json!({"name": "data", "deletionTimestamp": "2026-01-01T00:00:00Z"});
        assert_eq!(said(&named, going, "Bound"), Err("PVC is being deleted".into()));
        let stranger = "PVC dev/web-d was not created for pod dev/web (pod is not owner)";
        assert_eq!(said(&made, plain, "Bound"), Err(stranger.into()));
        let owner = json!({"apiVersion": "v1", "kind": "Pod", "name": "web", "uid": "p", "controller": true});
        assert_eq!(said(&made, json!({"name": "web-d", "ownerReferences": [owner]}), "Bound"), Ok(()));
    }

    #[test]
    fn a_volume_that_the_node_does_not_have_is_named() {
        let data = tempfile::tempdir().expect("directory");
        let places = Places::new(data.path(), &[]).expect("places");
        let said = |spec: Value| {
            let volume: PersistentVolume =
                from_value(json!({"metadata": {"name": "v"}, "spec": spec})).expect("volume");
            open(&volume, &places).map(drop).map_err(|error| error.to_string())
        };
        let csi = said(json!({"csi": {"driver": "d", "volumeHandle": "h"}}));
        assert_eq!(csi, Err("PV v has a source that is not supported: csi".into()));
        let block = said(json!({"volumeMode": "Block", "local": {"path": "/dev/sda"}})).expect_err("refused");
        assert!(block.starts_with("volume v has volumeMode Block"), "{block}");
        let local = said(json!({"local": {"path": "/etc"}})).expect_err("refused");
        assert!(local.contains("is not allowed: this node allows no paths"), "{local}");
    }
}
