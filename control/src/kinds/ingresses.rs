//! Ingresses: stored and shown; nothing serves them yet.

mod rules;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::access::{Change, Look};
use super::columns::{AGE, Column, NAME};
use super::generic::keep_status;
use super::{Behavior, Generation, cells};

const SHOWN: usize = 3;

/// What ingresses do.
pub const BEHAVIOR: Behavior = Behavior {
    prepare_create: |ingress| ingress.set("", "status", json!({"loadBalancer": {}})),
    prepare_update: keep_status,
    validate: rules::validate,
    validate_create: rules::validate_create,
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
