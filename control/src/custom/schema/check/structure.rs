//! Whether a schema is structural: types on the trunk, nothing but values below `allOf`, `anyOf`, `oneOf` and `not`.

use serde_json::{Value, json};

use super::super::pattern::Pattern;
use crate::field::{Errors, Path};
use crate::kinds::access::Look;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Root,
    Item,
    Field,
}

/// Checks a whole schema; the errors are sorted.
pub(super) fn check(schema: &Value, at: &Path, errors: &mut Errors) {
    trunk(schema, Level::Root, at, errors);
    on_trunk(schema, schema, at, at, true, errors);
    errors.sort();
}

fn trunk(schema: &Value, level: Level, at: &Path, errors: &mut Errors) {
    let items = schema.at("items");
    match items {
        Value::Null if schema.text("type") == "array" => errors.required(&at.child("items"), "must be specified"),
        Value::Null => {}
        items => trunk(items, Level::Item, &at.child("items"), errors),
    }
    for (name, property) in schema.entries("properties") {
        trunk(property, Level::Field, &at.child("properties").key(name), errors);
    }
    let additional = schema.at("additionalProperties");
    if !additional.is_null() {
        let at = at.child("additionalProperties");
        if level == Level::Root {
            errors.forbidden(&at, "must not be used at the root");
        }
        if additional.is_object() {
            trunk(additional, Level::Field, &at, errors);
        }
    }
    extensions(schema, at, errors);
    let either = json!([{"type": "integer"}, {"type": "string"}]);
    let skip = (schema["anyOf"] == either, schema["allOf"][0]["anyOf"] == either);
    values(schema, skip, at, errors);
    types(schema, level, at, errors);
    object_fields(schema, level, at, errors);
}

fn extensions(schema: &Value, at: &Path, errors: &mut Errors) {
    if !schema.flag("x-kubernetes-int-or-string") {
        return;
    }
    for field in ["x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"] {
        if schema.flag(field) {
            errors.invalid(&at.child(field), true, "must be false if x-kubernetes-int-or-string is true");
        }
    }
}

fn types(schema: &Value, level: Level, at: &Path, errors: &mut Errors) {
    let (ty, place) = (schema.text("type"), at.child("type"));
    let is_embedded = schema.flag("x-kubernetes-embedded-resource");
    let is_open = schema.flag("x-kubernetes-int-or-string") || schema.flag("x-kubernetes-preserve-unknown-fields");
    match (is_embedded, ty) {
        (true, "object") => {}
        (true, "") => errors.required(&place, "must be object if x-kubernetes-embedded-resource is true"),
        (true, _) => errors.invalid(&place, ty, "must be object if x-kubernetes-embedded-resource is true"),
        (false, "") if !is_open => {
            let of = match level {
                Level::Root => "at the root",
                Level::Item => "for specified array items",
                Level::Field => "for specified object fields",
            };
            errors.required(&place, &format!("must not be empty {of}"));
        }
        _ => {}
    }
    if is_embedded && !schema.at("additionalProperties").is_null() {
        let words = "must not be used if x-kubernetes-embedded-resource is set";
        errors.forbidden(&at.child("additionalProperties"), words);
    }
    if level == Level::Root && !ty.is_empty() && ty != "object" {
        errors.invalid(&place, ty, "must be object at the root");
    }
}

/// `apiVersion`, `kind` and `metadata` are what they are in every object.
fn object_fields(schema: &Value, level: Level, at: &Path, errors: &mut Errors) {
    let is_embedded = schema.flag("x-kubernetes-embedded-resource");
    let is_object = level == Level::Root || is_embedded;
    let properties = &schema["properties"];
    let place = |name: &str| at.child("properties").key(name);
    for name in ["kind", "apiVersion"] {
        if let Some(property) = properties.get(name).filter(|p| is_object && p.text("type") != "string") {
            errors.invalid(&place(name).child("type"), property.text("type"), "must be string");
        }
    }
    if let Some(metadata) = properties.get("metadata") {
        if is_object && metadata.text("type") != "object" {
            errors.invalid(&place("metadata").child("type"), metadata.text("type"), "must be object");
        }
        if level == Level::Root && !names_only(metadata) {
            let words =
                "must not specify anything other than name and generateName, but metadata is implicitly specified";
            errors.forbidden(&place("metadata"), words);
        }
    }
    let is_empty = properties.as_object().is_none_or(|map| map.is_empty());
    if is_embedded && !schema.flag("x-kubernetes-preserve-unknown-fields") && is_empty {
        let words = "must not be empty if x-kubernetes-embedded-resource is true without \
                     x-kubernetes-preserve-unknown-fields";
        errors.required(&at.child("properties"), words);
    }
}

fn names_only(metadata: &Value) -> bool {
    let is_plain = |field: &str| matches!(field, "type" | "default" | "properties" | "externalDocs" | "example");
    metadata.entries("").all(|(field, _)| is_plain(field))
        && metadata.entries("properties").all(|(name, _)| matches!(name, "name" | "generateName"))
}

/// What restricts values, on the trunk and below junctors. The flags let the ways to write int-or-string pass.
fn values(schema: &Value, (skip_any, skip_first): (bool, bool), at: &Path, errors: &mut Errors) {
    for junctor in ["anyOf", "allOf", "oneOf"] {
        if junctor == "anyOf" && skip_any {
            continue;
        }
        for (index, nested) in schema.items(junctor).iter().enumerate() {
            let skip = junctor == "allOf" && index == 0 && skip_first;
            below(nested, skip, &at.child(junctor).index(index), errors);
        }
    }
    if schema.at("not").is_object() {
        below(schema.at("not"), false, &at.child("not"), errors);
    }
    let pattern = schema.text("pattern");
    if let Some(words) = Pattern::new(pattern).error() {
        let words = format!("must be a valid regular expression, but isn't: {words}");
        errors.invalid(&at.child("pattern"), pattern, &words);
    }
}

/// What may not stand below a junctor, with what it should be instead.
const FORBIDDEN: [(&str, &str); 13] = [
    ("type", "must be empty to be structural"),
    ("additionalProperties", "must be undefined to be structural"),
    ("default", "must be undefined to be structural"),
    ("title", "must be empty to be structural"),
    ("description", "must be empty to be structural"),
    ("nullable", "must be false to be structural"),
    ("x-kubernetes-preserve-unknown-fields", "must be false to be structural"),
    ("x-kubernetes-embedded-resource", "must be false to be structural"),
    ("x-kubernetes-int-or-string", "must be false to be structural"),
    ("x-kubernetes-list-map-keys", "must be empty to be structural"),
    ("x-kubernetes-list-type", "must be undefined to be structural"),
    ("x-kubernetes-map-type", "must be undefined to be structural"),
    ("x-kubernetes-validations", "must be empty to be structural"),
];

fn below(nested: &Value, skip_any: bool, at: &Path, errors: &mut Errors) {
    values(nested, (skip_any, false), at, errors);
    if nested.at("items").is_object() {
        below(nested.at("items"), false, &at.child("items"), errors);
    }
    for (name, property) in nested.entries("properties") {
        below(property, false, &at.child("properties").key(name), errors);
    }
    for (field, words) in FORBIDDEN {
        if is_given(nested.at(field)) {
            errors.forbidden(&at.child(field), words);
        }
    }
    if nested["properties"].get("metadata").is_some() {
        errors.forbidden(&at.child("properties").key("metadata"), "must not be specified in a nested context");
    }
}

fn is_given(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        _ => true,
    }
}

/// Whatever is restricted below a junctor of the root has to be on the trunk.
fn on_trunk(nested: &Value, trunk: &Value, at: &Path, trunk_at: &Path, is_trunk: bool, errors: &mut Errors) {
    for junctor in ["allOf", "anyOf", "oneOf"] {
        for (index, inner) in nested.items(junctor).iter().enumerate() {
            on_trunk(inner, trunk, &at.child(junctor).index(index), trunk_at, false, errors);
        }
    }
    if nested.at("not").is_object() {
        on_trunk(nested.at("not"), trunk, &at.child("not"), trunk_at, false, errors);
    }
    if is_trunk {
        return;
    }
    if nested.at("items").is_object() {
        let (at, trunk_at) = (at.child("items"), trunk_at.child("items"));
        match trunk.at("items") {
            Value::Null => missing(&at, &trunk_at, errors),
            items => on_trunk(nested.at("items"), items, &at, &trunk_at, false, errors),
        }
    }
    for (name, inner) in nested.entries("properties") {
        let (at, trunk_at) = (at.child("properties").key(name), trunk_at.child("properties").key(name));
        match trunk["properties"].get(name) {
            None => missing(&at, &trunk_at, errors),
            Some(property) => on_trunk(inner, property, &at, &trunk_at, false, errors),
        }
    }
}

fn missing(at: &Path, trunk_at: &Path, errors: &mut Errors) {
    errors.required(trunk_at, &format!("because it is defined in {at}"));
}
