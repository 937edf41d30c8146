//! Jobs: stored and shown; no controller runs them yet.

mod rules;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::access::{Change, Look};
use super::columns::{AGE, CONTAINERS, Column, IMAGES, NAME};
use super::generic::keep_status;
use super::{Behavior, Generation, age, cells, metadata, numbers, pod_template, selectors};
use crate::field::{Errors, Path};

pub use rules::spec as validate_spec;

/// What jobs do.
pub const BEHAVIOR: Behavior = Behavior {
    default,
    prepare_create,
    prepare_update: keep_status,
    validate,
    validate_update,
    validate_status_update,
    warnings: pod_template::warnings,
    columns: &[
        NAME,
        Column::text("Status", "Status of the job."),
        Column::text(
            "Completions",
            "The number of pods which reached phase Succeeded. The value increases monotonically for a given spec. \
             However, it may decrease in reaction to scale down of elastic indexed jobs.",
        ),
        Column::text("Duration", "Time required to complete the job."),
        AGE,
        CONTAINERS,
        IMAGES,
        Column::text(
            "Selector",
            "A label query over pods that should match the pod count. Normally, the system sets this field for you. \
             More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors",
        )
        .wide(),
    ],
    row,
    fields: &["status.successful"],
    field: |job, _| job.int("status.succeeded").unwrap_or_default().to_string(),
    generation: Generation::Spec,
    ..Behavior::GENERIC
};

fn default(job: &mut Value) {
    pod_template::default(job, "spec.template");
    default_spec(job.map_at("spec"));
    let labels = job.at("spec.template.metadata.labels").clone();
    if cells::len(job.at("metadata.labels")) == 0 && cells::len(&labels) > 0 {
        job.set("metadata", "labels", labels);
    }
}

/// A job runs one pod to completion unless it says otherwise.
fn default_spec(spec: &mut serde_json::Map<String, Value>) {
    if !spec.contains_key("completions") && !spec.contains_key("parallelism") {
        spec.insert("completions".into(), 1.into());
    }
    for (field, value) in [
        ("parallelism", json!(1)),
        ("backoffLimit", json!(6)),
        ("completionMode", json!("NonIndexed")),
        ("suspend", json!(false)),
        ("manualSelector", json!(false)),
    ] {
        spec.entry(field).or_insert(value);
    }
    let replace = if spec.contains_key("podFailurePolicy") { "Failed" } else { "TerminatingOrFailed" };
    spec.entry("podReplacementPolicy").or_insert(replace.into());
}

/// The server picks the selector: the job's uid, which its pods carry as a label.
fn prepare_create(job: &mut Value) {
    job.set("", "status", json!({}));
    if job.flag("spec.manualSelector") {
        return;
    }
    // Labels that come from the template follow it.
    let labelled_as_template = job.at("metadata.labels") == job.at("spec.template.metadata.labels");
    let (uid, name) = (job.text("metadata.uid").to_owned(), job.text("metadata.name").to_owned());
    for (label, value) in [
        ("batch.kubernetes.io/controller-uid", &uid),
        ("batch.kubernetes.io/job-name", &name),
        ("controller-uid", &uid),
        ("job-name", &name),
    ] {
        job.set("spec.template.metadata.labels", label, value.clone());
        if labelled_as_template {
            job.set("metadata.labels", label, value.clone());
        }
    }
    job.set("spec.selector.matchLabels", "batch.kubernetes.io/controller-uid", uid);
}

fn validate(job: &Value, errors: &mut Errors) {
    let (spec, at) = (job.at("spec"), Path::new("spec"));
    rules::spec(spec, &at, errors);
    let selector = spec.at("selector");
    if selector.is_null() {
        return errors.required(&at.child("selector"), "");
    }
    selectors::validate(selector, &at.child("selector"), errors);
    let labels = spec.at("template.metadata.labels");
    if !selectors::matches(selector, labels) {
        let at = at.child("template").child("metadata").child("labels");
        let why = "`selector` does not match template `labels`";
        match labels {
            Value::Null => errors.invalid_as(&at, "map[string]string(nil)", why),
            labels => errors.invalid(&at, labels.clone(), why),
        }
    }
}

fn validate_update(new: &Value, old: &Value, errors: &mut Errors) {
    let at = Path::new("spec");
    let (completions, parallelism) = (new.at("spec.completions"), new.at("spec.parallelism"));
    if completions != old.at("spec.completions") {
        let indexed = new.text("spec.completionMode") == "Indexed";
        match indexed {
            false => errors.invalid(&at.child("completions"), completions.clone(), metadata::IMMUTABLE),
            true if !completions.is_null() && completions != parallelism => {
                let why = "can only be modified in tandem with spec.parallelism";
                errors.invalid(&at.child("completions"), completions.clone(), why);
            }
            true => {}
        }
    }
    pod_template::keep_selector(new, old, errors);
    let mut template = new.at("spec.template").clone();
    // A suspended job that never ran can still be placed by somebody else.
    if old.flag("spec.suspend") && !old.has("status.startTime") {
        let before = old.at("spec.template");
        for field in ["labels", "annotations"] {
            template.restore("metadata", field, before);
        }
        for field in ["nodeSelector", "affinity", "tolerations", "schedulingGates"] {
            template.restore("spec", field, before);
        }
    }
    if &template != old.at("spec.template") {
        errors.invalid(&at.child("template"), new.at("spec.template").clone(), metadata::IMMUTABLE);
    }
    for field in ["completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"] {
        let (now, before) = (new.at("spec").at(field), old.at("spec").at(field));
        if now != before {
            errors.invalid(&at.child(field), now.clone(), metadata::IMMUTABLE);
        }
    }
}

fn validate_status_update(new: &Value, _: &Value, errors: &mut Errors) {
    let (status, at) = (new.at("status"), Path::new("status"));
    numbers::not_negative(status, &["active", "succeeded", "failed", "ready", "terminating"], &at, errors);
    let (active, ready) = (status.int("active").unwrap_or_default(), status.int("ready").unwrap_or_default());
    if ready > active {
        let why = format!("cannot be greater than the number of active pods ({active})");
        errors.invalid(&at.child("ready"), ready, &why);
    }
}

fn row(job: &Value, now: Timestamp) -> Vec<Value> {
    let template = job.at("spec.template.spec");
    vec![
        cells::name(job),
        status(job).into(),
        completions(job).into(),
        duration(job, now).into(),
        cells::age(job, now),
        cells::containers(template),
        cells::images(template),
        cells::selector(job.at("spec.selector")),
    ]
}

fn status(job: &Value) -> &'static str {
    let has = |kind: &str| {
        job.items("status.conditions").iter().any(|c| c.text("type") == kind && c.text("status") == "True")
    };
    match () {
        () if has("Complete") => "Complete",
        () if has("Failed") => "Failed",
        () if job.has("metadata.deletionTimestamp") => "Terminating",
        () if has("Suspended") => "Suspended",
        () if has("FailureTarget") => "FailureTarget",
        () if has("SuccessCriteriaMet") => "SuccessCriteriaMet",
        () => "Running",
    }
}

fn completions(job: &Value) -> String {
    let succeeded = job.int("status.succeeded").unwrap_or_default();
    match (job.int("spec.completions"), job.int("spec.parallelism").unwrap_or_default()) {
        (Some(wanted), _) => format!("{succeeded}/{wanted}"),
        (None, several) if several > 1 => format!("{succeeded}/1 of {several}"),
        (None, _) => format!("{succeeded}/1"),
    }
}

fn duration(job: &Value, now: Timestamp) -> String {
    let time = |path| job.text(path).parse::<Timestamp>().ok();
    match (time("status.startTime"), time("status.completionTime")) {
        (None, _) => String::new(),
        (Some(start), end) => age::human(end.unwrap_or(now).as_second() - start.as_second()),
    }
}
