//! The rules for the conversion between versions.

use std::collections::BTreeSet;

use http::Uri;
use objects::names::{dns1035_label, dns1123_subdomain};
use serde_json::Value;

use crate::field::{Errors, Path};
use crate::kinds::Look;

/// The versions of ConversionReview that are spoken here.
pub const REVIEWS: &[&str] = &["v1", "v1beta1"];

/// Checks `spec.conversion`.
pub fn validate(spec: &Value, at: &Path, errors: &mut Errors) {
    let conversion = spec.at("conversion");
    if !conversion.is_object() {
        return;
    }
    match conversion.text("strategy") {
        "" => errors.required(&at.child("strategy"), ""),
        "None" | "Webhook" => {}
        other => errors.not_supported(&at.child("strategy"), other, &["None", "Webhook"]),
    }
    let (client, reviews) =
        (conversion.at("webhook.clientConfig"), conversion.items("webhook.conversionReviewVersions"));
    // The names of upstream's internal form, which clients see in its messages.
    let (client_at, reviews_at) = (at.child("webhookClientConfig"), at.child("conversionReviewVersions"));
    if conversion.text("strategy") != "Webhook" {
        let words = "should not be set when strategy is not set to Webhook";
        if client.is_object() {
            errors.forbidden(&client_at, words);
        }
        if !reviews.is_empty() {
            errors.forbidden(&reviews_at, words);
        }
        return;
    }
    match (client.is_object(), client.has("url"), client.has("service")) {
        (false, ..) => errors.required(&client_at, "required when strategy is set to Webhook"),
        (true, url, service) if url == service => {
            errors.required(&client_at, "exactly one of url or service is required");
        }
        (true, true, _) => self::url(client.text("url"), &client_at.child("url"), errors),
        (true, false, _) => self::service(client.at("service"), &client_at.child("service"), errors),
    }
    versions(reviews, &reviews_at, errors);
}

fn versions(versions: &[Value], at: &Path, errors: &mut Errors) {
    if versions.is_empty() {
        return errors.required(at, "");
    }
    let mut seen = BTreeSet::new();
    for (i, version) in versions.iter().enumerate() {
        let version = version.as_str().unwrap_or_default();
        if seen.insert(version) {
            errors.all_invalid(&at.index(i), version, dns1035_label(version));
        } else {
            errors.invalid(&at.index(i), version, "duplicate version");
        }
    }
    if !REVIEWS.iter().any(|known| seen.contains(known)) {
        errors.invalid(at, Value::from(versions), &format!("must include at least one of {}", REVIEWS.join(", ")));
    }
}

fn url(url: &str, at: &Path, errors: &mut Errors) {
    const FORM: &str = "; desired format: https://host[/path]";
    let (url, fragment) = url.split_once('#').unwrap_or((url, ""));
    let Ok(parsed) = url.parse::<Uri>() else {
        return errors.required(at, &format!("url must be a valid URL: parse {url:?}: invalid URI for request{FORM}"));
    };
    if parsed.scheme_str() != Some("https") {
        let scheme = parsed.scheme_str().unwrap_or_default();
        errors.invalid(at, scheme, &format!("'https' is the only allowed URL scheme{FORM}"));
    }
    if parsed.host().is_none_or(str::is_empty) {
        errors.invalid(at, "", &format!("host must be specified{FORM}"));
    }
    if let Some((user, _)) = parsed.authority().and_then(|a| a.as_str().rsplit_once('@')) {
        errors.invalid(at, user, "user information is not permitted in the URL");
    }
    if !fragment.is_empty() {
        errors.invalid(at, fragment, "fragments are not permitted in the URL");
    }
    if let Some(query) = parsed.query() {
        errors.invalid(at, query, "query parameters are not permitted in the URL");
    }
}

fn service(service: &Value, at: &Path, errors: &mut Errors) {
    for (field, words) in [("name", "service name is required"), ("namespace", "service namespace is required")] {
        if service.text(field).is_empty() {
            errors.required(&at.child(field), words);
        }
    }
    let port = service.int("port").unwrap_or(443);
    if !(1..=65535).contains(&port) {
        errors.invalid(&at.child("port"), port, "port is not valid: must be between 1 and 65535, inclusive");
    }
    path(service.text("path"), &at.child("path"), errors);
}

fn path(path: &str, at: &Path, errors: &mut Errors) {
    match path {
        "" | "/" => return,
        "//" => return errors.invalid(at, path, "segment[0] may not be empty"),
        _ if !path.starts_with('/') => errors.invalid(at, path, "must start with a '/'"),
        _ => {}
    }
    let mut rest = path.chars();
    rest.next();
    let rest = rest.as_str();
    for (i, step) in rest.strip_suffix('/').unwrap_or(rest).split('/').enumerate() {
        if step.is_empty() {
            errors.invalid(at, path, &format!("segment[{i}] may not be empty"));
        }
        for wrong in Some(step).filter(|s| !s.is_empty()).map(dns1123_subdomain).unwrap_or_default() {
            errors.invalid(at, path, &format!("segment[{i}]: {wrong}"));
        }
    }
}
