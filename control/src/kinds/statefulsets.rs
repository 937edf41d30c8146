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
    validate_update,
    validate_status_update,
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
    match spec.text("podManagementPolicy") {
        "" => errors.required(&at.child("podManagementPolicy"), ""),
        "OrderedReady" | "Parallel" => {}
        other => {
            errors.invalid(&at.child("podManagementPolicy"), other, "must be 'OrderedReady' or 'Parallel'");
        }
    }
    strategy(spec.at("updateStrategy"), &at.child("updateStrategy"), errors);
    for field in ["whenDeleted", "whenScaled"] {
        let policy = spec.at("persistentVolumeClaimRetentionPolicy").text(field);
        if !matches!(policy, "" | "Retain" | "Delete") {
            let at = at.child("persistentVolumeClaimRetentionPolicy").child(field);
            errors.not_supported(&at, policy, &["Delete", "Retain"]);
        }
    }
    numbers::not_negative(spec, &["replicas", "minReadySeconds", "revisionHistoryLimit"], &at, errors);
    if let Some(start) = spec.int("ordinals.start").filter(|n| *n < 0) {
        errors.invalid(&at.child("ordinals.start"), start, "must be greater than or equal to 0");
    }
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

fn strategy(strategy: &Value, at: &Path, errors: &mut Errors) {
    let rolling = strategy.at("rollingUpdate");
    match strategy.text("type") {
        "" => errors.required(at, ""),
        "OnDelete" if !rolling.is_null() => {
            let why = "only allowed for updateStrategy 'RollingUpdate'";
            errors.invalid(&at.child("rollingUpdate"), rolling.clone(), why);
        }
        "OnDelete" => {}
        "RollingUpdate" => {
            let at = at.child("rollingUpdate");
            numbers::not_negative(rolling, &["partition"], &at, errors);
            numbers::int_or_percent(rolling.at("maxUnavailable"), &at.child("maxUnavailable"), errors);
            numbers::not_more_than_all(rolling.at("maxUnavailable"), &at.child("maxUnavailable"), errors);
            if numbers::is_none(rolling.at("maxUnavailable")) {
                let shown = numbers::shown(rolling.at("maxUnavailable"));
                errors.invalid_as(&at.child("maxUnavailable"), &shown, "cannot be 0");
            }
        }
        _ => errors.invalid(at, strategy.clone(), "must be 'RollingUpdate' or 'OnDelete'"),
    }
}

/// What its pods and volumes are made of stays.
fn validate_update(new: &Value, old: &Value, errors: &mut Errors) {
    let mut allowed = new.clone();
    for field in [
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds",
    ] {
        allowed.restore("spec", field, old);
    }
    if allowed.at("spec") != old.at("spec") {
        errors.forbidden(
            &Path::new("spec"),
            "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', \
             'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
        );
    }
}

fn validate_status_update(new: &Value, old: &Value, errors: &mut Errors) {
    let (status, at) = (new.at("status"), Path::new("status"));
    let counts =
        ["replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas", "collisionCount"];
    numbers::not_negative(status, &counts, &at, errors);
    let count = |field| status.int(field).unwrap_or_default();
    for (field, limit) in [
        ("readyReplicas", "replicas"),
        ("currentReplicas", "replicas"),
        ("updatedReplicas", "replicas"),
        ("availableReplicas", "replicas"),
        ("availableReplicas", "readyReplicas"),
    ] {
        if count(field) > count(limit) {
            errors.invalid(&at.child(field), count(field), &format!("cannot be greater than status.{limit}"));
        }
    }
    let (now, before) = (new.int("status.collisionCount"), old.int("status.collisionCount"));
    if before > now {
        errors.invalid(&at.child("collisionCount"), now.unwrap_or_default(), "cannot be decremented");
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_may_change() {
        let old = json!({"spec": {"serviceName": "s", "replicas": 1, "podManagementPolicy": "OrderedReady"}});
        let mut new = old.clone();
        new.set("spec", "replicas", 2);
        let said = |new: &Value| {
            let mut errors = Errors::default();
            validate_update(new, &old, &mut errors);
            errors.to_string()
        };
        assert_eq!(said(&new), "[]");
        new.set("spec", "serviceName", "t");
        assert_eq!(
            said(&new),
            "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', \
             'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are \
             forbidden"
        );
    }
}
