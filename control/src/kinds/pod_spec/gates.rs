//! The rules for what a pod waits for, what it costs beyond its containers, and what it is made for.

use std::collections::BTreeSet;

use objects::names;
use serde_json::Value;

use super::resources;
use crate::field::{Errors, Path};
use crate::kinds::access::Look;

const SYSTEMS: [&str; 2] = ["linux", "windows"];

/// The rules for conditions that count as readiness.
pub fn readiness(gates: &[Value], at: &Path, errors: &mut Errors) {
    for (i, gate) in gates.iter().enumerate() {
        let kind = gate.text("conditionType");
        errors.all_invalid(&at.index(i).child("conditionType"), kind, names::qualified_name(kind));
    }
}

/// The rules for what holds a pod back from its node.
pub fn scheduling(gates: &[Value], at: &Path, errors: &mut Errors) {
    let mut taken = BTreeSet::new();
    for (i, gate) in gates.iter().enumerate() {
        let name = gate.text("name");
        errors.all_invalid(&at.index(i), name, names::qualified_name(name));
        if !taken.insert(name) {
            errors.duplicate(&at.index(i), name);
        }
    }
}

/// The rules for what the pod takes beyond its containers.
pub fn overhead(overhead: &Value, at: &Path, errors: &mut Errors) {
    resources::amounts(overhead, at, errors);
}

/// The rules for the operating system, and for the fields that another one lacks.
pub fn system(spec: &Value, at: &Path, errors: &mut Errors) {
    if !spec.has("os") {
        return;
    }
    let at = at.child("os");
    match spec.text("os.name") {
        "" => errors.required(&at.child("name"), "cannot be empty"),
        known if SYSTEMS.contains(&known) => {}
        other => errors.not_supported(&at, other, &SYSTEMS),
    }
}
