//! The rules for the spec of a job, its own or a CronJob's template.

use serde_json::Value;

use crate::field::{Errors, Path};
use crate::kinds::access::Look;
use crate::kinds::numbers::not_negative;
use crate::kinds::pod_template;

const PARALLELISM_MAX: i64 = 100_000;
const MANAGER_MAX: usize = 63;
const RULES_MAX: usize = 20;
const ACTIONS: [&str; 4] = ["Count", "FailIndex", "FailJob", "Ignore"];

/// The rules for all but the selector.
pub fn spec(spec: &Value, at: &Path, errors: &mut Errors) {
    let counts = [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    ];
    not_negative(spec, &counts, at, errors);
    if spec.has("maxFailedIndexes") && !spec.has("backoffLimitPerIndex") {
        errors.required(&at.child("backoffLimitPerIndex"), "when maxFailedIndexes is specified");
    }
    if spec.text("managedBy").len() > MANAGER_MAX {
        errors.too_long(&at.child("managedBy"), MANAGER_MAX);
    }
    mode(spec, at, errors);
    failure_policy(spec, &at.child("podFailurePolicy"), errors);
    replacement(spec, &at.child("podReplacementPolicy"), errors);
    template(spec.at("template"), &at.child("template"), errors);
}

/// What only indexed jobs have.
fn mode(spec: &Value, at: &Path, errors: &mut Errors) {
    match spec.text("completionMode") {
        "Indexed" => {
            if !spec.has("completions") {
                errors.required(&at.child("completions"), "when completion mode is Indexed");
            }
            if let Some(n) = spec.int("parallelism").filter(|n| *n > PARALLELISM_MAX) {
                let why = format!("must be less than or equal to {PARALLELISM_MAX} when completion mode is Indexed");
                errors.invalid(&at.child("parallelism"), n, &why);
            }
        }
        "" | "NonIndexed" => {
            for field in ["backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"] {
                if spec.has(field) {
                    errors.invalid(&at.child(field), spec.at(field).clone(), "requires indexed completion mode");
                }
            }
        }
        other => errors.not_supported(&at.child("completionMode"), other, &["NonIndexed", "Indexed"]),
    }
}

fn failure_policy(spec: &Value, at: &Path, errors: &mut Errors) {
    let policy = spec.at("podFailurePolicy");
    if policy.is_null() {
        return;
    }
    if spec.text("template.spec.restartPolicy") != "Never" {
        errors.invalid(
            at,
            policy.clone(),
            "only \"Never\" is supported for spec.template.spec.restartPolicy when podFailurePolicy is specified",
        );
    }
    let (rules, at) = (policy.items("rules"), at.child("rules"));
    if rules.len() > RULES_MAX {
        errors.too_many(&at, rules.len(), RULES_MAX);
    }
    for (i, rule) in rules.iter().enumerate() {
        let at = at.index(i);
        match rule.text("action") {
            "" => {
                errors.required(&at.child("action"), "valid values: \"Count\", \"FailIndex\", \"FailJob\", \"Ignore\"")
            }
            known if ACTIONS.contains(&known) => {}
            other => errors.not_supported(&at.child("action"), other, &ACTIONS),
        }
        match (rule.has("onExitCodes"), rule.items("onPodConditions").is_empty()) {
            (true, false) => {
                errors.invalid(&at, rule.clone(), "specifying both OnExitCodes and OnPodConditions is not supported")
            }
            (false, true) => {
                errors.invalid(&at, rule.clone(), "specifying one of OnExitCodes and OnPodConditions is required");
            }
            (true, true) => exit_codes(rule.at("onExitCodes"), spec, &at.child("onExitCodes"), errors),
            (false, false) => {}
        }
    }
}

fn exit_codes(codes: &Value, spec: &Value, at: &Path, errors: &mut Errors) {
    match codes.text("operator") {
        "" => errors.required(&at.child("operator"), "valid values: \"In\", \"NotIn\""),
        "In" | "NotIn" => {}
        other => errors.not_supported(&at.child("operator"), other, &["In", "NotIn"]),
    }
    if let Some(name) = codes.at("containerName").as_str() {
        let named = |list: &str| spec.at("template.spec").items(list).iter().any(|c| c.text("name") == name);
        if !named("containers") && !named("initContainers") {
            let why = "must be one of the container or initContainer names in the pod template";
            errors.invalid(&at.child("containerName"), name, why);
        }
    }
    let values = codes.items("values");
    if values.is_empty() {
        errors.invalid(&at.child("values"), Value::from(values), "at least one value is required");
    }
    if codes.text("operator") == "In" {
        for (i, _) in values.iter().enumerate().filter(|(_, v)| v.as_i64() == Some(0)) {
            errors.invalid(&at.child("values").index(i), 0, "must not be 0 for the In operator");
        }
    }
}

fn replacement(spec: &Value, at: &Path, errors: &mut Errors) {
    let failing = spec.has("podFailurePolicy");
    match spec.text("podReplacementPolicy") {
        "" | "Failed" => {}
        "TerminatingOrFailed" if !failing => {}
        other if failing => errors.not_supported(at, other, &["Failed"]),
        other => errors.not_supported(at, other, &["Failed", "TerminatingOrFailed"]),
    }
}

/// The rules for the pods of jobs, which end.
fn template(template: &Value, at: &Path, errors: &mut Errors) {
    pod_template::validate(template, at, errors);
    let at = at.child("spec").child("restartPolicy");
    match template.text("spec.restartPolicy") {
        "OnFailure" | "Never" => {}
        // What a template gets that says nothing.
        "Always" => errors.required(&at, "valid values: \"OnFailure\", \"Never\""),
        other => errors.not_supported(&at, other, &["OnFailure", "Never"]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(fields: Value) -> String {
        let mut spec = json!({"template": {"spec": {"restartPolicy": "Never",
            "containers": [{"name": "c", "image": "web"}]}}});
        if let (Some(to), Value::Object(from)) = (spec.as_object_mut(), fields) {
            to.extend(from);
        }
        crate::kinds::pod_spec::default(&mut spec["template"]["spec"]);
        let mut errors = Errors::default();
        super::spec(&spec, &Path::new("spec"), &mut errors);
        errors.to_string()
    }

    #[test]
    fn each_rule_has_its_words() {
        let cases = [
            (json!({}), "[]"),
            (json!({"completions": -1}), "spec.completions: Invalid value: -1: must be greater than or equal to 0"),
            (json!({"completionMode": "Indexed"}), "spec.completions: Required value: when completion mode is Indexed"),
            (
                json!({"completionMode": "Zap"}),
                "spec.completionMode: Unsupported value: \"Zap\": supported values: \"NonIndexed\", \"Indexed\"",
            ),
            (
                json!({"template": {"spec": {"containers": [{"name": "c", "image": "web"}]}}}),
                "spec.template.spec.restartPolicy: Required value: valid values: \"OnFailure\", \"Never\"",
            ),
            (
                json!({"maxFailedIndexes": 1}),
                "[spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified, spec.maxFailedIndexes: \
                 Invalid value: 1: requires indexed completion mode]",
            ),
        ];
        for (fields, words) in cases {
            assert_eq!(said(fields), words);
        }
    }
}
