//! ReplicationControllers.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::access::{Change, Look};
use super::columns::{AGE, CONTAINERS, Column, IMAGES, NAME};
use super::generic::keep_status;
use super::{Behavior, Generation, cells, numbers, pod_template, replicasets};
use crate::field::{Errors, Path};

/// What ReplicationControllers do.
pub const BEHAVIOR: Behavior = Behavior {
    default,
    prepare_create: |rc| rc.set("", "status", json!({"replicas": 0})),
    prepare_update: keep_status,
    validate,
    validate_status_update: |new, _, errors| replicasets::validate_status(new, errors),
    warnings: pod_template::warnings,
    columns: &[
        NAME,
        Column::integer(
            "Desired",
            "Replicas is the number of desired replicas. This is a pointer to distinguish between explicit zero and \
             unspecified. Defaults to 1. More info: \
             https://kubernetes.io/docs/concepts/workloads/controllers/replicationcontroller#what-is-a-replicationcontroller",
        ),
        Column::integer(
            "Current",
            "Replicas is the most recently observed number of replicas. More info: \
             https://kubernetes.io/docs/concepts/workloads/controllers/replicationcontroller#what-is-a-replicationcontroller",
        ),
        Column::integer("Ready", "The number of ready replicas for this replication controller."),
        AGE,
        CONTAINERS,
        IMAGES,
        Column::text(
            "Selector",
            "Selector is a label query over pods that should match the Replicas count. If Selector is empty, it is \
             defaulted to the labels present on the Pod template. Label keys and values that must match in order to be \
             controlled by this replication controller, if empty defaulted to labels on Pod template. More info: \
             https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors",
        )
        .wide(),
    ],
    row,
    fields: &["status.replicas"],
    field: |rc, path| rc.int(path).unwrap_or_default().to_string(),
    generation: Generation::Spec,
    ..Behavior::GENERIC
};

/// Without a selector it selects what its template makes; without labels of its own it has the template's.
fn default(rc: &mut Value) {
    pod_template::default(rc, "spec.template");
    let labels = rc.at("spec.template.metadata.labels").clone();
    if labels.is_object() {
        if cells::len(rc.at("spec.selector")) == 0 {
            rc.set("spec", "selector", labels.clone());
        }
        if cells::len(rc.at("metadata.labels")) == 0 {
            rc.set("metadata", "labels", labels);
        }
    }
    rc.set_default("spec", "replicas", 1);
}

fn validate(rc: &Value, errors: &mut Errors) {
    let (spec, at) = (rc.at("spec"), Path::new("spec"));
    numbers::not_negative(spec, &["minReadySeconds"], &at, errors);
    if cells::len(spec.at("selector")) == 0 {
        errors.required(&at.child("selector"), "");
    }
    numbers::not_negative(spec, &["replicas"], &at, errors);
    let template_at = at.child("template");
    if !spec.has("template") {
        return errors.required(&template_at, "");
    }
    let selector = json!({"matchLabels": spec.at("selector")});
    pod_template::validate_for_ever(spec.at("template"), &selector, &template_at, "ReplicationController", errors);
}

fn row(rc: &Value, now: Timestamp) -> Vec<Value> {
    let template = rc.at("spec.template.spec");
    vec![
        cells::name(rc),
        cells::count(rc, "spec.replicas"),
        cells::count(rc, "status.replicas"),
        cells::count(rc, "status.readyReplicas"),
        cells::age(rc, now),
        cells::containers(template),
        cells::images(template),
        cells::labels(rc.at("spec.selector")),
    ]
}
