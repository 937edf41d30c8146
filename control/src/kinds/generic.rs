//! What every kind does unless its own file says otherwise.

use jiff::Timestamp;
use serde_json::Value;

use super::access::{Change, Look};
use super::columns::{CREATED_AT, NAME};
use super::{Behavior, Generation, metadata};
use crate::store::Class;

impl Behavior {
    /// A kind without rules of its own. A kind's file starts from this and names what differs.
    pub const GENERIC: Behavior = Behavior {
        default: |_| {},
        prepare_create: |_| {},
        sign: |_, _| {},
        prepare_update: |_, _| {},
        prepare_status_update: keep_all_but_status,
        validate: |_, _| {},
        validate_create: |_, _| {},
        validate_update: |_, _, _| {},
        validate_status_update: |_, _, _| {},
        parts: &[],
        warnings: |_| Vec::new(),
        deprecation: None,
        name: metadata::subdomain,
        columns: &[NAME, CREATED_AT],
        row: |object, _: Timestamp| {
            vec![object.at("metadata.name").clone(), object.at("metadata.creationTimestamp").clone()]
        },
        fields: &[],
        field: |object, path| text_of(object.at(path)),
        class: Class::Durable,
        generation: Generation::Absent,
        allow_unconditional_update: true,
        allow_create_on_update: false,
        any_finalizer: false,
    };

    /// What the kinds of CustomResourceDefinitions have in common; the rest is in the definition.
    pub const CUSTOM: Behavior = Behavior {
        generation: Generation::Spec,
        allow_unconditional_update: false,
        any_finalizer: true,
        warnings: unowned_finalizers,
        ..Behavior::GENERIC
    };
}

/// Custom resources may have finalizers of any name, but are told of better ones.
fn unowned_finalizers(object: &Value) -> Vec<String> {
    let plain = object.items("metadata.finalizers").iter().filter_map(Value::as_str).filter(|f| !f.contains('/'));
    let unknown = plain.filter(|f| !matches!(*f, "kubernetes" | "orphan" | "foregroundDeletion"));
    let words = "prefer a domain-qualified finalizer name including a path (/) to avoid accidental conflicts with other \
                 finalizer writers";
    unknown.map(|finalizer| format!("metadata.finalizers: {finalizer:?}: {words}")).collect()
}

/// A field's value as selectors compare it: absent is an empty text.
pub fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// For the status endpoint: everything as it was, but for the status and the metadata that belongs to the write.
pub fn keep_all_but_status(new: &mut Value, old: &Value) {
    let status = new.unset("", "status");
    let metadata = new.unset("", "metadata");
    *new = old.clone();
    if let Some(metadata) = metadata {
        new.set("", "metadata", metadata);
    }
    match status {
        Some(status) => new.set("", "status", status),
        None => drop(new.unset("", "status")),
    }
}

/// For the main endpoint of a kind with a status: the status as it was.
pub fn keep_status(new: &mut Value, old: &Value) {
    new.restore("", "status", old);
}
