//! The rules for probes and hooks, and for what they do.

use objects::names;
use serde_json::Value;

use super::validate::one_of;
use crate::field::{Errors, Path};
use crate::kinds::access::Look;
use crate::kinds::numbers::not_negative;

/// The rules for the three probes of a container.
pub fn probes(container: &Value, grace: Option<i64>, at: &Path, errors: &mut Errors) {
    for field in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let (probe, at) = (container.at(field), at.child(field));
        if probe.is_null() {
            continue;
        }
        handler(probe, grace, &at, errors);
        let seconds =
            ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"];
        not_negative(probe, &seconds, &at, errors);
        let own_grace = probe.int("terminationGracePeriodSeconds");
        let (grace_at, successes) = (at.child("terminationGracePeriodSeconds"), probe.int("successThreshold"));
        match (field, own_grace) {
            ("readinessProbe", Some(seconds)) => {
                errors.invalid(&grace_at, seconds, "must not be set for readinessProbes");
            }
            (_, Some(seconds)) if seconds <= 0 => errors.invalid(&grace_at, seconds, "must be greater than 0"),
            _ => {}
        }
        if let Some(n) = successes.filter(|n| field != "readinessProbe" && *n != 1) {
            errors.invalid(&at.child("successThreshold"), n, "must be 1");
        }
    }
}

/// The rules for the hooks of a container.
pub fn hooks(lifecycle: &Value, grace: Option<i64>, at: &Path, errors: &mut Errors) {
    for hook in ["postStart", "preStop"] {
        if lifecycle.has(hook) {
            handler(lifecycle.at(hook), grace, &at.child(hook), errors);
        }
    }
}

/// Exactly one thing to do, and the rules for it.
fn handler(action: &Value, grace: Option<i64>, at: &Path, errors: &mut Errors) {
    let mut seen = false;
    for kind in ["exec", "httpGet", "tcpSocket", "grpc", "sleep"] {
        let (details, at) = (action.at(kind), at.child(kind));
        if details.is_null() {
            continue;
        }
        if seen {
            errors.forbidden(&at, "may not specify more than 1 handler type");
            continue;
        }
        seen = true;
        match kind {
            "exec" if details.items("command").is_empty() => errors.required(&at.child("command"), ""),
            "httpGet" => http_get(details, &at, errors),
            "tcpSocket" => port(details.at("port"), &at.child("port"), errors),
            "grpc" => {
                let number = details.int("port").unwrap_or_default();
                for why in names::port_number(number) {
                    errors.invalid(&at.child("port"), number, &why);
                }
            }
            "sleep" => sleep(details, grace, &at, errors),
            _ => {}
        }
    }
    if !seen {
        errors.required(at, "must specify a handler type");
    }
}

/// A hook ends before the pod's patience does.
fn sleep(details: &Value, grace: Option<i64>, at: &Path, errors: &mut Errors) {
    let (seconds, Some(grace)) = (details.int("seconds").unwrap_or_default(), grace) else { return };
    if !(0..=grace).contains(&seconds) {
        let why = format!("must be non-negative and less than terminationGracePeriodSeconds ({grace})");
        errors.invalid(at, seconds, &why);
    }
}

fn http_get(details: &Value, at: &Path, errors: &mut Errors) {
    if details.text("path").is_empty() {
        errors.required(&at.child("path"), "");
    }
    port(details.at("port"), &at.child("port"), errors);
    one_of(details, "scheme", &["HTTP", "HTTPS"], at, errors);
    for header in details.items("httpHeaders") {
        let name = header.text("name");
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            errors.invalid(
                &at.child("httpHeaders"),
                name,
                "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for \
                 validation is '[-A-Za-z0-9]+')",
            );
        }
    }
}

/// A port by number or by name.
pub fn port(port: &Value, at: &Path, errors: &mut Errors) {
    match port {
        Value::String(name) => errors.all_invalid(at, name, names::port_name(name)),
        number => {
            let number = number.as_i64().unwrap_or_default();
            for why in names::port_number(number) {
                errors.invalid(at, number, &why);
            }
        }
    }
}
