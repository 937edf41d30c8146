//! ReplicaSets.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::access::{Change, Look};
use super::columns::{AGE, CONTAINERS, Column, IMAGES, NAME};
use super::generic::keep_status;
use super::{Behavior, Generation, cells, pod_template};

/// What ReplicaSets do.
pub const BEHAVIOR: Behavior = Behavior {
    default,
    prepare_create: |set| set.set("", "status", json!({"replicas": 0})),
    prepare_update: keep_status,
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
