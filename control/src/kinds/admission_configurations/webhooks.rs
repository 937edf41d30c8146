//! The rules for webhooks.

use std::collections::HashSet;

use http::Uri;
use objects::names;
use serde_json::Value;

use super::rules::{self, FAILURE_POLICIES, MATCH_POLICIES, one_of};
use crate::field::{Errors, Path};
use crate::kinds::Look;

const VERSIONS: [&str; 2] = ["v1", "v1beta1"];
const WITHOUT_EFFECTS: &[&str] = &["None", "NoneOnDryRun"];

/// All that is wrong with a configuration.
pub fn validate(configuration: &Value, mutating: bool, errors: &mut Errors) {
    let mut seen = HashSet::new();
    for (i, webhook) in configuration.items("webhooks").iter().enumerate() {
        let at = Path::new("webhooks").index(i);
        check(webhook, mutating, &at, errors);
        review_versions(webhook.items("admissionReviewVersions"), &at.child("admissionReviewVersions"), errors);
        let name = webhook.text("name");
        if !name.is_empty() && !seen.insert(name) {
            errors.duplicate(&at.child("name"), name);
        }
    }
}

fn check(webhook: &Value, mutating: bool, at: &Path, errors: &mut Errors) {
    qualified(webhook.text("name"), &at.child("name"), errors);
    for (i, rule) in webhook.items("rules").iter().enumerate() {
        rules::rule(rule, &at.child("rules").index(i), errors);
    }
    one_of(webhook, "failurePolicy", FAILURE_POLICIES, at, errors);
    one_of(webhook, "matchPolicy", MATCH_POLICIES, at, errors);
    if !webhook.has("sideEffects") {
        let why = format!("must specify one of {}", WITHOUT_EFFECTS.join(", "));
        errors.required(&at.child("sideEffects"), &why);
    }
    one_of(webhook, "sideEffects", WITHOUT_EFFECTS, at, errors);
    if let Some(seconds) = webhook.int("timeoutSeconds").filter(|seconds| !(1..=30).contains(seconds)) {
        let why = "the timeout value must be between 1 and 30 seconds";
        errors.invalid(&at.child("timeoutSeconds"), seconds, why);
    }
    rules::selectors(webhook, at, errors);
    if mutating {
        one_of(webhook, "reinvocationPolicy", &["IfNeeded", "Never"], at, errors);
    }
    client(webhook.at("clientConfig"), &at.child("clientConfig"), errors);
    rules::conditions(webhook, false, at, errors);
}

fn qualified(name: &str, at: &Path, errors: &mut Errors) {
    if name.is_empty() {
        errors.required(at, "");
        return;
    }
    let wrong = names::dns1123_subdomain(name);
    if !wrong.is_empty() {
        errors.invalid(at, name, &wrong.join(","));
    } else if name.split('.').count() < 3 {
        errors.invalid(at, name, "should be a domain with at least three segments separated by dots");
    }
}

fn review_versions(versions: &[Value], at: &Path, errors: &mut Errors) {
    let known = VERSIONS.join(", ");
    if versions.is_empty() {
        errors.required(at, &format!("must specify one of {known}"));
        return;
    }
    let mut seen = HashSet::new();
    for (i, version) in versions.iter().filter_map(Value::as_str).enumerate() {
        if seen.insert(version) {
            errors.all_invalid(&at.index(i), version, names::dns1035_label(version));
        } else {
            errors.invalid(&at.index(i), version, "duplicate version");
        }
    }
    if !VERSIONS.iter().any(|version| seen.contains(version)) {
        errors.invalid(at, versions.to_vec(), &format!("must include at least one of {known}"));
    }
}

fn client(config: &Value, at: &Path, errors: &mut Errors) {
    match (config.has("url"), config.has("service")) {
        (true, false) => url(config.text("url"), &at.child("url"), errors),
        (false, true) => service(config.at("service"), &at.child("service"), errors),
        _ => errors.required(at, "exactly one of url or service is required"),
    }
}

fn url(url: &str, at: &Path, errors: &mut Errors) {
    const FORM: &str = "; desired format: https://host[/path]";
    let (url, fragment) = url.split_once('#').unwrap_or((url, ""));
    let Ok(uri) = url.parse::<Uri>() else {
        let why = format!("url must be a valid URL: parse {url:?}: invalid URI for request{FORM}");
        errors.required(at, &why);
        return;
    };
    let scheme = uri.scheme_str().unwrap_or_default();
    if scheme != "https" {
        errors.invalid(at, scheme, &format!("'https' is the only allowed URL scheme{FORM}"));
    }
    if uri.scheme().is_none() || uri.host().unwrap_or_default().is_empty() {
        errors.invalid(at, "", &format!("host must be specified{FORM}"));
    }
    if let Some((user, _)) = uri.authority().and_then(|authority| authority.as_str().rsplit_once('@')) {
        errors.invalid(at, user, "user information is not permitted in the URL");
    }
    if !fragment.is_empty() {
        errors.invalid(at, fragment, "fragments are not permitted in the URL");
    }
    if let Some(query) = uri.query().filter(|query| !query.is_empty()) {
        errors.invalid(at, query, "query parameters are not permitted in the URL");
    }
}

fn service(service: &Value, at: &Path, errors: &mut Errors) {
    if service.text("name").is_empty() {
        errors.required(&at.child("name"), "service name is required");
    }
    if service.text("namespace").is_empty() {
        errors.required(&at.child("namespace"), "service namespace is required");
    }
    let port = service.int("port").unwrap_or(443);
    let wrong = names::port_number(port);
    if !wrong.is_empty() {
        errors.invalid(&at.child("port"), port, &format!("port is not valid: {}", wrong.join(",")));
    }
    path(service.text("path"), &at.child("path"), errors);
}

fn path(path: &str, at: &Path, errors: &mut Errors) {
    if matches!(path, "" | "/") {
        return;
    }
    if path == "//" {
        errors.invalid(at, path, "segment[0] may not be empty");
        return;
    }
    if !path.starts_with('/') {
        errors.invalid(at, path, "must start with a '/'");
    }
    let inside = path.get(1..).unwrap_or_default();
    let inside = inside.strip_suffix('/').unwrap_or(inside);
    for (i, segment) in inside.split('/').enumerate() {
        if segment.is_empty() {
            errors.invalid(at, path, &format!("segment[{i}] may not be empty"));
            continue;
        }
        for wrong in names::dns1123_subdomain(segment) {
            errors.invalid(at, path, &format!("segment[{i}]: {wrong}"));
        }
    }
}
