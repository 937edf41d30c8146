//! Ingresses: stored and shown; nothing serves them yet.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::access::{Change, Look};
use super::columns::{AGE, Column, NAME};
use super::generic::keep_status;
use super::{Behavior, Generation, cells};
use crate::field::{Errors, Path};

const SHOWN: usize = 3;

/// What ingresses do.
pub const BEHAVIOR: Behavior = Behavior {
    prepare_create: |ingress| ingress.set("", "status", json!({"loadBalancer": {}})),
    prepare_update: keep_status,
    validate,
    columns: &[
        NAME,
        Column::text("Class", "The name of the IngressClass resource that should be used for additional configuration"),
        Column::text("Hosts", "Hosts that incoming requests are matched against before the ingress rule"),
        Column::text("Address", "Address is a list containing ingress points for the load-balancer"),
        Column::text("Ports", "Ports of TLS configurations that open"),
        AGE,
    ],
    row,
    generation: Generation::Spec,
    ..Behavior::GENERIC
};

fn validate(ingress: &Value, errors: &mut Errors) {
    let (spec, at) = (ingress.at("spec"), Path::new("spec"));
    if spec.items("rules").is_empty() && !spec.has("defaultBackend") {
        errors.invalid(&at, json!([]), "either `defaultBackend` or `rules` must be specified");
    }
    for (i, rule) in spec.items("rules").iter().enumerate() {
        let at = at.child("rules").index(i).child("http");
        if rule.has("http") && rule.items("http.paths").is_empty() {
            errors.required(&at.child("paths"), "");
        }
        for (i, path) in rule.items("http.paths").iter().enumerate() {
            let at = at.child("paths").index(i);
            let types = ["Exact", "ImplementationSpecific", "Prefix"];
            match path.text("pathType") {
                "" => errors.required(&at.child("pathType"), "pathType must be specified"),
                other if !types.contains(&other) => errors.not_supported(&at.child("pathType"), other, &types),
                "ImplementationSpecific" => {}
                _ if !path.text("path").starts_with('/') => {
                    errors.invalid(&at.child("path"), path.text("path"), "must be an absolute path");
                }
                _ => {}
            }
        }
    }
}

fn row(ingress: &Value, now: Timestamp) -> Vec<Value> {
    let rules = ingress.items("spec.rules").iter();
    let hosts: Vec<String> = rules.map(|r| r.text("host").to_owned()).filter(|h| !h.is_empty()).collect();
    let ports = if ingress.items("spec.tls").is_empty() { "80" } else { "80, 443" };
    vec![
        cells::name(ingress),
        cells::text_or_none(ingress, "spec.ingressClassName"),
        cells::or(&cells::some_of(&hosts, SHOWN), "*"),
        cells::load_balancer(ingress.at("status.loadBalancer")).into(),
        ports.into(),
        cells::age(ingress, now),
    ]
}
