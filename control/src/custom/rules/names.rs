//! The rules for names, wanted or given.

use objects::names::dns1035_label;
use serde_json::Value;

use crate::field::{Errors, Path};
use crate::kinds::Look;

/// Checks the names that are there.
pub fn validate(names: &Value, at: &Path, errors: &mut Errors) {
    for field in ["plural", "singular"] {
        label(names.text(field), &at.child(field), errors);
    }
    for field in ["kind", "listKind"] {
        let name = names.text(field);
        let wrong = dns1035_label(&name.to_lowercase());
        if !name.is_empty() && !wrong.is_empty() {
            let words = format!("may have mixed case, but should otherwise match: {}", wrong.join(","));
            errors.invalid(&at.child(field), name, &words);
        }
    }
    list(names, "shortNames", at, errors);
    let (kind, list_kind) = (names.text("kind"), names.text("listKind"));
    if !kind.is_empty() && kind == list_kind {
        errors.invalid(&at.child("listKind"), list_kind, "kind and listKind may not be the same");
    }
    list(names, "categories", at, errors);
}

fn list(names: &Value, field: &str, at: &Path, errors: &mut Errors) {
    for (i, name) in names.items(field).iter().enumerate() {
        let (name, at) = (name.as_str().unwrap_or_default(), at.child(field).index(i));
        let wrong = dns1035_label(name);
        if !wrong.is_empty() {
            errors.invalid(&at, name, &wrong.join(","));
        }
    }
}

fn label(name: &str, at: &Path, errors: &mut Errors) {
    let wrong = dns1035_label(name);
    if !name.is_empty() && !wrong.is_empty() {
        errors.invalid(at, name, &wrong.join(","));
    }
}
