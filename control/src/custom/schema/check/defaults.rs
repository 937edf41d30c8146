//! Whether defaults are values of the schema that they stand in.

use serde_json::{Value, json};

use super::super::{Structural, shown};
use crate::field::{Errors, Path};

/// What stands around a default within `metadata`: the way to it from the object.
#[derive(Clone, Copy)]
struct Around<'a> {
    up: Option<&'a Around<'a>>,
    step: Option<&'a str>,
}

impl Around<'_> {
    /// The smallest object that has the value at this place.
    fn object(&self, value: Value) -> Value {
        let Some(up) = self.up else {
            let mut object = value;
            object["apiVersion"] = "validation/v1".into();
            object["kind"] = "Validation".into();
            return object;
        };
        match self.step {
            Some(name) => up.object(json!({ name: value })),
            None => up.object(json!([value])),
        }
    }
}

/// Checks every default of a schema.
pub(super) fn check(schema: &Structural, at: &Path, errors: &mut Errors) {
    within(schema, true, at, errors);
}

/// A schema of an object, whose metadata is special.
fn within(schema: &Structural, is_object: bool, at: &Path, errors: &mut Errors) {
    let root = Around { up: None, step: None };
    node(schema, schema, is_object, &root, false, at, errors);
}

fn node(
    schema: &Structural,
    root: &Structural,
    is_object: bool,
    around: &Around<'_>,
    is_meta: bool,
    at: &Path,
    errors: &mut Errors,
) {
    if let Some(default) = schema.default.as_deref() {
        let at = at.child("default");
        if is_meta {
            in_metadata(default, schema, root, around, &at, errors)
        } else {
            plain(default, schema, &at, errors)
        }
    }
    if let Some(items) = &schema.items {
        let at = at.child("items");
        if items.embedded {
            within(items, true, &at, errors);
        } else {
            node(items, root, false, &Around { up: Some(around), step: None }, is_meta, &at, errors);
        }
    }
    for (name, property) in &schema.properties {
        let at = at.child("properties").key(name);
        if property.embedded {
            within(property, true, &at, errors);
        } else {
            let is_meta = is_meta || (is_object && matches!(&**name, "metadata" | "apiVersion" | "kind"));
            node(property, root, false, &Around { up: Some(around), step: Some(name) }, is_meta, &at, errors);
        }
    }
}

fn plain(default: &Value, schema: &Structural, at: &Path, errors: &mut Errors) {
    let mut pruned = default.clone();
    schema.prune_part(&mut pruned);
    if pruned != *default {
        errors.invalid_as(at, &shown::value(default), "must not have unknown fields");
    }
    let mut wrong = Errors::default();
    schema.coerce(&mut pruned, at, &mut Vec::new(), &mut wrong);
    if wrong.is_empty() {
        schema.check_embedded(&pruned, at, &mut wrong);
    }
    if wrong.is_empty() {
        schema.validate_part(default, at, &mut wrong);
    }
    errors.append(wrong);
}

fn in_metadata(
    default: &Value,
    schema: &Structural,
    root: &Structural,
    around: &Around<'_>,
    at: &Path,
    errors: &mut Errors,
) {
    let mut object = around.object(default.clone());
    let mut wrong = Errors::default();
    root.coerce_as_object(&mut object, &mut wrong);
    if wrong.is_empty() {
        root.check_as_object(&object, &mut wrong);
    }
    if wrong.is_empty() {
        schema.validate_part(default, at, errors);
    } else {
        errors.invalid_as(at, &shown::value(default), &format!("must result in valid metadata: {wrong}"));
    }
}
