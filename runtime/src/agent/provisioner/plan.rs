//! What the provisioner of a node has to do, from all claims, volumes and classes.

use std::collections::HashSet;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimSpec};
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::volume::{self, NAME};

/// On a claim: who is to make its volume, in the old and the new writing.
const PROVISIONERS: [&str; 2] =
    ["volume.kubernetes.io/storage-provisioner", "volume.beta.kubernetes.io/storage-provisioner"];
/// On a claim: the node that its first pod goes to.
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
const OLD_CLASS: &str = "volume.beta.kubernetes.io/storage-class";

/// Everything there is.
pub struct Seen {
    /// All claims.
    pub claims: Vec<Arc<PersistentVolumeClaim>>,
    /// All volumes.
    pub volumes: Vec<Arc<PersistentVolume>>,
    /// All classes.
    pub classes: Vec<Arc<StorageClass>>,
}

/// A thing to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Make the volume of a claim.
    Provision(Arc<PersistentVolumeClaim>, Arc<StorageClass>),
    /// Say why there will be none.
    Refuse(Arc<PersistentVolumeClaim>, String),
    /// Remove a volume and what is in it.
    Delete(Arc<PersistentVolume>),
    /// Let an object go, and keep what is in it.
    LetGo(Arc<PersistentVolume>),
}

impl Step {
    /// What the step is about.
    pub fn key(&self) -> String {
        match self {
            Self::Provision(claim, _) | Self::Refuse(claim, _) => volume::name(claim),
            Self::Delete(volume) | Self::LetGo(volume) => volume.metadata.name.clone().unwrap_or_default(),
        }
    }
}

/// All there is to do on a node.
pub fn plan(seen: &Seen, node: &str) -> Vec<Step> {
    let names: HashSet<_> = seen.volumes.iter().filter_map(|volume| volume.metadata.name.as_deref()).collect();
    let wanted = seen.claims.iter().filter(|claim| !names.contains(volume::name(claim).as_str()));
    let made = wanted.filter_map(|claim| provision(claim, &seen.classes, node));
    made.chain(seen.volumes.iter().filter_map(|volume| remove(volume, node))).collect()
}

fn provision(claim: &Arc<PersistentVolumeClaim>, classes: &[Arc<StorageClass>], node: &str) -> Option<Step> {
    let spec = claim.spec.as_ref()?;
    let meta = &claim.metadata;
    let bound = spec.volume_name.as_deref().is_some_and(|name| !name.is_empty());
    if bound || meta.deletion_timestamp.is_some() || !PROVISIONERS.iter().any(|key| annotation(meta, key) == Some(NAME))
    {
        return None;
    }
    let name = annotation(meta, OLD_CLASS).or(spec.storage_class_name.as_deref())?;
    let class =
        classes.iter().find(|class| class.metadata.name.as_deref() == Some(name) && class.provisioner == NAME)?;
    let waits = class.volume_binding_mode.as_deref() == Some("WaitForFirstConsumer");
    match annotation(meta, SELECTED_NODE) {
        Some(selected) if selected != node => return None,
        None if waits => return None,
        _ => {}
    }
    Some(match objection(spec) {
        None => Step::Provision(claim.clone(), class.clone()),
        Some(why) => Step::Refuse(claim.clone(), why),
    })
}

/// What a directory cannot be.
fn objection(spec: &PersistentVolumeClaimSpec) -> Option<String> {
    if spec.volume_mode.as_deref() == Some("Block") {
        return Some(format!("{NAME} does not support block volume provisioning"));
    }
    if spec.selector.is_some() {
        return Some("claim.Spec.Selector is not supported".to_owned());
    }
    let source = spec.data_source.is_some() || spec.data_source_ref.is_some();
    source.then(|| format!("{NAME} does not make volumes from a dataSource"))
}

fn remove(volume: &Arc<PersistentVolume>, node: &str) -> Option<Step> {
    volume::directory(volume)?;
    let phase = volume.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default();
    let going = volume.metadata.deletion_timestamp.is_some();
    let over = phase == "Released" || phase == "Failed" || (going && phase != "Bound");
    if !volume::is_on(volume, node) || !over {
        return None;
    }
    let policy = volume.spec.as_ref()?.persistent_volume_reclaim_policy.as_deref();
    match policy {
        Some("Delete") => {
            let finished = going && volume::without_finalizer(volume).is_none();
            (!finished).then(|| Step::Delete(volume.clone()))
        }
        _ if going && volume::without_finalizer(volume).is_some() => Some(Step::LetGo(volume.clone())),
        _ => None,
    }
}

fn annotation<'a>(meta: &'a ObjectMeta, key: &str) -> Option<&'a str> {
    meta.annotations.as_ref()?.get(key).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;
    use serde_json::{Value, from_value, json};

    use super::*;

    fn object<K: DeserializeOwned>(value: Value) -> Arc<K> {
        Arc::new(from_value(value).expect("an object"))
    }

    fn planned(claims: &[Value], volumes: &[Value]) -> Vec<&'static str> {
        let class = json!({"metadata": {"name": "local-path"}, "provisioner": NAME,
            "volumeBindingMode": "WaitForFirstConsumer"});
        let seen = Seen {
            claims: claims.iter().cloned().map(object).collect(),
            volumes: volumes.iter().cloned().map(object).collect(),
            classes: vec![object(class)],
        };
        let steps = plan(&seen, "a");
        let name = |step: Step| match step {
            Step::Provision(..) => "provision",
            Step::Refuse(..) => "refuse",
            Step::Delete(_) => "delete",
            Step::LetGo(_) => "let go",
        };
        steps.into_iter().map(name).collect()
    }

    #[test]
    fn a_claim_is_served_where_its_pod_goes() {
        let claim = |annotations: Value, spec: Value| {
            let mut claim = json!({"metadata": {"name": "d", "namespace": "n", "uid": "u", "annotations": annotations},
                "spec": {"storageClassName": "local-path"}});
            claim["spec"].as_object_mut().expect("spec").extend(spec.as_object().cloned().expect("fields"));
            claim
        };
        let here = json!({PROVISIONERS[0]: NAME, SELECTED_NODE: "a"});
        assert_eq!(planned(&[claim(here.clone(), json!({}))], &[]), ["provision"]);
        assert!(planned(&[claim(here.clone(), json!({}))], &[json!({"metadata": {"name": "pvc-u"}})]).is_empty());
        assert!(planned(&[claim(json!({PROVISIONERS[1]: NAME}), json!({}))], &[]).is_empty(), "no pod yet");
        let there = json!({PROVISIONERS[0]: NAME, SELECTED_NODE: "b"});
        assert!(planned(&[claim(there, json!({}))], &[]).is_empty());
        let others = json!({PROVISIONERS[0]: "x.io/y", SELECTED_NODE: "a"});
        assert!(planned(&[claim(others, json!({}))], &[]).is_empty());
        assert!(planned(&[claim(here.clone(), json!({"storageClassName": "gone"}))], &[]).is_empty());
        assert!(planned(&[claim(here.clone(), json!({"volumeName": "v"}))], &[]).is_empty());
        assert_eq!(planned(&[claim(here, json!({"volumeMode": "Block"}))], &[]), ["refuse"]);
    }

    #[test]
    fn a_volume_goes_when_it_is_released_and_may() {
        let volume = |policy: &str, phase: &str, meta: Value| {
            let mut volume = json!({
                "metadata": {"name": "pvc-u", "annotations": {"pv.kubernetes.io/provisioned-by": NAME},
                    "finalizers": ["external-provisioner.volume.kubernetes.io/finalizer"]},
                "spec": {"persistentVolumeReclaimPolicy": policy, "local": {"path": "/v/pvc-u_n_d"},
                    "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [
                        {"key": "kubernetes.io/hostname", "operator": "In", "values": ["a"]}]}]}}},
                "status": {"phase": phase}});
            volume["metadata"].as_object_mut().expect("meta").extend(meta.as_object().cloned().expect("fields"));
            planned(&[], &[volume])
        };
        let going = || json!({"deletionTimestamp": "2026-01-01T00:00:00Z"});
        assert_eq!(volume("Delete", "Released", json!({})), ["delete"]);
        assert!(volume("Delete", "Bound", json!({})).is_empty());
        assert!(volume("Delete", "Bound", going()).is_empty(), "in use");
        assert!(volume("Retain", "Released", json!({})).is_empty());
        assert_eq!(volume("Retain", "Released", going()), ["let go"]);
        assert_eq!(volume("Delete", "Available", going()), ["delete"]);
        let done = json!({"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["kubernetes.io/pv-protection"]});
        assert!(volume("Delete", "Released", done).is_empty(), "others still hold it");
        assert!(volume("Delete", "Released", json!({"annotations": {}})).is_empty(), "not ours");
    }
}
