//! ControllerRevisions: snapshots of a template, whose data never changes.

use jiff::Timestamp;
use serde_json::Value;

use super::access::Look;
use super::columns::{AGE, Column, NAME};
use super::{Behavior, cells};
use crate::field::{Errors, Path};

/// What ControllerRevisions do.
pub const BEHAVIOR: Behavior = Behavior {
    validate,
    validate_update: |new, old, errors| {
        if new.at("data") != old.at("data") {
            errors.invalid(&Path::new("data"), new.at("data").clone(), "field is immutable");
        }
    },
    columns: &[
        NAME,
        Column::text("Controller", "Controller of the object"),
        Column::text("Revision", "Revision indicates the revision of the state represented by Data."),
        AGE,
    ],
    row,
    ..Behavior::GENERIC
};

fn validate(revision: &Value, errors: &mut Errors) {
    if !revision.has("data") {
        errors.required(&Path::new("data"), "data is mandatory");
    }
    if let Some(n) = revision.int("revision").filter(|n| *n < 0) {
        errors.invalid(&Path::new("revision"), n, "must be greater than or equal to 0");
    }
}

fn row(revision: &Value, now: Timestamp) -> Vec<Value> {
    vec![
        cells::name(revision),
        controller(revision).into(),
        cells::count(revision, "revision"),
        cells::age(revision, now),
    ]
}

/// `statefulset.apps/web`.
fn controller(revision: &Value) -> String {
    let Some(owner) = revision.items("metadata.ownerReferences").iter().find(|o| o.flag("controller")) else {
        return "<none>".into();
    };
    let kind = owner.text("kind").to_lowercase();
    let name = owner.text("name");
    match owner.text("apiVersion").split_once('/') {
        Some((group, _)) => format!("{kind}.{group}/{name}"),
        None => format!("{kind}/{name}"),
    }
}
