//! ReplicaSets.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::access::{Change, Look};
use super::columns::{AGE, CONTAINERS, Column, IMAGES, NAME};
use super::generic::keep_status;
use super::{Behavior, Generation, cells, numbers, pod_template};
use crate::field::{Errors, Path};

/// What ReplicaSets do.
pub const BEHAVIOR: Behavior = Behavior {
    default,
    prepare_create: |set| set.set("", "status", json!({"replicas": 0})),
    prepare_update: keep_status,
    validate,
    validate_update: pod_template::keep_selector,
    validate_status_update: |new, _, errors| validate_status(new, errors),
    warnings: pod_template::warnings,
    columns: &[
        NAME,
        Column::integer(
            "Desired",
            "Replicas is the number of desired pods. This is a pointer to distinguish between explicit zero and \
             unspecified. Defaults to 1. More info: \
             https://kubernetes.io/docs/concepts/workloads/controllers/replicaset",
        ),
        Column::integer(
            "Current",
            "Replicas is the most recently observed number of non-terminating pods. More info: \
             https://kubernetes.io/docs/concepts/workloads/controllers/replicaset",
        ),
        Column::integer(
            "Ready",
            "The number of non-terminating pods targeted by this ReplicaSet with a Ready Condition.",
        ),
        AGE,
        CONTAINERS,
        IMAGES,
        Column::text(
            "Selector",
            "Selector is a label query over pods that should match the replica count. If the selector is empty, it is \
             defaulted to the labels present on the pod template. Label keys and values that must match in order to be \
             controlled by this replica set. More info: \
             https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors",
        )
        .wide(),
    ],
    row,
    fields: &["status.replicas"],
    field: |set, path| set.int(path).unwrap_or_default().to_string(),
    generation: Generation::Spec,
    ..Behavior::GENERIC
};

fn default(set: &mut Value) {
    pod_template::default(set, "spec.template");
    set.set_default("spec", "replicas", 1);
}

fn validate(set: &Value, errors: &mut Errors) {
    let (spec, at) = (set.at("spec"), Path::new("spec"));
    numbers::not_negative(spec, &["replicas", "minReadySeconds"], &at, errors);
    // "for deployment" is what Kubernetes says here, too.
    let empty = "empty selector is invalid for deployment";
    pod_template::selector(spec.at("selector"), &at.child("selector"), empty, errors);
    pod_template::validate_for_ever(
        spec.at("template"),
        spec.at("selector"),
        &at.child("template"),
        "ReplicaSet",
        errors,
    );
}

/// The counts of a ReplicaSet or a ReplicationController.
pub fn validate_status(set: &Value, errors: &mut Errors) {
    let (status, at) = (set.at("status"), Path::new("status"));
    let counts = ["replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration"];
    numbers::not_negative(status, &counts, &at, errors);
    let count = |field| status.int(field).unwrap_or_default();
    for (field, limit, words) in [
        ("fullyLabeledReplicas", "replicas", "cannot be greater than status.replicas"),
        ("readyReplicas", "replicas", "cannot be greater than status.replicas"),
        ("availableReplicas", "replicas", "cannot be greater than status.replicas"),
        ("availableReplicas", "readyReplicas", "cannot be greater than readyReplicas"),
    ] {
        if count(field) > count(limit) {
            errors.invalid(&at.child(field), count(field), words);
        }
    }
}

fn row(set: &Value, now: Timestamp) -> Vec<Value> {
    let template = set.at("spec.template.spec");
    vec![
        cells::name(set),
        cells::count(set, "spec.replicas"),
        cells::count(set, "status.replicas"),
        cells::count(set, "status.readyReplicas"),
        cells::age(set, now),
        cells::containers(template),
        cells::images(template),
        cells::selector(set.at("spec.selector")),
    ]
}
