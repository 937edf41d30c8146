//! StatefulSets: stored and shown; no controller runs them yet.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::access::{Change, Look};
use super::columns::{AGE, CONTAINERS, Column, IMAGES, NAME};
use super::generic::keep_status;
use super::{Behavior, Generation, cells, numbers, pod_template};
use crate::field::{Errors, Path};

/// What StatefulSets do.
pub const BEHAVIOR: Behavior = Behavior {
    default,
    prepare_create: |set| set.set("", "status", json!({"replicas": 0, "availableReplicas": 0})),
    prepare_update: keep_status,
    validate,
    validate_update: pod_template::keep_selector,
    warnings: pod_template::warnings,
    columns: &[NAME, Column::text("Ready", "Number of the pod with ready state"), AGE, CONTAINERS, IMAGES],
    row,
    generation: Generation::Spec,
    ..Behavior::GENERIC
};

fn default(set: &mut Value) {
    pod_template::default(set, "spec.template");
    for claim in set.items_mut("spec.volumeClaimTemplates") {
        claim.set_default("", "kind", "PersistentVolumeClaim");
        claim.set_default("", "apiVersion", "v1");
        claim.set_default("spec", "volumeMode", "Filesystem");
        claim.set_default("status", "phase", "Pending");
    }
    set.set_default("spec", "podManagementPolicy", "OrderedReady");
    set.set_default("spec.updateStrategy", "type", "RollingUpdate");
    if set.text("spec.updateStrategy.type") == "RollingUpdate" {
        set.set_default("spec.updateStrategy.rollingUpdate", "partition", 0);
    }
    set.set_default("spec.persistentVolumeClaimRetentionPolicy", "whenDeleted", "Retain");
    set.set_default("spec.persistentVolumeClaimRetentionPolicy", "whenScaled", "Retain");
    set.set_default("spec", "replicas", 1);
    set.set_default("spec", "revisionHistoryLimit", 10);
}

fn validate(set: &Value, errors: &mut Errors) {
    let (spec, at) = (set.at("spec"), Path::new("spec"));
    numbers::not_negative(spec, &["replicas", "minReadySeconds", "revisionHistoryLimit"], &at, errors);
    pod_template::selector(
        spec.at("selector"),
        &at.child("selector"),
        "empty selector is invalid for statefulset",
        errors,
    );
    pod_template::validate_for_ever(
        spec.at("template"),
        spec.at("selector"),
        &at.child("template"),
        "StatefulSet",
        errors,
    );
}

fn row(set: &Value, now: Timestamp) -> Vec<Value> {
    let ready = set.int("status.readyReplicas").unwrap_or_default();
    let desired = set.int("spec.replicas").unwrap_or_default();
    let template = set.at("spec.template.spec");
    vec![
        cells::name(set),
        format!("{ready}/{desired}").into(),
        cells::age(set, now),
        cells::containers(template),
        cells::images(template),
    ]
}
