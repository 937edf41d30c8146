//! The rules for requests and limits.

use objects::names;
use serde_json::Value;

use crate::field::{Errors, Path};
use crate::kinds::access::Look;
use crate::kinds::numbers::{not_negative_amount, quantity};

const STANDARD: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];
/// Names that mean something elsewhere, though not on a container.
const ELSEWHERE: [&str; 3] = ["storage", "pods", "services"];

/// The rules for the resources of one container.
pub fn validate(resources: &Value, at: &Path, errors: &mut Errors) {
    for (name, amount) in resources.entries("limits") {
        one(name, amount, &at.child("limits").key(name), errors);
    }
    let requests = at.child("requests");
    for (name, amount) in resources.entries("requests") {
        one(name, amount, &requests.key(name), errors);
        match resources.at("limits").get(name) {
            Some(limit) if !may_be_lower(name) && quantity(amount) != quantity(limit) => {
                let why = format!("must be equal to {name} limit of {}", quantity(limit));
                errors.invalid(&requests, amount.clone(), &why);
            }
            Some(limit) if quantity(amount) > quantity(limit) => {
                let why = format!("must be less than or equal to {name} limit of {}", quantity(limit));
                errors.invalid(&requests, amount.clone(), &why);
            }
            None if !may_be_lower(name) => {
                errors.required(&at.child("limits"), "Limit must be set for non overcommitable resources");
            }
            _ => {}
        }
    }
}

fn one(name: &str, amount: &Value, at: &Path, errors: &mut Errors) {
    errors.all_invalid(at, name, names::qualified_name(name));
    let standard = STANDARD.contains(&name) || name.starts_with("hugepages-");
    if !name.contains('/') && !standard {
        if !ELSEWHERE.contains(&name) {
            errors.invalid(at, name, "must be a standard resource type or fully qualified");
        }
        errors.invalid(at, name, "must be a standard resource for containers");
    }
    not_negative_amount(amount, at, errors);
    if !standard && quantity(amount).milli() % 1000 != 0 {
        errors.invalid(at, amount.clone(), "must be an integer");
    }
}

/// Native resources can be promised to several; devices and huge pages cannot.
fn may_be_lower(name: &str) -> bool {
    !name.starts_with("hugepages-") && (!name.contains('/') || name.contains("kubernetes.io/"))
}
