//! NetworkPolicies: stored and shown; the wire does not enforce them yet.

mod rules;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::access::{Change, Look};
use super::columns::{AGE, Column, NAME};
use super::{Behavior, Generation, cells};

/// What policies do.
pub const BEHAVIOR: Behavior = Behavior {
    default,
    validate: rules::validate,
    warnings: |_| vec!["spec: not supported by Sampan, ignored: no traffic is restricted".into()],
    columns: &[
        NAME,
        Column::text(
            "Pod-Selector",
            "Selects the pods to which this NetworkPolicy object applies.  The array of ingress rules is applied to \
             any pods selected by this field. Multiple network policies can select the same set of pods.  In this \
             case, the ingress rules for each are combined additively. This field is NOT optional and follows \
             standard label selector semantics. An empty podSelector matches all pods in this namespace.",
        ),
        AGE,
    ],
    row: |policy: &Value, now: Timestamp| {
        vec![cells::name(policy), cells::selector(policy.at("spec.podSelector")), cells::age(policy, now)]
    },
    generation: Generation::Spec,
    ..Behavior::GENERIC
};

fn default(policy: &mut Value) {
    for direction in ["spec.ingress", "spec.egress"] {
        for rule in policy.items_mut(direction) {
            for port in rule.items_mut("ports") {
                port.set_default("", "protocol", "TCP");
            }
        }
    }
    if policy.items("spec.policyTypes").is_empty() {
        let both = !policy.items("spec.egress").is_empty();
        let types = if both { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) };
        policy.set("spec", "policyTypes", types);
    }
}
