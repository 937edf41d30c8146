//! The names of resources that limits and quotas know: `cpu`, `services.nodeports`, `count/deployments.apps`.

use objects::names;
use serde_json::Value;

use super::numbers::{not_negative_amount, quantity};
use crate::field::{Errors, Path};

const CONTAINERS: &[&str] = &["cpu", "memory", "ephemeral-storage"];
const COMPUTE: &[&str] = &[
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "requests.storage",
];
/// What is counted, in whole numbers.
const COUNTED: &[&str] = &[
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
];

/// The rules for any name.
pub fn any(name: &str, at: &Path, errors: &mut Errors) {
    let wrong = names::qualified_name(name);
    if wrong.is_empty() && !name.contains('/') && !is_quota(name) && name != "storage" {
        errors.invalid(at, name, "must be a standard resource type or fully qualified");
    }
    errors.all_invalid(at, name, wrong);
}

/// The rules for a name that containers ask for.
pub fn of_containers(name: &str, at: &Path, errors: &mut Errors) {
    any(name, at, errors);
    if !name.contains('/') && !CONTAINERS.contains(&name) && !name.starts_with("hugepages-") {
        errors.invalid(at, name, "must be a standard resource for containers");
    }
}

/// The rules for a name and its amount in a quota.
pub fn of_quotas(name: &str, amount: &Value, at: &Path, errors: &mut Errors) {
    any(name, at, errors);
    if !name.contains('/') && !is_quota(name) {
        errors.invalid(at, name, "must be a standard resource for quota");
    }
    not_negative_amount(amount, at, errors);
    let whole = COUNTED.contains(&name) || is_extended(name);
    if whole && quantity(amount).milli() % 1000 != 0 {
        errors.invalid(at, amount.clone(), "must be an integer");
    }
}

/// True for a name without a domain that quotas limit.
pub fn is_quota(name: &str) -> bool {
    CONTAINERS.contains(&name)
        || COMPUTE.contains(&name)
        || COUNTED.contains(&name)
        || name.starts_with("hugepages-")
        || name.starts_with("requests.hugepages-")
}

/// Native resources can be promised to several; devices and huge pages cannot.
pub fn may_be_lower(name: &str) -> bool {
    !name.starts_with("hugepages-") && (!name.contains('/') || name.contains("kubernetes.io/"))
}

/// Devices and the like: named by a domain that is not Kubernetes'.
pub fn is_extended(name: &str) -> bool {
    name.contains('/') && !name.contains("kubernetes.io/") && !name.starts_with("requests.")
}
