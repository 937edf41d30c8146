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
        Column::boolean(
            "AttachRequired",
            "attachRequired indicates this CSI volume driver requires an attach operation (because it implements the \
             CSI ControllerPublishVolume() method), and that the Kubernetes attach detach controller should call the \
             attach volume interface which checks the volumeattachment status and waits until the volume is attached \
             before proceeding to mounting. The CSI external-attacher coordinates with CSI volume driver and updates \
             the volumeattachment status when the attach operation is complete. If the CSIDriverRegistry feature gate \
             is enabled and the value is specified to false, the attach operation will be skipped. Otherwise the \
             attach operation will be called.\n\nThis field is immutable.",
        ),
        Column::boolean(
            "PodInfoOnMount",
            "podInfoOnMount indicates this CSI volume driver requires additional pod information (like podName, \
             podUID, etc.) during mount operations, if set to true. If set to false, pod information will not be \
             passed on mount. Default is false.\n\nThe CSI driver specifies podInfoOnMount as part of driver \
             deployment. If true, Kubelet will pass pod information as VolumeContext in the CSI NodePublishVolume() \
             calls. The CSI driver is responsible for parsing and validating the information passed in as \
             VolumeContext.\n\nThe following VolumeContext will be passed if podInfoOnMount is set to true. This list \
             might grow, but the prefix will be used. \"csi.storage.k8s.io/pod.name\": pod.Name \
             \"csi.storage.k8s.io/pod.namespace\": pod.Namespace \"csi.storage.k8s.io/pod.uid\": string(pod.UID) \
             \"csi.storage.k8s.io/ephemeral\": \"true\" if the volume is an ephemeral inline volume\n                                \
             defined by a CSIVolumeSource, otherwise \"false\"\n\n\"csi.storage.k8s.io/ephemeral\" is a new feature \
             in Kubernetes 1.16. It is only required for drivers which support both the \"Persistent\" and \
             \"Ephemeral\" VolumeLifecycleMode. Other drivers can leave pod info disabled and/or ignore this field. \
             As Kubernetes 1.15 doesn't support this field, drivers can only support one mode when deployed on such a \
             cluster and the deployment determines which mode that is, for example via a command line parameter of \
             the driver.\n\nThis field was immutable in Kubernetes < 1.29 and now is mutable.",
        ),
        Column::boolean(
            "StorageCapacity",
            "storageCapacity indicates that the CSI volume driver wants pod scheduling to consider the storage \
             capacity that the driver deployment will report by creating CSIStorageCapacity objects with capacity \
             information, if set to true.\n\nThe check can be enabled immediately when deploying a driver. In that \
             case, provisioning new volumes with late binding will pause until the driver deployment has published \
             some suitable CSIStorageCapacity object.\n\nAlternatively, the driver can be deployed with the field \
             unset or false and it can be flipped later when storage capacity information has been published.\n\nThis \
             field was immutable in Kubernetes <= 1.22 and now is mutable.",
        ),
        Column::text(
            "TokenRequests",
            "tokenRequests indicates the CSI driver needs pods' service account tokens it is mounting volume for to \
             do necessary authentication. Kubelet will pass the tokens in VolumeContext in the CSI NodePublishVolume \
             calls. The CSI driver should parse and validate the following VolumeContext: \
             \"csi.storage.k8s.io/serviceAccount.tokens\": {\n  \"<audience>\": {\n    \"token\": <token>,\n    \
             \"expirationTimestamp\": <expiration timestamp in RFC3339>,\n  },\n  ...\n}\n\nNote: Audience in each \
             TokenRequest should be different and at most one token is empty string. To receive a new token after \
             expiry, RequiresRepublish can be used to trigger NodePublishVolume periodically.",
        ),
        Column::boolean(
            "RequiresRepublish",
            "requiresRepublish indicates the CSI driver wants `NodePublishVolume` being periodically called to \
             reflect any possible change in the mounted volume. This field defaults to false.\n\nNote: After a \
             successful initial NodePublishVolume call, subsequent calls to NodePublishVolume should only update the \
             contents of the volume. New mount points will not be seen by a running container.",
        ),
        Column::text(
            "Modes",
            "volumeLifecycleModes defines what kind of volumes this CSI volume driver supports. The default if the \
             list is empty is \"Persistent\", which is the usage defined by the CSI specification and implemented in \
             Kubernetes via the usual PV/PVC mechanism.\n\nThe other mode is \"Ephemeral\". In this mode, volumes are \
             defined inline inside the pod spec with CSIVolumeSource and their lifecycle is tied to the lifecycle of \
             that pod. A driver has to be aware of this because it is only going to get a NodePublishVolume call for \
             such a volume.\n\nFor more information about implementing this mode, see \
             https://kubernetes-csi.github.io/docs/ephemeral-local-volumes.html A driver can support one or more of \
             these modes and more modes may be added in the future.\n\nThis field is beta. This field is immutable.",
        ),
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
            "storageClassName represents the name of the StorageClass that the reported capacity applies to. It must \
             meet the same requirements as the name of a StorageClass object (non-empty, DNS subdomain). If that \
             object no longer exists, the CSIStorageCapacity object is obsolete and should be removed by its creator. \
             This field is immutable.",
        ),
        Column::text(
            "Capacity",
            "capacity is the value reported by the CSI driver in its GetCapacityResponse for a GetCapacityRequest \
             with topology and parameters that match the previous fields.\n\nThe semantic is currently (CSI spec 1.2) \
             defined as: The available capacity, in bytes, of the storage that can be used to provision volumes. If \
             not set, that information is currently unavailable.",
        ),
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
        Column {
            format: "name",
            ..Column::text(
                "Attacher",
                "attacher indicates the name of the volume driver that MUST handle this request. This is the name \
             returned by GetPluginName().",
            )
        },
        Column::text("PV", "persistentVolumeName represents the name of the persistent volume to attach."),
        Column::text("Node", "nodeName represents the node that the volume should be attached to."),
        Column::boolean(
            "Attached",
            "attached indicates the volume is successfully attached. This field must only be set by the entity \
             completing the attach operation, i.e. the external-attacher.",
        ),
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
