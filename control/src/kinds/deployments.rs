//! Deployments.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::access::{Change, Look};
use super::columns::{AGE, CONTAINERS, Column, IMAGES, NAME};
use super::generic::{keep_all_but_status, keep_status};
use super::{Behavior, Generation, cells, pod_template};

/// What deployments do.
pub const BEHAVIOR: Behavior = Behavior {
    default,
    prepare_create: |deployment| deployment.set("", "status", json!({})),
    prepare_update: keep_status,
    prepare_status_update,
    warnings: pod_template::warnings,
    columns: &[
        NAME,
        Column::text("Ready", "Number of the pod with ready state"),
        Column::text(
            "Up-to-date",
            "Total number of non-terminating pods targeted by this deployment that have the desired template spec.",
        ),
        Column::text(
            "Available",
            "Total number of available non-terminating pods (ready for at least minReadySeconds) targeted by this \
             deployment.",
        ),
        AGE,
        CONTAINERS,
        IMAGES,
        Column::text(
            "Selector",
            "Label selector for pods. Existing ReplicaSets whose pods are selected by this will be the ones affected \
             by this deployment.",
        )
        .wide(),
    ],
    row,
    generation: Generation::SpecAndAnnotations,
    ..Behavior::GENERIC
};

fn default(deployment: &mut Value) {
    pod_template::default(deployment, "spec.template");
    deployment.set_default("spec", "replicas", 1);
    deployment.set_default("spec.strategy", "type", "RollingUpdate");
    if deployment.text("spec.strategy.type") == "RollingUpdate" {
        deployment.set_default("spec.strategy.rollingUpdate", "maxUnavailable", "25%");
        deployment.set_default("spec.strategy.rollingUpdate", "maxSurge", "25%");
    }
    deployment.set_default("spec", "revisionHistoryLimit", 10);
    deployment.set_default("spec", "progressDeadlineSeconds", 600);
}

fn prepare_status_update(new: &mut Value, old: &Value) {
    keep_all_but_status(new, old);
    new.restore("metadata", "labels", old);
}

fn row(deployment: &Value, now: Timestamp) -> Vec<Value> {
    let ready = deployment.int("status.readyReplicas").unwrap_or_default();
    let desired = deployment.int("spec.replicas").unwrap_or_default();
    let template = deployment.at("spec.template.spec");
    vec![
        cells::name(deployment),
        format!("{ready}/{desired}").into(),
        cells::count(deployment, "status.updatedReplicas"),
        cells::count(deployment, "status.availableReplicas"),
        cells::age(deployment, now),
        cells::containers(template),
        cells::images(template),
        cells::selector_text(deployment.at("spec.selector")).into(),
    ]
}
