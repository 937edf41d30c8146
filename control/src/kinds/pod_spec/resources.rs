//! The rules for requests and limits.

use objects::names;
use objects::quantity::Quantity;
use serde_json::Value;

use crate::field::{Errors, Path};
use crate::kinds::access::Look;
use crate::kinds::numbers::{not_negative_amount, quantity};
use crate::kinds::resource_names::may_be_lower;

const HUGE: &str = "hugepages-";
const STANDARD: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];
/// Names that mean something elsewhere, though not on a container.
const ELSEWHERE: [&str; 3] = ["storage", "pods", "services"];

/// The rules for the resources of one container in a pod with these claims.
pub fn validate(resources: &Value, claims: &[Value], at: &Path, errors: &mut Errors) {
    amounts(resources.at("limits"), &at.child("limits"), errors);
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
    let any = |is: fn(&str) -> bool| ["limits", "requests"].iter().any(|l| resources.entries(l).any(|(n, _)| is(n)));
    if any(|name| name.starts_with(HUGE)) && !any(|name| matches!(name, "cpu" | "memory")) {
        errors.forbidden(at, "HugePages require cpu or memory");
    }
    for (i, claim) in resources.items("claims").iter().enumerate() {
        let (name, at) = (claim.text("name"), at.child("claims").index(i));
        if name.is_empty() {
            errors.required(&at, "");
        } else if !claims.iter().any(|c| c.text("name") == name) {
            errors.not_found(&at, name);
        }
    }
}

/// The rules for a list of amounts by resource.
pub fn amounts(list: &Value, at: &Path, errors: &mut Errors) {
    for (name, amount) in list.entries("") {
        one(name, amount, &at.key(name), errors);
    }
}

fn one(name: &str, amount: &Value, at: &Path, errors: &mut Errors) {
    errors.all_invalid(at, name, names::qualified_name(name));
    let standard = STANDARD.contains(&name) || name.starts_with(HUGE);
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
    let page = name.strip_prefix(HUGE).and_then(|size| size.parse::<Quantity>().ok()).map_or(0, Quantity::whole);
    if page > 0 && quantity(amount).whole() % page != 0 {
        let why = format!("{} is not positive integer multiple of {name}", quantity(amount));
        errors.invalid(at, amount.clone(), &why);
    }
}
