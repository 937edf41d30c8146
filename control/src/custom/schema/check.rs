//! Whether a schema may be a custom resource's.
//!
//! The tree of types has to stand on its own ([`structure`]), so that pruning and defaults need not look into `anyOf`; its
//! defaults have to be values of it ([`defaults`]); and every keyword has to make sense where it is ([`keywords`]). Rules
//! are only compiled when all that is well: their types come from the schema.

mod defaults;
mod keywords;
mod structure;

use serde_json::Value;

use super::{Structural, parse};
use crate::field::{Errors, Path};
use crate::kinds::access::Look;

/// What the status sub-resource lets stand at the root, by Go's names of the fields, which the message lists.
const BESIDE_STATUS: [(&str, &str); 22] = [
    ("description", "Description"),
    ("type", "Type"),
    ("format", "Format"),
    ("title", "Title"),
    ("maximum", "Maximum"),
    ("exclusiveMaximum", "ExclusiveMaximum"),
    ("minimum", "Minimum"),
    ("exclusiveMinimum", "ExclusiveMinimum"),
    ("maxLength", "MaxLength"),
    ("minLength", "MinLength"),
    ("pattern", "Pattern"),
    ("maxItems", "MaxItems"),
    ("minItems", "MinItems"),
    ("uniqueItems", "UniqueItems"),
    ("multipleOf", "MultipleOf"),
    ("required", "Required"),
    ("items", "Items"),
    ("properties", "Properties"),
    ("externalDocs", "ExternalDocs"),
    ("example", "Example"),
    ("x-kubernetes-preserve-unknown-fields", "XPreserveUnknownFields"),
    ("x-kubernetes-validations", "XValidations"),
];

/// Says all that is wrong with a schema: `at` is where it stands (`spec.versions[0].schema.openAPIV3Schema`).
pub fn check(schema: &Value, at: &Path, errors: &mut Errors) {
    if schema.flag("nullable") {
        errors.forbidden(&at.child("nullable"), "nullable cannot be true at the root");
    }
    let unsupported = parse::unsupported(schema, 0);
    let mut found = Errors::default();
    let mut tree = None;
    if unsupported.is_none() {
        structure::check(schema, at, &mut found);
        if found.is_empty()
            && let Ok(parsed) = Structural::parse(schema)
        {
            defaults::check(&parsed, at, &mut found);
            tree = Some(parsed).filter(|_| found.is_empty());
        }
    }
    if !parse::is_too_deep(schema) {
        keywords::check(schema, at, tree.is_some(), &mut found);
    }
    if let (true, Some(words)) = (found.is_empty(), unsupported) {
        found.invalid(at, "", &words);
    }
    errors.append(found);
}

/// What the status sub-resource asks of the root besides: `status` is checked alone, and nothing said of it is lost.
pub fn check_beside_status(schema: &Value, at: &Path, errors: &mut Errors) {
    let ty = schema.text("type");
    if !ty.is_empty() && ty != "object" {
        let words =
            "only \"object\" is allowed as the type at the root of the schema if the status subresource is enabled";
        errors.invalid(&at.child("type"), ty, words);
        return;
    }
    let is_allowed = |field: &str| BESIDE_STATUS.iter().any(|(name, _)| *name == field);
    if schema.entries("").any(|(field, _)| !is_allowed(field)) {
        let names: Vec<&str> = BESIDE_STATUS.iter().map(|(_, name)| *name).collect();
        let words = format!(
            "only [{}] fields are allowed at the root of the schema if the status subresource is enabled",
            names.join(" ")
        );
        errors.invalid_as(at, "apiextensions.JSONSchemaProps{…}", &words);
    }
}
