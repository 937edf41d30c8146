//! Questions about persistent volumes, their claims and their classes.

mod matching;

use k8s_openapi::api::core::v1::{Node, PersistentVolume, PersistentVolumeClaim, Pod, Volume};
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::nodes;
use crate::quantity::Quantity;

pub use matching::{Mismatch, best, satisfies};

/// On a claim: its volume is settled.
pub const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
/// On either side: the controller chose the other, not a user.
pub const BOUND_BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";
/// On a volume: who made it.
pub const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";
/// On a claim: the node of the first pod that uses it, by the scheduler.
pub const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
/// On a claim: who is to make its volume.
pub const PROVISIONER: &str = "volume.kubernetes.io/storage-provisioner";
/// The same in its old writing, which provisioners may still look for.
pub const OLD_PROVISIONER: &str = "volume.beta.kubernetes.io/storage-provisioner";
/// How volumes and claims named their class before there was a field for it.
const OLD_CLASS: &str = "volume.beta.kubernetes.io/storage-class";
/// The provisioner of classes whose volumes are made by hand.
pub const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";
const DEFAULT_CLASS: [&str; 2] =
    ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];

/// An annotation.
pub fn annotation<'a>(meta: &'a ObjectMeta, key: &str) -> Option<&'a str> {
    meta.annotations.as_ref()?.get(key).map(String::as_str)
}

/// The claim's phase.
pub fn claim_phase(claim: &PersistentVolumeClaim) -> &str {
    claim.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default()
}

/// The volume's phase.
pub fn phase(volume: &PersistentVolume) -> &str {
    volume.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default()
}

/// The name of the claim's volume, where it has or wants one.
pub fn volume_of(claim: &PersistentVolumeClaim) -> Option<&str> {
    claim.spec.as_ref()?.volume_name.as_deref().filter(|name| !name.is_empty())
}

/// The claim's class; None where it wants none, or has not been given one.
pub fn class_of(claim: &PersistentVolumeClaim) -> Option<&str> {
    let field = claim.spec.as_ref().and_then(|spec| spec.storage_class_name.as_deref());
    annotation(&claim.metadata, OLD_CLASS).or(field).filter(|name| !name.is_empty())
}

/// Whether the claim says nothing of a class, not even that it wants none.
pub fn leaves_class_open(claim: &PersistentVolumeClaim) -> bool {
    let field = claim.spec.as_ref().is_some_and(|spec| spec.storage_class_name.is_some());
    !field && annotation(&claim.metadata, OLD_CLASS).is_none()
}

/// The volume's class.
pub fn class_of_volume(volume: &PersistentVolume) -> Option<&str> {
    let field = volume.spec.as_ref().and_then(|spec| spec.storage_class_name.as_deref());
    annotation(&volume.metadata, OLD_CLASS).or(field).filter(|name| !name.is_empty())
}

/// Whether claims of the class wait for their first pod.
pub fn waits_for_pod(class: &StorageClass) -> bool {
    class.volume_binding_mode.as_deref() == Some("WaitForFirstConsumer")
}

/// Whether claims without a class get this one.
pub fn is_default(class: &StorageClass) -> bool {
    DEFAULT_CLASS.iter().any(|mark| annotation(&class.metadata, mark) == Some("true"))
}

/// How much the claim asks for.
pub fn asked(claim: &PersistentVolumeClaim) -> Quantity {
    let resources = claim.spec.as_ref().and_then(|spec| spec.resources.as_ref());
    let asked = resources.and_then(|resources| resources.requests.as_ref()?.get("storage"));
    asked.map(Quantity::lenient).unwrap_or_default()
}

/// How much is known to be behind the claim.
pub fn given(claim: &PersistentVolumeClaim) -> Quantity {
    let capacity = claim.status.as_ref().and_then(|status| status.capacity.as_ref()?.get("storage"));
    capacity.map(Quantity::lenient).unwrap_or_default()
}

/// How much the volume holds.
pub fn capacity(volume: &PersistentVolume) -> Quantity {
    let capacity = volume.spec.as_ref().and_then(|spec| spec.capacity.as_ref()?.get("storage"));
    capacity.map(Quantity::lenient).unwrap_or_default()
}

/// Whether the volume is the claim's, or is kept for it.
pub fn is_of(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> bool {
    let Some(reference) = volume.spec.as_ref().and_then(|spec| spec.claim_ref.as_ref()) else { return false };
    let meta = &claim.metadata;
    let same_uid = reference.uid.as_deref().is_none_or(str::is_empty) || reference.uid == meta.uid;
    reference.name == meta.name && reference.namespace == meta.namespace && same_uid
}

/// Whether the claim's binding is over and done.
pub fn is_bound(claim: &PersistentVolumeClaim) -> bool {
    annotation(&claim.metadata, BIND_COMPLETED).is_some() && volume_of(claim).is_some()
}

/// Whether pods that use the volume can run on the node.
pub fn is_reached_from(volume: &PersistentVolume, node: &Node) -> bool {
    let affinity = volume.spec.as_ref().and_then(|spec| spec.node_affinity.as_ref());
    let required = affinity.and_then(|affinity| affinity.required.as_ref());
    required.is_none_or(|selector| selector.node_selector_terms.iter().any(|term| nodes::is_selected(term, node)))
}

/// The claim that a volume of a pod shows: one that it names, or one that is made for the pod.
pub fn claim_name(pod: &Pod, volume: &Volume) -> Option<String> {
    let own = || format!("{}-{}", pod.metadata.name.as_deref().unwrap_or_default(), volume.name);
    let named = volume.persistent_volume_claim.as_ref().map(|claim| claim.claim_name.clone());
    named.or_else(|| volume.ephemeral.as_ref().map(|_| own()))
}

/// The claims of a pod, by its volumes.
pub fn claims(pod: &Pod) -> impl Iterator<Item = (&Volume, String)> {
    let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    volumes.filter_map(move |volume| Some((volume, claim_name(pod, volume)?)))
}
