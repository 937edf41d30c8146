//! The rules for how traffic from outside comes to a service, and where it goes.

use objects::names;
use serde_json::Value;

use crate::field::{Errors, Path};
use crate::kinds::access::Look;
use crate::kinds::addresses::range;

const BALANCED: &str = "may only be used when `type` is 'LoadBalancer'";

/// The rules for a service of this type.
pub fn validate(spec: &Value, kind: &str, at: &Path, errors: &mut Errors) {
    load_balancer(spec, kind == "LoadBalancer", at, errors);
    external(spec, kind, at, errors);
    let policy = spec.text("internalTrafficPolicy");
    if !matches!(policy, "" | "Cluster" | "Local") {
        errors.not_supported(&at.child("internalTrafficPolicy"), policy, &["Cluster", "Local"]);
    }
    if let Some(distribution) = spec.at("trafficDistribution").as_str().filter(|d| *d != "PreferClose") {
        errors.not_supported(&at.child("trafficDistribution"), distribution, &["PreferClose"]);
    }
}

fn load_balancer(spec: &Value, balanced: bool, at: &Path, errors: &mut Errors) {
    let ranges = spec.items("loadBalancerSourceRanges");
    // The capital is upstream's.
    let ranges_at = at.child("LoadBalancerSourceRanges");
    if !ranges.is_empty() && !balanced {
        errors.forbidden(&ranges_at, BALANCED);
    }
    for (i, text) in ranges.iter().filter_map(Value::as_str).enumerate() {
        range(text.trim(), &ranges_at.index(i), errors);
    }
    let allocate = at.child("allocateLoadBalancerNodePorts");
    match spec.has("allocateLoadBalancerNodePorts") {
        true if !balanced => errors.forbidden(&allocate, BALANCED),
        false if balanced => errors.required(&allocate, ""),
        _ => {}
    }
    match spec.at("loadBalancerClass").as_str() {
        Some(_) if !balanced => errors.forbidden(&at.child("loadBalancerClass"), BALANCED),
        Some(class) => errors.all_invalid(&at.child("loadBalancerClass"), class, names::qualified_name(class)),
        None => {}
    }
}

fn external(spec: &Value, kind: &str, at: &Path, errors: &mut Errors) {
    let policy = spec.text("externalTrafficPolicy");
    let outside =
        matches!(kind, "NodePort" | "LoadBalancer") || (kind == "ClusterIP" && !spec.items("externalIPs").is_empty());
    let policy_at = at.child("externalTrafficPolicy");
    match policy {
        "" if outside => errors.required(&policy_at, ""),
        "" => {}
        other if !outside => {
            errors.invalid(&policy_at, other, "may only be set for externally-accessible services");
        }
        "Cluster" | "Local" => {}
        other => errors.not_supported(&policy_at, other, &["Cluster", "Local"]),
    }
    let checked = kind == "LoadBalancer" && policy == "Local";
    if let Some(port) = spec.int("healthCheckNodePort").filter(|n| *n != 0 && !checked) {
        let why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
        errors.invalid(&at.child("healthCheckNodePort"), port, why);
    }
}
