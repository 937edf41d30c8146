//! The rules for ingresses.

use objects::names;
use serde_json::Value;

use crate::field::{Errors, Path};
use crate::kinds::access::Look;

/// The annotation from before there was a field.
const CLASS: &str = "kubernetes.io/ingress.class";
const TYPES: [&str; 3] = ["Exact", "ImplementationSpecific", "Prefix"];
const WILDCARD: &str = "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must \
    consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. \
    '*.example.com', regex used for validation is \
    '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

/// The rules for any ingress.
pub fn validate(ingress: &Value, errors: &mut Errors) {
    let (spec, at) = (ingress.at("spec"), Path::new("spec"));
    let rules = spec.items("rules");
    if rules.is_empty() && !spec.has("defaultBackend") {
        let why = "either `defaultBackend` or `rules` must be specified";
        errors.invalid_as(&at, "[]networking.IngressRule(nil)", why);
    }
    if spec.has("defaultBackend") {
        backend(spec.at("defaultBackend"), &at.child("defaultBackend"), errors);
    }
    for (i, rule) in rules.iter().enumerate() {
        let at = at.child("rules").index(i);
        host(rule.text("host"), &at.child("host"), errors);
        if rule.has("http") {
            paths(rule.items("http.paths"), &at.child("http").child("paths"), errors);
        }
    }
    for (i, tls) in spec.items("tls").iter().enumerate() {
        let at = at.child("tls").index(i);
        for (i, name) in tls.items("hosts").iter().filter_map(Value::as_str).enumerate() {
            let at = at.child("hosts").index(i);
            errors.all_invalid(&at, name, dns_name(name));
        }
        let secret = tls.text("secretName");
        if !secret.is_empty() {
            errors.all_invalid(&at.child("secretName"), secret, names::dns1123_subdomain(secret));
        }
    }
    if let Some(class) = spec.at("ingressClassName").as_str() {
        errors.all_invalid(&at.child("ingressClassName"), class, names::dns1123_subdomain(class));
    }
}

/// The rules for a new one: its class is said in one way.
pub fn validate_create(ingress: &Value, errors: &mut Errors) {
    if ingress.has("spec.ingressClassName")
        && let Some(class) = ingress.at("metadata.annotations").get(CLASS).and_then(Value::as_str)
    {
        let at = Path::new("metadata.annotations").child(CLASS);
        errors.invalid(&at, class, "can not be set when the class field is also set");
    }
}

fn host(host: &str, at: &Path, errors: &mut Errors) {
    if host.is_empty() {
        return;
    }
    if host.parse::<std::net::IpAddr>().is_ok() {
        errors.invalid(at, host, "must be a DNS name, not an IP address");
    }
    errors.all_invalid(at, host, dns_name(host));
}

fn dns_name(name: &str) -> Vec<String> {
    if !name.contains('*') {
        return names::dns1123_subdomain(name);
    }
    let fits = name.strip_prefix("*.").is_some_and(|rest| names::dns1123_subdomain(rest).is_empty());
    if fits { Vec::new() } else { vec![WILDCARD.to_owned()] }
}

fn paths(paths: &[Value], at: &Path, errors: &mut Errors) {
    if paths.is_empty() {
        errors.required(at, "");
    }
    for (i, path) in paths.iter().enumerate() {
        let at = at.index(i);
        let (text, text_at) = (path.text("path"), at.child("path"));
        match path.text("pathType") {
            "" => {
                errors.required(&at.child("pathType"), "pathType must be specified");
                continue;
            }
            "Exact" | "Prefix" => literal(text, &text_at, errors),
            "ImplementationSpecific" => {
                if !text.is_empty() && !text.starts_with('/') {
                    errors.invalid(&text_at, text, "must be an absolute path");
                }
            }
            other => errors.not_supported(&at.child("pathType"), other, &TYPES),
        }
        backend(path.at("backend"), &at.child("backend"), errors);
    }
}

/// A path that is compared as it is has one form.
fn literal(text: &str, at: &Path, errors: &mut Errors) {
    if !text.starts_with('/') {
        errors.invalid(at, text, "must be an absolute path");
    }
    for sequence in ["//", "/./", "/../", "%2f", "%2F"].iter().filter(|s| text.contains(**s)) {
        errors.invalid(at, text, &format!("must not contain '{sequence}'"));
    }
    for suffix in ["/..", "/."].iter().filter(|s| text.ends_with(**s)) {
        errors.invalid(at, text, &format!("cannot end with '{suffix}'"));
    }
}

fn backend(backend: &Value, at: &Path, errors: &mut Errors) {
    match (backend.has("resource"), backend.has("service")) {
        (true, true) => errors.invalid(at, "", "cannot set both resource and service backends"),
        (true, false) => resource(backend.at("resource"), &at.child("resource"), errors),
        (false, true) => service(backend.at("service"), at, errors),
        (false, false) => errors.invalid(at, "", "resource or service backend is required"),
    }
}

fn resource(resource: &Value, at: &Path, errors: &mut Errors) {
    for field in ["kind", "name"] {
        let text = resource.text(field);
        if text.is_empty() {
            errors.required(&at.child(field), "");
        } else {
            errors.all_invalid(&at.child(field), text, names::path_segment(text));
        }
    }
}

fn service(service: &Value, at: &Path, errors: &mut Errors) {
    let service_at = at.child("service");
    match service.text("name") {
        "" => errors.required(&service_at.child("name"), ""),
        name => errors.all_invalid(&service_at.child("name"), name, names::dns1035_label(name)),
    }
    let (name, number) = (service.text("port.name"), service.int("port.number").unwrap_or_default());
    let port_at = service_at.child("port");
    match (name, number) {
        ("", 0) => errors.required(at, "port name or number is required"),
        ("", number) => {
            for why in names::port_number(number) {
                errors.invalid(&port_at.child("number"), number, &why);
            }
        }
        (name, 0) => errors.all_invalid(&port_at.child("name"), name, names::port_name(name)),
        _ => errors.invalid(at, "", "cannot set both port name & port number"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(spec: Value) -> String {
        let mut errors = Errors::default();
        validate(&json!({"spec": spec}), &mut errors);
        errors.to_string()
    }

    fn path(fields: Value) -> Value {
        let mut path = json!({"path": "/", "pathType": "Prefix",
            "backend": {"service": {"name": "s", "port": {"number": 80}}}});
        if let (Some(to), Value::Object(from)) = (path.as_object_mut(), fields) {
            to.extend(from);
        }
        json!({"rules": [{"http": {"paths": [path]}}]})
    }

    #[test]
    fn each_rule_has_its_words() {
        let cases = [
            (
                json!({}),
                "spec: Invalid value: []networking.IngressRule(nil): either `defaultBackend` or `rules` must be specified",
            ),
            (path(json!({})), "[]"),
            (
                path(json!({"pathType": null})),
                "spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified",
            ),
            (
                path(json!({"path": "a//b"})),
                "[spec.rules[0].http.paths[0].path: Invalid value: \"a//b\": must be an absolute path, \
                 spec.rules[0].http.paths[0].path: Invalid value: \"a//b\": must not contain '//']",
            ),
            (
                path(json!({"backend": {}})),
                "spec.rules[0].http.paths[0].backend: Invalid value: \"\": resource or service backend is required",
            ),
            (
                path(json!({"backend": {"service": {"name": "s"}}})),
                "spec.rules[0].http.paths[0].backend: Required value: port name or number is required",
            ),
            (
                json!({"rules": [{"host": "10.0.0.1"}]}),
                "spec.rules[0].host: Invalid value: \"10.0.0.1\": must be a DNS name, not an IP address",
            ),
            (json!({"rules": [{"host": "*.example.com"}]}), "[]"),
        ];
        for (spec, words) in cases {
            assert_eq!(said(spec), words);
        }
    }
}
