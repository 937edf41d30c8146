//! PersistentVolumeClaims.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::access::{Change, Look};
use super::columns::{AGE, Column, NAME};
use super::difference::difference;
use super::generic::keep_status;
use super::numbers::{positive_amount, quantity};
use super::{Behavior, cells, metadata, persistentvolumes, selectors};
use crate::field::{Errors, Path};

/// What claims do.
pub const BEHAVIOR: Behavior = Behavior {
    default: |claim| claim.set_default("spec", "volumeMode", "Filesystem"),
    prepare_create,
    prepare_update: keep_status,
    validate,
    validate_update,
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

fn prepare_create(claim: &mut Value) {
    claim.set("", "status", json!({"phase": "Pending"}));
}

fn validate(claim: &Value, errors: &mut Errors) {
    spec(claim.at("spec"), &Path::new("spec"), errors);
}

/// The rules for what a claim asks for, also where a pod carries its claim with it.
pub fn spec(spec: &Value, at: &Path, errors: &mut Errors) {
    let modes = spec.items("accessModes");
    if modes.is_empty() {
        errors.required(&at.child("accessModes"), "at least 1 access mode is required");
    }
    selectors::validate(spec.at("selector"), &at.child("selector"), errors);
    persistentvolumes::access_modes(modes, &at.child("accessModes"), errors);
    let storage_at = at.child("resources").key("storage");
    match spec.at("resources.requests.storage") {
        Value::Null => errors.required(&storage_at, ""),
        amount => positive_amount(amount, &storage_at, errors),
    }
    persistentvolumes::class_and_mode(spec, at, errors);
    for field in ["dataSource", "dataSourceRef"] {
        let (source, at) = (spec.at(field), at.child(field));
        for part in ["name", "kind"].into_iter().filter(|p| source.is_object() && source.text(p).is_empty()) {
            errors.required(&at.child(part), "");
        }
        let core = source.text("apiGroup").is_empty() && source.text("kind") != "PersistentVolumeClaim";
        if field == "dataSource" && source.is_object() && core {
            let why = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
            errors.invalid(&at.child("kind"), source.text("kind"), why);
        }
    }
}

/// What a claim asks for stays, but for its size, which may grow once it is bound.
fn validate_update(new: &Value, old: &Value, errors: &mut Errors) {
    let at = Path::new("spec");
    let mut allowed = new.clone();
    // A binding, by the controller or by hand.
    if old.text("spec.volumeName").is_empty() {
        allowed.restore("spec", "volumeName", old);
    }
    // A class, once there is a default one.
    if !old.has("spec.storageClassName") && class_of(old).is_empty() {
        allowed.restore("spec", "storageClassName", old);
    }
    let bound = old.text("status.phase") == "Bound";
    if bound {
        allowed.restore("spec.resources", "requests", old);
        allowed.restore("spec", "volumeAttributesClassName", old);
    }
    if allowed.at("spec") != old.at("spec") {
        errors.forbidden(
            &at,
            &format!(
                "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n{}",
                difference(allowed.at("spec"), old.at("spec"))
            ),
        );
    }
    let (now, before) = (new.at("spec.resources.requests.storage"), old.at("spec.resources.requests.storage"));
    if bound && quantity(now) < quantity(before) {
        let at = at.child("resources").child("requests").child("storage");
        let reached = quantity(old.at("status.capacity.storage"));
        if quantity(now) <= reached {
            errors.forbidden(&at, "field can not be less than status.capacity");
        }
    }
    if new.at("spec.volumeMode") != old.at("spec.volumeMode") {
        errors.invalid(&Path::new("volumeMode"), new.at("spec.volumeMode").clone(), metadata::IMMUTABLE);
    }
}

/// The class, by field or by the annotation that there was before.
fn class_of(claim: &Value) -> &str {
    let annotation = claim.at("metadata.annotations").get("volume.beta.kubernetes.io/storage-class");
    annotation.unwrap_or(claim.at("spec.storageClassName")).as_str().unwrap_or_default()
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
    vec![
        cells::name(claim),
        phase.into(),
        claim.text("spec.volumeName").into(),
        capacity.into(),
        modes.into(),
        class_of(claim).into(),
        cells::or(claim.text("spec.volumeAttributesClassName"), "<unset>"),
        cells::age(claim, now),
        cells::or(claim.text("spec.volumeMode"), "<unset>"),
    ]
}
