//! The rules for printer columns and selectable fields.

use std::collections::BTreeSet;

use serde_json::Value;

use super::versions::simple;
use crate::field::{Errors, Path};
use crate::kinds::Look;

const TYPES: &[&str] = &["boolean", "date", "integer", "number", "string"];
const FORMATS: &[&str] = &["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];
/// So many fields can be selected by.
const MOST_FIELDS: usize = 8;

/// Checks the columns and the selectable fields of a version.
pub fn validate(version: &Value, at: &Path, errors: &mut Errors) {
    for (i, column) in version.items("additionalPrinterColumns").iter().enumerate() {
        self::column(column, &at.child("additionalPrinterColumns").index(i), errors);
    }
    fields(version, at, errors);
}

fn column(column: &Value, at: &Path, errors: &mut Errors) {
    if column.text("name").is_empty() {
        errors.required(&at.child("name"), "");
    }
    let one_of = |list: &[&str]| format!("must be one of {}", list.join(","));
    match column.text("type") {
        "" => errors.required(&at.child("type"), &one_of(TYPES)),
        known if TYPES.contains(&known) => {}
        other => errors.invalid(&at.child("type"), other, &one_of(TYPES)),
    }
    let format = column.text("format");
    if !format.is_empty() && !FORMATS.contains(&format) {
        errors.invalid(&at.child("format"), format, &one_of(FORMATS));
    }
    match column.text("jsonPath") {
        "" => errors.required(&at.child("JSONPath"), ""),
        path => drop(simple(path, &at.child("JSONPath"), errors)),
    }
}

fn fields(version: &Value, at: &Path, errors: &mut Errors) {
    let (fields, schema) = (version.items("selectableFields"), version.at("schema.openAPIV3Schema"));
    let at = at.child("selectableFields");
    let mut seen = BTreeSet::new();
    for (i, field) in fields.iter().enumerate() {
        let (path, at) = (field.text("jsonPath"), at.index(i));
        if path.is_empty() {
            errors.required(&at.child("jsonPath"), "");
            continue;
        }
        let Some(found) = find(schema, path) else {
            errors.invalid(&at.child("jsonPath"), path, "is an invalid path: does not refer to a valid field");
            continue;
        };
        if path.starts_with(".metadata.") {
            errors.invalid(&at, path, "must not point to fields in metadata");
        }
        if !matches!(found.text("type"), "string" | "boolean" | "integer") {
            let words = "must point to a field of type string, boolean or integer. Enum string fields and strings with \
                         formats are allowed.";
            errors.invalid(&at, path, words);
        }
        if !seen.insert(path) {
            errors.duplicate(&at, path);
        }
    }
    if seen.len() > MOST_FIELDS {
        errors.too_many(&at, seen.len(), MOST_FIELDS);
    }
}

/// The schema of the field that a path leads to.
fn find<'a>(schema: &'a Value, path: &str) -> Option<&'a Value> {
    path.strip_prefix('.')?.split('.').try_fold(schema, |schema, field| schema.get("properties")?.get(field))
}
