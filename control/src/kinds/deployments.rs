//! Deployments.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::access::{Change, Look};
use super::columns::{AGE, CONTAINERS, Column, IMAGES, NAME};
use super::generic::{keep_all_but_status, keep_status};
use super::{Behavior, Generation, cells, numbers, pod_template};
use crate::field::{Errors, Path};

/// What deployments do.
pub const BEHAVIOR: Behavior = Behavior {
    default,
    prepare_create: |deployment| deployment.set("", "status", json!({})),
    prepare_update: keep_status,
    prepare_status_update,
    validate,
    validate_update: pod_template::keep_selector,
    validate_status_update,
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

fn validate(deployment: &Value, errors: &mut Errors) {
    let (spec, at) = (deployment.at("spec"), Path::new("spec"));
    numbers::not_negative(spec, &["replicas"], &at, errors);
    pod_template::selector(
        spec.at("selector"),
        &at.child("selector"),
        "empty selector is invalid for deployment",
        errors,
    );
    pod_template::validate_for_ever(
        spec.at("template"),
        spec.at("selector"),
        &at.child("template"),
        "ReplicaSet",
        errors,
    );
    strategy(spec.at("strategy"), &at.child("strategy"), errors);
    numbers::not_negative(spec, &["minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"], &at, errors);
    let ready = spec.int("minReadySeconds").unwrap_or_default();
    if let Some(deadline) = spec.int("progressDeadlineSeconds").filter(|d| *d <= ready) {
        errors.invalid(&at.child("progressDeadlineSeconds"), deadline, "must be greater than minReadySeconds");
    }
}

fn strategy(strategy: &Value, at: &Path, errors: &mut Errors) {
    let (rolling, rolling_at) = (strategy.at("rollingUpdate"), at.child("rollingUpdate"));
    match strategy.text("type") {
        "Recreate" if !rolling.is_null() => {
            errors.forbidden(&rolling_at, "may not be specified when strategy `type` is 'Recreate'");
        }
        "Recreate" => {}
        "RollingUpdate" if rolling.is_null() => {
            errors.required(&rolling_at, "this should be defaulted and never be nil")
        }
        "RollingUpdate" => {
            let (unavailable, unavailable_at) = (rolling.at("maxUnavailable"), rolling_at.child("maxUnavailable"));
            let surge = rolling.at("maxSurge");
            numbers::int_or_percent(unavailable, &unavailable_at, errors);
            numbers::int_or_percent(surge, &rolling_at.child("maxSurge"), errors);
            if numbers::is_none(unavailable) && numbers::is_none(surge) {
                let shown = numbers::shown(unavailable);
                errors.invalid_as(&unavailable_at, &shown, "may not be 0 when `maxSurge` is 0");
            }
            numbers::not_more_than_all(unavailable, &unavailable_at, errors);
        }
        other => errors.not_supported(&at.child("type"), other, &["Recreate", "RollingUpdate"]),
    }
}

fn validate_status_update(new: &Value, old: &Value, errors: &mut Errors) {
    let (status, at) = (new.at("status"), Path::new("status"));
    let counts = [
        "observedGeneration",
        "replicas",
        "updatedReplicas",
        "readyReplicas",
        "availableReplicas",
        "unavailableReplicas",
        "collisionCount",
    ];
    numbers::not_negative(status, &counts, &at, errors);
    let count = |field| status.int(field).unwrap_or_default();
    for (field, limit) in [
        ("updatedReplicas", "replicas"),
        ("readyReplicas", "replicas"),
        ("availableReplicas", "replicas"),
        ("availableReplicas", "readyReplicas"),
    ] {
        if count(field) > count(limit) {
            let limit = if limit == "replicas" { "status.replicas" } else { limit };
            errors.invalid(&at.child(field), count(field), &format!("cannot be greater than {limit}"));
        }
    }
    let (now, before) = (new.int("status.collisionCount"), old.int("status.collisionCount"));
    if before > now {
        errors.invalid(&at.child("collisionCount"), now.unwrap_or_default(), "cannot be decremented");
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment(spec: Value) -> Value {
        let mut deployment = json!({"metadata": {"name": "d", "namespace": "n"}, "spec": {
            "selector": {"matchLabels": {"a": "b"}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "web:1"}]}}}});
        if let Value::Object(fields) = spec {
            deployment.map_at("spec").extend(fields);
        }
        (BEHAVIOR.default)(&mut deployment);
        deployment
    }

    #[test]
    fn each_rule_has_its_words() {
        let cases = [
            (json!({"replicas": -1}), "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
            (
                json!({"selector": null}),
                "[spec.selector: Required value, spec.template.metadata.labels: Invalid value: \
                 map[string]string{\"a\":\"b\"}: `selector` does not match template `labels`]",
            ),
            (
                json!({"selector": {}}),
                "spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string(nil), \
                 MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: empty selector is invalid for deployment",
            ),
            (
                json!({"selector": {"matchLabels": {"a": "z"}}}),
                "spec.template.metadata.labels: Invalid value: map[string]string{\"a\":\"b\"}: `selector` does not match \
                 template `labels`",
            ),
            (
                json!({"strategy": {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}}),
                "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
            ),
            (
                json!({"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "0%"}}}),
                "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: intstr.IntOrString{Type:1, IntVal:0, \
                 StrVal:\"0%\"}: may not be 0 when `maxSurge` is 0",
            ),
            (
                json!({"strategy": {"rollingUpdate": {"maxUnavailable": "101%"}}}),
                "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: intstr.IntOrString{Type:1, IntVal:0, \
                 StrVal:\"101%\"}: must not be greater than 100%",
            ),
            (
                json!({"minReadySeconds": 600}),
                "spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds",
            ),
        ];
        for (spec, words) in cases {
            assert_eq!(BEHAVIOR.check_create(&deployment(spec), true).to_string(), words);
        }
        assert!(BEHAVIOR.check_create(&deployment(json!({})), true).is_empty());
    }

    #[test]
    fn the_selector_stays() {
        let old = deployment(json!({}));
        let mut new = old.clone();
        new.set("spec.selector.matchLabels", "a", "c");
        new.set("spec.template.metadata.labels", "a", "c");
        assert_eq!(
            BEHAVIOR.check_update(&new, &old).to_string(),
            "spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string{\"a\":\"c\"}, \
             MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: field is immutable"
        );
        assert!(BEHAVIOR.moves_generation(&new, &old));
        assert!(!BEHAVIOR.moves_generation(&old, &old));
    }
}
