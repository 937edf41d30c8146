//! From client-side apply to server-side apply: `kubectl apply --server-side` of what `kubectl apply` made.
//!
//! The annotation of client-side apply says what its user applied. Where the live object still agrees with it, the user owns
//! those fields in all but name: a conflict about them is none. The annotation is kept up to date, so that the user can go
//! back.

use schema::apply::{Conflict, FieldSet, Versions, compare, paths};
use serde_json::Value;

use super::form::Form;
use super::ledger::Manager;
use crate::registry::object::metadata;

const ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Takes out of conflicts what the annotation allows; true where nothing is left of them.
pub fn settles(form: &Form<'_>, live: &Value, conflicts: &mut Vec<Conflict<Manager>>) -> bool {
    let Some(allowed) = allowed(form, live) else { return false };
    for conflict in conflicts.iter_mut() {
        conflict.fields = std::mem::take(&mut conflict.fields).difference(&allowed);
    }
    conflicts.retain(|conflict| !conflict.fields.is_empty());
    conflicts.is_empty()
}

/// The fields that client-side apply set and nobody changed since.
fn allowed(form: &Form<'_>, live: &Value) -> Option<FieldSet> {
    let last: Value = serde_json::from_str(annotation(live)?).ok()?;
    if last.get("apiVersion").and_then(Value::as_str) != Some(form.requested()) {
        return None;
    }
    let view = form.view(form.requested())?;
    schema::apply::validate(view, &last).ok()?;
    let since = compare(view, &last, live);
    let set = paths(view, &last);
    Some(set.difference(&since.modified).difference(&since.added).difference(&since.removed))
}

fn annotation(object: &Value) -> Option<&str> {
    let text = metadata(object)?.get("annotations")?.get(ANNOTATION)?.as_str()?;
    Some(text).filter(|text| !text.is_empty())
}

/// Brings an annotation that is there up to what was applied.
pub fn follow(object: &mut Value, config: &Value) {
    if annotation(object).is_none() {
        return;
    }
    let mut config = config.clone();
    if let Some(annotations) = config.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.shift_remove(ANNOTATION);
    }
    sort(&mut config);
    if let Some(annotations) = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.insert(ANNOTATION.to_owned(), format!("{config}\n").into());
    }
}

/// Go writes maps by key.
fn sort(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.sort_keys();
            map.values_mut().for_each(sort);
        }
        Value::Array(items) => items.iter_mut().for_each(sort),
        _ => {}
    }
}
