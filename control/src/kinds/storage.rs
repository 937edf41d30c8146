//! What storage drivers keep: stored and shown; Sampan has no such drivers yet.

mod rules;

use jiff::Timestamp;
use serde_json::Value;

use super::access::{Change, Look};
use super::columns::{AGE, Column, NAME};
use super::generic::keep_status;
use super::{Behavior, Generation, cells};

/// CSINodes.
pub const NODES: Behavior = Behavior {
    validate: rules::node,
    validate_update: rules::node_update,
    columns: &[
        NAME,
        Column::integer("Drivers", "Drivers indicates the number of CSI drivers registered on the node"),
        AGE,
    ],
    row: |node: &Value, now: Timestamp| {
        vec![cells::name(node), node.items("spec.drivers").len().into(), cells::age(node, now)]
    },
    ..Behavior::GENERIC
};

/// CSIDrivers.
pub const DRIVERS: Behavior = Behavior {
    default: |driver| {
        driver.set_default("spec", "attachRequired", true);
        driver.set_default("spec", "podInfoOnMount", false);
        driver.set_default("spec", "storageCapacity", false);
        driver.set_default("spec", "fsGroupPolicy", "ReadWriteOnceWithFSType");
        driver.set_default("spec", "requiresRepublish", false);
        driver.set_default("spec", "seLinuxMount", false);
        if driver.items("spec.volumeLifecycleModes").is_empty() {
            driver.set("spec", "volumeLifecycleModes", serde_json::json!(["Persistent"]));
        }
    },
    validate: rules::driver,
    validate_update: rules::driver_update,
    columns: &[
        NAME,
        Column::text("AttachRequired", "attachRequired indicates this CSI volume driver requires an attach operation."),
        Column::text(
            "PodInfoOnMount",
            "podInfoOnMount indicates this CSI volume driver requires additional pod information.",
        ),
        Column::text(
            "StorageCapacity",
            "storageCapacity indicates that the CSI volume driver wants pod scheduling to consider the storage capacity.",
        ),
        Column::text("TokenRequests", "tokenRequests indicates the CSI driver needs pods' service account tokens."),
        Column::text(
            "RequiresRepublish",
            "requiresRepublish indicates the CSI driver wants NodePublishVolume being periodically called.",
        ),
        Column::text("Modes", "volumeLifecycleModes defines what kind of volumes this CSI volume driver supports."),
        AGE,
    ],
    row: |driver: &Value, now: Timestamp| {
        let modes: Vec<&str> = driver.items("spec.volumeLifecycleModes").iter().filter_map(Value::as_str).collect();
        let tokens: Vec<&str> = driver.items("spec.tokenRequests").iter().map(|t| t.text("audience")).collect();
        vec![
            cells::name(driver),
            driver.flag("spec.attachRequired").into(),
            driver.flag("spec.podInfoOnMount").into(),
            driver.flag("spec.storageCapacity").into(),
            cells::or(&tokens.join(","), "<unset>"),
            driver.flag("spec.requiresRepublish").into(),
            cells::or(&modes.join(","), "<none>"),
            cells::age(driver, now),
        ]
    },
    generation: Generation::Spec,
    ..Behavior::GENERIC
};

/// CSIStorageCapacities.
pub const CAPACITIES: Behavior = Behavior {
    validate: rules::capacity,
    validate_update: rules::capacity_update,
    columns: &[
        NAME,
        Column::text(
            "StorageClassName",
            "storageClassName represents the name of the StorageClass that the reported capacity applies to.",
        ),
        Column::text("Capacity", "capacity is the value reported by the CSI driver in its GetCapacityResponse."),
    ],
    row: |capacity: &Value, _: Timestamp| {
        vec![
            cells::name(capacity),
            capacity.text("storageClassName").into(),
            cells::or(capacity.text("capacity"), "<unset>"),
        ]
    },
    ..Behavior::GENERIC
};

/// VolumeAttachments.
pub const ATTACHMENTS: Behavior = Behavior {
    prepare_create: |attachment| attachment.set("", "status", serde_json::json!({"attached": false})),
    prepare_update: keep_status,
    validate: rules::attachment,
    validate_update: rules::attachment_update,
    columns: &[
        NAME,
        Column::text("Attacher", "attacher indicates the name of the volume driver that MUST handle this request."),
        Column::text("PV", "persistentVolumeName represents the name of the persistent volume to attach."),
        Column::text("Node", "nodeName represents the node that the volume should be attached to."),
        Column::text("Attached", "attached indicates the volume is successfully attached."),
        AGE,
    ],
    row: |attachment: &Value, now: Timestamp| {
        vec![
            cells::name(attachment),
            attachment.text("spec.attacher").into(),
            attachment.text("spec.source.persistentVolumeName").into(),
            attachment.text("spec.nodeName").into(),
            attachment.flag("status.attached").into(),
            cells::age(attachment, now),
        ]
    },
    ..Behavior::GENERIC
};
