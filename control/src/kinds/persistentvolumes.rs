//! PersistentVolumes: stored and shown; nothing binds them yet.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::access::{Change, Look};
use super::columns::{AGE, Column, NAME};
use super::generic::keep_status;
use super::{Behavior, cells};
use crate::field::{Errors, Path};

/// What volumes do.
pub const BEHAVIOR: Behavior = Behavior {
    default,
    prepare_create: |volume| {
        let now = objects::time::text(&objects::time::now());
        volume.set("", "status", json!({"phase": "Pending", "lastPhaseTransitionTime": now}));
    },
    prepare_update: keep_status,
    validate,
    columns: &[
        NAME,
        Column::text("Capacity", "capacity is the description of the persistent volume's resources and capacity."),
        Column::text("Access Modes", "accessModes contains all ways the volume can be mounted."),
        Column::text(
            "Reclaim Policy",
            "persistentVolumeReclaimPolicy defines what happens to a persistent volume when released from its claim.",
        ),
        Column::text(
            "Status",
            "phase indicates if a volume is available, bound to a claim, or released by a claim.",
        ),
        Column::text("Claim", "claimRef is part of a bi-directional binding between PersistentVolume and PersistentVolumeClaim."),
        Column::text("StorageClass", "StorageClass of the pv"),
        Column::text("VolumeAttributesClass", "VolumeAttributesClass of the pv"),
        Column::text(
            "Reason",
            "reason is a brief CamelCase string that describes any failure and is meant for machine parsing and tidy \
             display in the CLI.",
        ),
        AGE,
        Column::text(
            "VolumeMode",
            "volumeMode defines if a volume is intended to be used with a formatted filesystem or to remain in raw block \
             state.",
        )
        .wide(),
    ],
    row,
    ..Behavior::GENERIC
};

fn default(volume: &mut Value) {
    volume.set_default("spec", "persistentVolumeReclaimPolicy", "Retain");
    volume.set_default("spec", "volumeMode", "Filesystem");
    if volume.has("spec.hostPath") {
        volume.set_default("spec.hostPath", "type", "");
    }
}

fn validate(volume: &Value, errors: &mut Errors) {
    let at = Path::new("spec");
    let modes = volume.items("spec.accessModes");
    if modes.is_empty() {
        errors.required(&at.child("accessModes"), "");
    }
    access_modes(modes, &at.child("accessModes"), errors);
    if cells::len(volume.at("spec.capacity")) == 0 {
        errors.required(&at.child("capacity"), "");
    } else if !volume.has("spec.capacity.storage") {
        errors.not_supported(&at.child("capacity"), volume.at("spec.capacity").clone(), &["storage"]);
    }
}

/// Access modes are of a closed list.
pub fn access_modes(modes: &[Value], at: &Path, errors: &mut Errors) {
    let known = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
    for mode in modes.iter().filter_map(Value::as_str).filter(|m| !known.contains(m)) {
        errors.not_supported(at, mode, &known);
    }
}

/// `RWO,ROX`.
pub fn short_modes(modes: &[Value]) -> String {
    [("ReadWriteOnce", "RWO"), ("ReadOnlyMany", "ROX"), ("ReadWriteMany", "RWX"), ("ReadWriteOncePod", "RWOP")]
        .into_iter()
        .filter(|(mode, _)| modes.iter().any(|m| m == mode))
        .map(|(_, short)| short)
        .collect::<Vec<_>>()
        .join(",")
}

fn row(volume: &Value, now: Timestamp) -> Vec<Value> {
    let phase = if volume.has("metadata.deletionTimestamp") { "Terminating" } else { volume.text("status.phase") };
    let claim = match volume.text("spec.claimRef.name") {
        "" => String::new(),
        name => format!("{}/{name}", volume.text("spec.claimRef.namespace")),
    };
    vec![
        cells::name(volume),
        volume.text("spec.capacity.storage").into(),
        short_modes(volume.items("spec.accessModes")).into(),
        volume.text("spec.persistentVolumeReclaimPolicy").into(),
        phase.into(),
        claim.into(),
        volume.text("spec.storageClassName").into(),
        cells::or(volume.text("spec.volumeAttributesClassName"), "<unset>"),
        volume.text("status.reason").into(),
        cells::age(volume, now),
        cells::or(volume.text("spec.volumeMode"), "<unset>"),
    ]
}
