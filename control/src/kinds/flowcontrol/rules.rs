//! The rules for flow schemas and priority levels.

use objects::names;
use serde_json::Value;

use crate::field::{Errors, Path};
use crate::kinds::access::Look;
use crate::kinds::numbers::within;

const PRECEDENCE_MAX: i64 = 10_000;
const QUEUES_MAX: i64 = 10_000_000;
const VERBS: [&str; 9] = ["*", "create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/// The rules for a FlowSchema.
pub fn schema(schema: &Value, errors: &mut Errors) {
    let (spec, at) = (schema.at("spec"), Path::new("spec"));
    let (name, precedence) = (schema.text("metadata.name"), spec.int("matchingPrecedence").unwrap_or_default());
    if precedence <= 0 {
        errors.invalid(&at.child("matchingPrecedence"), precedence, "must be a positive value");
    }
    if precedence > PRECEDENCE_MAX {
        let why = format!("must not be greater than {PRECEDENCE_MAX}");
        errors.invalid(&at.child("matchingPrecedence"), precedence, &why);
    }
    if precedence == 1 && name != "exempt" {
        let why = "only the schema named 'exempt' may have matchingPrecedence 1";
        errors.invalid(&at.child("matchingPrecedence"), precedence, why);
    }
    let method = spec.text("distinguisherMethod.type");
    if spec.has("distinguisherMethod") && !matches!(method, "ByNamespace" | "ByUser") {
        let at = at.child("distinguisherMethod").child("type");
        errors.not_supported(&at, method, &["ByNamespace", "ByUser"]);
    }
    let level_at = at.child("priorityLevelConfiguration").child("name");
    match spec.text("priorityLevelConfiguration.name") {
        "" => errors.required(&level_at, "must reference a priority level"),
        level => errors.all_invalid(&level_at, level, names::dns1123_subdomain(level)),
    }
    for (i, rule) in spec.items("rules").iter().enumerate() {
        self::rule(rule, &at.child("rules").index(i), errors);
    }
}

fn rule(rule: &Value, at: &Path, errors: &mut Errors) {
    let subjects = rule.items("subjects");
    if subjects.is_empty() {
        errors.required(&at.child("subjects"), "subjects must contain at least one value");
    }
    for (i, subject) in subjects.iter().enumerate() {
        self::subject(subject, &at.child("subjects").index(i), errors);
    }
    if rule.items("resourceRules").is_empty() && rule.items("nonResourceRules").is_empty() {
        errors.required(at, "at least one of resourceRules and nonResourceRules has to be non-empty");
    }
    for (i, resource) in rule.items("resourceRules").iter().enumerate() {
        let at = at.child("resourceRules").index(i);
        verbs(resource, &at, errors);
        for (field, why) in [
            ("apiGroups", "resource rules must supply at least one api group"),
            ("resources", "resource rules must supply at least one resource"),
        ] {
            if resource.items(field).is_empty() {
                errors.required(&at.child(field), why);
            }
        }
        if resource.items("namespaces").is_empty() && !resource.flag("clusterScope") {
            let why = "resource rules that are not cluster scoped must supply at least one namespace";
            errors.required(&at.child("namespaces"), why);
        }
    }
    for (i, path) in rule.items("nonResourceRules").iter().enumerate() {
        let at = at.child("nonResourceRules").index(i);
        verbs(path, &at, errors);
        if path.items("nonResourceURLs").is_empty() {
            let why = "nonResourceURLs must contain at least one value";
            errors.required(&at.child("nonResourceURLs"), why);
        }
    }
}

fn subject(subject: &Value, at: &Path, errors: &mut Errors) {
    let kinds = [("Group", "group"), ("ServiceAccount", "serviceAccount"), ("User", "user")];
    let kind = subject.text("kind");
    let Some((_, field)) = kinds.iter().find(|(known, _)| *known == kind) else {
        return errors.not_supported(&at.child("kind"), kind, &["Group", "ServiceAccount", "User"]);
    };
    for (known, other) in kinds {
        if other == *field && !subject.has(other) {
            errors.required(&at.child(other), &format!("{other} is required when subject kind is '{known}'"));
        } else if other != *field && subject.has(other) {
            errors.forbidden(&at.child(other), &format!("{other} is forbidden when subject kind is not '{known}'"));
        }
    }
    if subject.has(field) && subject.at(field).text("name").is_empty() {
        errors.required(&at.child(field).child("name"), "");
    }
}

fn verbs(rule: &Value, at: &Path, errors: &mut Errors) {
    let (verbs, at) = (rule.items("verbs"), at.child("verbs"));
    if verbs.is_empty() {
        errors.required(&at, "verbs must contain at least one value");
    }
    if verbs.len() > 1 && verbs.iter().any(|v| v == "*") {
        errors.invalid(&at, Value::from(verbs), "if '*' is present, must not specify other verbs");
    }
    let known = |v: &&Value| v.as_str().is_some_and(|v| VERBS.contains(&v) || matches!(v, "head" | "post" | "put"));
    if let Some(other) = verbs.iter().find(|v| !known(v)) {
        errors.not_supported(&at, other.clone(), &VERBS);
    }
}

/// The rules for a PriorityLevelConfiguration.
pub fn level(level: &Value, errors: &mut Errors) {
    let (spec, at) = (level.at("spec"), Path::new("spec"));
    let exempt = level.text("metadata.name") == "exempt";
    let kind = spec.text("type");
    if exempt && kind != "Exempt" {
        errors.invalid(&at.child("type"), kind, "type must be 'Exempt' if and only if name is 'exempt'");
    }
    match kind {
        "Exempt" if spec.has("limited") => {
            errors.forbidden(&at.child("limited"), "must be nil if the type is Exempt");
        }
        "Exempt" if !exempt => {
            errors.invalid(&at.child("type"), kind, "type must be 'Exempt' if and only if name is 'exempt'");
        }
        "Exempt" => shares(spec.at("exempt"), 0, &at.child("exempt"), errors),
        "Limited" if spec.has("exempt") => {
            errors.forbidden(&at.child("exempt"), "must be nil if the type is Limited");
        }
        "Limited" if !spec.has("limited") => {
            errors.required(&at.child("limited"), "must not be empty when type is Limited");
        }
        "Limited" => limited(spec.at("limited"), &at.child("limited"), errors),
        other => errors.not_supported(&at.child("type"), other, &["Exempt", "Limited"]),
    }
}

fn shares(of: &Value, least: i64, at: &Path, errors: &mut Errors) {
    if let Some(n) = of.int("nominalConcurrencyShares").filter(|n| *n < least) {
        errors.invalid(&at.child("nominalConcurrencyShares"), n, "must be a non-negative integer");
    }
    if let Some(percent) = of.int("lendablePercent") {
        within(percent, 0, 100, &at.child("lendablePercent"), errors);
    }
}

fn limited(limited: &Value, at: &Path, errors: &mut Errors) {
    shares(limited, 0, at, errors);
    if let Some(percent) = limited.int("borrowingLimitPercent").filter(|n| *n < 0) {
        let why = "if specified, must be a non-negative integer";
        errors.invalid(&at.child("borrowingLimitPercent"), percent, why);
    }
    let (response, at) = (limited.at("limitResponse"), at.child("limitResponse"));
    match response.text("type") {
        "Reject" if response.has("queuing") => {
            errors.forbidden(&at.child("queuing"), "must be nil if limited.limitResponse.type is not Limited");
        }
        "Reject" => {}
        "Queue" if !response.has("queuing") => {
            let why = "must not be empty if limited.limitResponse.type is Limited";
            errors.required(&at.child("queuing"), why);
        }
        "Queue" => queuing(response.at("queuing"), &at.child("queuing"), errors),
        other => errors.not_supported(&at.child("type"), other, &["Queue", "Reject"]),
    }
}

fn queuing(queuing: &Value, at: &Path, errors: &mut Errors) {
    for field in ["queueLengthLimit", "queues", "handSize"] {
        let n = queuing.int(field).unwrap_or_default();
        if n <= 0 {
            errors.invalid(&at.child(field), n, "must be positive");
        }
    }
    let (queues, hand) = (queuing.int("queues").unwrap_or_default(), queuing.int("handSize").unwrap_or_default());
    if queues > QUEUES_MAX {
        errors.invalid(&at.child("queues"), queues, &format!("must not be greater than {QUEUES_MAX}"));
    }
    if hand > queues {
        errors.invalid(&at.child("handSize"), hand, &format!("should not be greater than queues ({queues})"));
    }
}
