//! DaemonSets: stored and shown; no controller runs them yet.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::access::{Change, Look};
use super::columns::{AGE, CONTAINERS, Column, IMAGES, NAME};
use super::generic::keep_status;
use super::{Behavior, Generation, cells, numbers, pod_template};
use crate::field::{Errors, Path};

const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

/// What DaemonSets do.
pub const BEHAVIOR: Behavior = Behavior {
    default,
    prepare_create,
    prepare_update,
    validate,
    validate_update: pod_template::keep_selector,
    validate_status_update,
    warnings: pod_template::warnings,
    columns: &[
        NAME,
        Column::integer(
            "Desired",
            "The total number of nodes that should be running the daemon pod (including nodes correctly running the \
             daemon pod). More info: https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/",
        ),
        Column::integer(
            "Current",
            "The number of nodes that are running at least 1 daemon pod and are supposed to run the daemon pod. More \
             info: https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/",
        ),
        Column::integer(
            "Ready",
            "numberReady is the number of nodes that should be running the daemon pod and have one or more of the \
             daemon pod running with a Ready Condition.",
        ),
        Column::integer("Up-to-date", "The total number of nodes that are running updated daemon pod"),
        Column::integer(
            "Available",
            "The number of nodes that should be running the daemon pod and have one or more of the daemon pod running \
             and available (ready for at least spec.minReadySeconds)",
        ),
        Column::text(
            "Node Selector",
            "NodeSelector is a selector which must be true for the pod to fit on a node. Selector which must match a \
             node's labels for the pod to be scheduled on that node. More info: \
             https://kubernetes.io/docs/concepts/configuration/assign-pod-node/",
        ),
        AGE,
        CONTAINERS,
        IMAGES,
        Column::text(
            "Selector",
            "A label query over pods that are managed by the daemon set. Must match in order to be controlled. If \
             empty, defaulted to labels on Pod template. More info: \
             https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors",
        )
        .wide(),
    ],
    row,
    generation: Generation::Spec,
    ..Behavior::GENERIC
};

fn default(set: &mut Value) {
    pod_template::default(set, "spec.template");
    set.set_default("spec.updateStrategy", "type", "RollingUpdate");
    if set.text("spec.updateStrategy.type") == "RollingUpdate" {
        set.set_default("spec.updateStrategy.rollingUpdate", "maxUnavailable", 1);
        set.set_default("spec.updateStrategy.rollingUpdate", "maxSurge", 0);
    }
    set.set_default("spec", "revisionHistoryLimit", 10);
    // Upstream's own form of the object always has it: it is a field of who writes.
    set.set_default("metadata.annotations", TEMPLATE_GENERATION, "0");
}

fn prepare_create(set: &mut Value) {
    set.set("metadata.annotations", TEMPLATE_GENERATION, "1");
    let status =
        json!({"currentNumberScheduled": 0, "numberMisscheduled": 0, "desiredNumberScheduled": 0, "numberReady": 0});
    set.set("", "status", status);
}

/// The template's generation moves with the template, and only so.
fn prepare_update(new: &mut Value, old: &Value) {
    keep_status(new, old);
    let before: i64 = old
        .at("metadata.annotations")
        .get(TEMPLATE_GENERATION)
        .and_then(Value::as_str)
        .and_then(|g| g.parse().ok())
        .unwrap_or(1);
    let now = if new.at("spec.template") == old.at("spec.template") { before } else { before + 1 };
    new.set("metadata.annotations", TEMPLATE_GENERATION, now.to_string());
}

fn validate(set: &Value, errors: &mut Errors) {
    let (spec, at) = (set.at("spec"), Path::new("spec"));
    if spec.has("selector") {
        let empty = "empty selector is invalid for daemonset";
        pod_template::selector(spec.at("selector"), &at.child("selector"), empty, errors);
    }
    pod_template::validate_for_ever(
        spec.at("template"),
        spec.at("selector"),
        &at.child("template"),
        "DaemonSet",
        errors,
    );
    numbers::not_negative(spec, &["minReadySeconds"], &at, errors);
    strategy(spec.at("updateStrategy"), &at.child("updateStrategy"), errors);
    numbers::not_negative(spec, &["revisionHistoryLimit"], &at, errors);
}

fn strategy(strategy: &Value, at: &Path, errors: &mut Errors) {
    let (rolling, rolling_at) = (strategy.at("rollingUpdate"), at.child("rollingUpdate"));
    match strategy.text("type") {
        "OnDelete" => {}
        "RollingUpdate" if rolling.is_null() => errors.required(&rolling_at, ""),
        "RollingUpdate" => rolling_update(rolling, &rolling_at, errors),
        other => errors.not_supported(&at.child("type"), other, &["RollingUpdate", "OnDelete"]),
    }
}

/// A node's pod is replaced either after it is gone or beside it.
fn rolling_update(rolling: &Value, at: &Path, errors: &mut Errors) {
    let (unavailable, surge) = (rolling.at("maxUnavailable"), rolling.at("maxSurge"));
    let (unavailable_at, surge_at) = (at.child("maxUnavailable"), at.child("maxSurge"));
    numbers::int_or_percent(unavailable, &unavailable_at, errors);
    numbers::int_or_percent(surge, &surge_at, errors);
    match (numbers::is_none(unavailable), numbers::is_none(surge)) {
        (false, false) => {
            let why = "may not be set when maxUnavailable is non-zero";
            errors.invalid_as(&surge_at, &numbers::shown(surge), why);
        }
        (true, true) => errors.required(&unavailable_at, "cannot be 0 when maxSurge is 0"),
        _ => {}
    }
    numbers::not_more_than_all(unavailable, &unavailable_at, errors);
    numbers::not_more_than_all(surge, &surge_at, errors);
}

fn validate_status_update(new: &Value, _: &Value, errors: &mut Errors) {
    let counts = [
        "currentNumberScheduled",
        "numberMisscheduled",
        "desiredNumberScheduled",
        "numberReady",
        "observedGeneration",
        "updatedNumberScheduled",
        "numberAvailable",
        "numberUnavailable",
        "collisionCount",
    ];
    numbers::not_negative(new.at("status"), &counts, &Path::new("status"), errors);
}

fn row(set: &Value, now: Timestamp) -> Vec<Value> {
    let template = set.at("spec.template.spec");
    vec![
        cells::name(set),
        cells::count(set, "status.desiredNumberScheduled"),
        cells::count(set, "status.currentNumberScheduled"),
        cells::count(set, "status.numberReady"),
        cells::count(set, "status.updatedNumberScheduled"),
        cells::count(set, "status.numberAvailable"),
        cells::labels(template.at("nodeSelector")),
        cells::age(set, now),
        cells::containers(template),
        cells::images(template),
        cells::selector(set.at("spec.selector")),
    ]
}
