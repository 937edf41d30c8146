//! `x-kubernetes-list-type`, its keys, and `x-kubernetes-map-type`.

use serde_json::Value;

use crate::field::{Errors, Path};
use crate::kinds::access::Look;

const LIST: &str = "x-kubernetes-list-type";
const KEYS: &str = "x-kubernetes-list-map-keys";
const MAP: &str = "x-kubernetes-map-type";

/// Checks what a schema says of the identity of its items and fields.
pub(super) fn check(schema: &Value, at: &Path, errors: &mut Errors) {
    map_type(schema, at, errors);
    list_type(schema, at, errors);
    keys(schema, at, errors);
    if schema.text(LIST) == "map" {
        map_list(schema, at, errors);
    }
    if matches!(schema.text(LIST), "set" | "map") && schema.at("items").is_object() {
        unique_items(schema, at, errors);
    }
}

fn map_type(schema: &Value, at: &Path, errors: &mut Errors) {
    let Some(given) = schema[MAP].as_str() else { return };
    typed(schema, "object", MAP, at, errors);
    if !matches!(given, "atomic" | "granular") {
        errors.not_supported(&at.child(MAP), given, &["atomic", "granular"]);
    }
}

fn list_type(schema: &Value, at: &Path, errors: &mut Errors) {
    let Some(given) = schema[LIST].as_str() else { return };
    if !typed(schema, "array", LIST, at, errors) && given == "set" {
        set_items(schema.at("items"), &at.child("items"), errors);
    }
    if !matches!(given, "atomic" | "set" | "map") {
        errors.not_supported(&at.child(LIST), given, &["atomic", "set", "map"]);
    }
}

/// Says so when a schema is not of the type that an extension needs.
fn typed(schema: &Value, wanted: &str, extension: &str, at: &Path, errors: &mut Errors) -> bool {
    let words = format!("must be {wanted} if {extension} is specified");
    match schema.text("type") {
        ty if ty == wanted => return false,
        "" => errors.required(&at.child("type"), &words),
        ty => errors.invalid(&at.child("type"), ty, &words),
    }
    true
}

/// The items of a set are compared as a whole.
fn set_items(items: &Value, at: &Path, errors: &mut Errors) {
    let words = "must be atomic as item of a list with x-kubernetes-list-type=set";
    let (list, map) = (items[LIST].as_str(), items[MAP].as_str());
    match items.text("type") {
        "array" if list.is_some_and(|list| list != "atomic") => {
            errors.invalid(&at.child(LIST), list.unwrap_or_default(), words);
        }
        "object" if map != Some("atomic") => {
            errors.invalid(&at.child(MAP), list.map_or(Value::Null, Value::from), words);
        }
        _ => {}
    }
}

fn keys(schema: &Value, at: &Path, errors: &mut Errors) {
    if schema.items(KEYS).is_empty() {
        return;
    }
    let words = "must be map if x-kubernetes-list-map-keys is non-empty";
    match schema[LIST].as_str() {
        None => errors.required(&at.child(LIST), words),
        Some("map") => {}
        Some(other) => errors.invalid(&at.child(LIST), other, words),
    }
}

fn map_list(schema: &Value, at: &Path, errors: &mut Errors) {
    let (items, place) = (schema.at("items"), at.child("items"));
    if schema.items(KEYS).is_empty() {
        errors.required(&at.child(KEYS), "must not be empty if x-kubernetes-list-type is map");
    }
    match items {
        Value::Null => errors.required(&place, "must have a schema if x-kubernetes-list-type is map"),
        Value::Array(_) => {
            let words = "must only have a single schema if x-kubernetes-list-type is map";
            errors.invalid(&place, items.clone(), words);
        }
        _ if items.text("type") == "object" => key_fields(schema, at, errors),
        _ => {
            let words = "must be object if parent array's x-kubernetes-list-type is map";
            errors.invalid(&place.child("type"), items.text("type"), words);
        }
    }
}

fn key_fields(schema: &Value, at: &Path, errors: &mut Errors) {
    let (items, keys) = (schema.at("items"), schema.items(KEYS));
    for (index, key) in keys.iter().enumerate() {
        let name = key.as_str().unwrap_or_default();
        match items["properties"].get(name) {
            Some(property) if matches!(property.text("type"), "array" | "object") => {
                let place = at.child("items").child("properties").key(name).child("type");
                let words = "must be a scalar type if parent array's x-kubernetes-list-type is map";
                errors.invalid(&place, items.text("type"), words);
            }
            Some(_) => {}
            None => {
                let words = "entries must all be names of item properties";
                errors.invalid(&at.child(KEYS), schema[KEYS].clone(), words);
            }
        }
        if keys[..index].contains(key) {
            errors.invalid(&at.child(KEYS), schema[KEYS].clone(), "must not contain duplicate entries");
        }
    }
}

/// Items that are told apart can't be null, and neither can what tells them apart.
fn unique_items(schema: &Value, at: &Path, errors: &mut Errors) {
    let (items, place) = (schema.at("items"), at.child("items"));
    let list = schema.text(LIST);
    if items.flag("nullable") {
        let words = format!("cannot be nullable when x-kubernetes-list-type is {list}");
        errors.forbidden(&place.child("nullable"), &words);
    }
    if list != "map" {
        return;
    }
    for name in schema.items(KEYS).iter().filter_map(Value::as_str) {
        let Some(property) = items["properties"].get(name) else { continue };
        let place = place.child("properties").key(name);
        let is_required = items.items("required").iter().any(|required| required == name);
        let of = "this property is in x-kubernetes-list-map-keys, so it";
        if !is_required && !property.has("default") {
            errors.required(&place.child("default"), &format!("{of} must have a default or be a required property"));
        }
        if property.flag("nullable") {
            errors.forbidden(&place.child("nullable"), &format!("{of} cannot be nullable"));
        }
    }
}
