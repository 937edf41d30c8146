//! The pod template of a workload.

use serde_json::Value;

use super::access::{Change, Look};

use super::{metadata, pod_spec, selectors};
use crate::field::{Errors, Path};

/// Fills in the template at `path` of a workload, where there is one.
pub fn default(workload: &mut Value, path: &str) {
    if let Some(spec) = workload.map_mut(path).and_then(|template| template.get_mut("spec")) {
        pod_spec::default(spec);
    }
}

/// Fields of the template's pods that have no effect.
pub fn warnings(workload: &Value) -> Vec<String> {
    pod_spec::warnings(workload.at("spec.template.spec"), &Path::new("spec").child("template").child("spec"))
}

/// The rules for a template whose pods run for ever and are selected by `selector`, a `metav1.LabelSelector`.
///
/// `kind` is the workload's, as Kubernetes names it here. No selector at all matches nothing, an empty one everything.
pub fn validate_for_ever(template: &Value, selector: &Value, at: &Path, kind: &str, errors: &mut Errors) {
    let labels = template.at("metadata.labels");
    if selector.is_null() || !selectors::matches(selector, labels) {
        let why = "`selector` does not match template `labels`";
        let at = at.child("metadata").child("labels");
        match labels {
            Value::Null => errors.invalid_as(&at, "map[string]string(nil)", why),
            labels => errors.invalid(&at, labels.clone(), why),
        }
    }
    validate(template, at, errors);
    let spec = at.child("spec");
    let restart = template.text("spec.restartPolicy");
    if restart != "Always" {
        errors.not_supported(&spec.child("restartPolicy"), restart, &["Always"]);
    }
    if template.has("spec.activeDeadlineSeconds") {
        let why = format!("activeDeadlineSeconds in {kind} is not Supported");
        errors.forbidden(&spec.child("activeDeadlineSeconds"), &why);
    }
}

/// The rules for any template.
pub fn validate(template: &Value, at: &Path, errors: &mut Errors) {
    metadata::labels(template.at("metadata.labels"), &at.child("labels"), errors);
    metadata::annotations(template.at("metadata.annotations"), &at.child("annotations"), errors);
    pod_spec::validate(template.at("spec"), &at.child("spec"), errors);
    if !template.items("spec.ephemeralContainers").is_empty() {
        errors.forbidden(
            &at.child("spec").child("ephemeralContainers"),
            "ephemeral containers not allowed in pod template",
        );
    }
}

/// The rules for a required selector that may not be empty.
pub fn selector(selector: &Value, at: &Path, empty: &str, errors: &mut Errors) {
    if selector.is_null() {
        return errors.required(at, "");
    }
    selectors::validate(selector, at, errors);
    if selectors::is_empty(selector) {
        errors.invalid_as(at, &selectors::shown(selector), empty);
    }
}

/// A selector does not change, or the pods it made would be lost.
pub fn keep_selector(new: &Value, old: &Value, errors: &mut Errors) {
    if new.at("spec.selector") != old.at("spec.selector") {
        let at = Path::new("spec").child("selector");
        errors.invalid_as(&at, &selectors::shown(new.at("spec.selector")), metadata::IMMUTABLE);
    }
}
