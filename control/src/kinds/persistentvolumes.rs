//! PersistentVolumes.

use jiff::Timestamp;
use objects::names;
use serde_json::{Value, json};

use super::access::{Change, Look};
use super::columns::{AGE, Column, NAME};
use super::difference::difference;
use super::generic::keep_status;
use super::numbers::positive_amount;
use super::{Behavior, cells, metadata, pod_spec, volume_sources};
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
    validate_update,
    columns: &[
        NAME,
        Column::text(
            "Capacity",
            "capacity is the description of the persistent volume's resources and capacity. More info: \
             https://kubernetes.io/docs/concepts/storage/persistent-volumes#capacity",
        ),
        Column::text(
            "Access Modes",
            "accessModes contains all ways the volume can be mounted. More info: \
             https://kubernetes.io/docs/concepts/storage/persistent-volumes#access-modes",
        ),
        Column::text(
            "Reclaim Policy",
            "persistentVolumeReclaimPolicy defines what happens to a persistent volume when released from its claim. \
             Valid options are Retain (default for manually created PersistentVolumes), Delete (default for \
             dynamically provisioned PersistentVolumes), and Recycle (deprecated). Recycle must be supported by the \
             volume plugin underlying this PersistentVolume. More info: \
             https://kubernetes.io/docs/concepts/storage/persistent-volumes#reclaiming",
        ),
        Column::text(
            "Status",
            "phase indicates if a volume is available, bound to a claim, or released by a claim. More info: \
             https://kubernetes.io/docs/concepts/storage/persistent-volumes#phase",
        ),
        Column::text(
            "Claim",
            "claimRef is part of a bi-directional binding between PersistentVolume and PersistentVolumeClaim. \
             Expected to be non-nil when bound. claim.VolumeName is the authoritative bind between PV and PVC. More \
             info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#binding",
        ),
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
            "volumeMode defines if a volume is intended to be used with a formatted filesystem or to remain in raw \
             block state. Value of Filesystem is implied when not included in spec.",
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
    let (spec, at) = (volume.at("spec"), Path::new("spec"));
    let modes = spec.items("accessModes");
    if modes.is_empty() {
        errors.required(&at.child("accessModes"), "");
    }
    access_modes(modes, &at.child("accessModes"), errors);
    capacity(spec.at("capacity"), &at.child("capacity"), errors);
    let policy = spec.text("persistentVolumeReclaimPolicy");
    let policies = ["Delete", "Recycle", "Retain"];
    if !policy.is_empty() && !policies.contains(&policy) {
        errors.not_supported(&at.child("persistentVolumeReclaimPolicy"), policy, &policies);
    }
    if spec.has("nodeAffinity") {
        let at = at.child("nodeAffinity").child("required");
        match spec.at("nodeAffinity.required") {
            Value::Null => errors.required(&at, "must specify required node constraints"),
            selector => pod_spec::node_selector(selector, &at, errors),
        }
    }
    source(spec, &at, errors);
    if policy == "Recycle" && spec.text("hostPath.path") == "/" {
        let why = "may not be 'recycle' for a hostPath mount of '/'";
        errors.forbidden(&at.child("persistentVolumeReclaimPolicy"), why);
    }
    class_and_mode(spec, &at, errors);
}

fn capacity(capacity: &Value, at: &Path, errors: &mut Errors) {
    let count = cells::len(capacity);
    if count == 0 {
        errors.required(at, "");
    }
    if count == 0 {
        errors.not_supported_text(at, "core.ResourceList(nil)", &["storage"]);
    } else if count > 1 || !capacity.has("storage") {
        errors.not_supported(at, capacity.clone(), &["storage"]);
    }
    for (name, amount) in capacity.entries("") {
        positive_amount(amount, &at.key(name), errors);
    }
}

/// The fields of the spec that name no source.
const NO_SOURCES: [&str; 8] = [
    "capacity",
    "accessModes",
    "claimRef",
    "persistentVolumeReclaimPolicy",
    "storageClassName",
    "mountOptions",
    "volumeMode",
    "nodeAffinity",
];

fn is_source(field: &str) -> bool {
    !NO_SOURCES.contains(&field) && field != "volumeAttributesClassName"
}

/// Exactly one source, and the rules for it.
fn source(spec: &Value, at: &Path, errors: &mut Errors) {
    let sources: Vec<(&str, &Value)> = spec.entries("").filter(|(f, v)| is_source(f) && !v.is_null()).collect();
    let Some(((kind, source), others)) = sources.split_first() else {
        return errors.required(at, "must specify a volume type");
    };
    volume_sources::validate(kind, source, &at.child(kind), errors);
    if *kind == "csi" && source.text("volumeHandle").is_empty() {
        errors.required(&at.child("csi").child("volumeHandle"), "");
    }
    if *kind == "local" && !spec.has("nodeAffinity") {
        errors.required(&at.child("nodeAffinity"), "Local volume requires node affinity");
    }
    for (other, _) in others {
        errors.forbidden(&at.child(other), "may not specify more than 1 volume type");
    }
}

/// Where a volume is does not change.
fn validate_update(new: &Value, old: &Value, errors: &mut Errors) {
    let source = |volume: &Value| -> Value {
        let fields = volume.entries("spec").filter(|(f, _)| is_source(f)).map(|(f, v)| (f.to_owned(), v.clone()));
        Value::Object(fields.collect())
    };
    let (now, before) = (source(new), source(old));
    if now != before {
        errors.forbidden(
            &Path::new("spec").child("persistentvolumesource"),
            &format!("spec.persistentvolumesource is immutable after creation\n{}", difference(&now, &before)),
        );
    }
    if new.at("spec.volumeMode") != old.at("spec.volumeMode") {
        let at = Path::new("spec").child("volumeMode");
        errors.invalid(&at, new.at("spec.volumeMode").clone(), metadata::IMMUTABLE);
    }
    if old.has("spec.nodeAffinity") && new.at("spec.nodeAffinity") != old.at("spec.nodeAffinity") {
        let at = Path::new("spec").child("nodeAffinity");
        errors.invalid(&at, new.at("spec.nodeAffinity").clone(), metadata::IMMUTABLE);
    }
}

/// Access modes are of a closed list, and one of them stands alone.
pub fn access_modes(modes: &[Value], at: &Path, errors: &mut Errors) {
    const ALONE: &str = "ReadWriteOncePod";
    let known = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", ALONE];
    for mode in modes.iter().filter_map(Value::as_str).filter(|m| !known.contains(m)) {
        errors.not_supported(at, mode, &known);
    }
    if modes.iter().any(|m| m == ALONE) && modes.iter().any(|m| m != ALONE) {
        errors.forbidden(at, "may not use ReadWriteOncePod with other access modes");
    }
}

/// What volumes and claims have in common: the class and the mode.
pub fn class_and_mode(spec: &Value, at: &Path, errors: &mut Errors) {
    let class = spec.text("storageClassName");
    if !class.is_empty() {
        errors.all_invalid(&at.child("storageClassName"), class, names::dns1123_subdomain(class));
    }
    let (mode, modes) = (spec.text("volumeMode"), ["Block", "Filesystem"]);
    if !mode.is_empty() && !modes.contains(&mode) {
        errors.not_supported(&at.child("volumeMode"), mode, &modes);
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
