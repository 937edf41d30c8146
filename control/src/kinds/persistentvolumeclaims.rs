//! PersistentVolumeClaims: stored and shown; nothing binds them yet.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::access::{Change, Look};
use super::columns::{AGE, Column, NAME};
use super::generic::keep_status;
use super::{Behavior, cells, persistentvolumes};
use crate::field::{Errors, Path};

const PROTECTION: &str = "kubernetes.io/pvc-protection";

/// What claims do.
pub const BEHAVIOR: Behavior = Behavior {
    default: |claim| claim.set_default("spec", "volumeMode", "Filesystem"),
    prepare_create,
    prepare_update: keep_status,
    validate,
    columns: &[
        NAME,
        Column::text("Status", "phase represents the current phase of PersistentVolumeClaim."),
        Column::text("Volume", "volumeName is the binding reference to the PersistentVolume backing this claim."),
        Column::text("Capacity", "capacity represents the actual resources of the underlying volume."),
        Column::text(
            "Access Modes",
            "accessModes contains the actual access modes the volume backing the PVC has. More info: \
             https://kubernetes.io/docs/concepts/storage/persistent-volumes#access-modes-1",
        ),
        Column::text("StorageClass", "StorageClass of the pvc"),
        Column::text("VolumeAttributesClass", "VolumeAttributesClass of the pvc"),
        AGE,
        Column::text(
            "VolumeMode",
            "volumeMode defines what type of volume is required by the claim. Value of Filesystem is implied when not \
             included in claim spec.",
        )
        .wide(),
    ],
    row,
    ..Behavior::GENERIC
};

/// Kubernetes holds a claim while a pod uses it; here nothing does, so the finalizer that only its controller would
/// take away again is left out.
fn prepare_create(claim: &mut Value) {
    claim.set("", "status", json!({"phase": "Pending"}));
    let kept: Vec<Value> = claim.items("metadata.finalizers").iter().filter(|f| *f != PROTECTION).cloned().collect();
    if claim.has("metadata.finalizers") {
        claim.set("metadata", "finalizers", kept);
    }
}

fn validate(claim: &Value, errors: &mut Errors) {
    let at = Path::new("spec");
    let modes = claim.items("spec.accessModes");
    if modes.is_empty() {
        errors.required(&at.child("accessModes"), "at least 1 access mode is required");
    }
    persistentvolumes::access_modes(modes, &at.child("accessModes"), errors);
    if !claim.has("spec.resources.requests.storage") {
        errors.required(&at.child("resources").key("storage"), "");
    }
}

fn row(claim: &Value, now: Timestamp) -> Vec<Value> {
    let bound = !claim.text("spec.volumeName").is_empty();
    let phase = if claim.has("metadata.deletionTimestamp") { "Terminating" } else { claim.text("status.phase") };
    let (capacity, modes) = match bound {
        true => {
            (claim.text("status.capacity.storage"), persistentvolumes::short_modes(claim.items("status.accessModes")))
        }
        false => ("", String::new()),
    };
    let class = claim
        .at("metadata.annotations")
        .get("volume.beta.kubernetes.io/storage-class")
        .unwrap_or(claim.at("spec.storageClassName"))
        .as_str()
        .unwrap_or_default();
    vec![
        cells::name(claim),
        phase.into(),
        claim.text("spec.volumeName").into(),
        capacity.into(),
        modes.into(),
        class.into(),
        cells::or(claim.text("spec.volumeAttributesClassName"), "<unset>"),
        cells::age(claim, now),
        cells::or(claim.text("spec.volumeMode"), "<unset>"),
    ]
}
