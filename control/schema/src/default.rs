//! The values that absent fields get.
//!
//! Most defaults are a line of `data/defaults.tsv` and apply wherever their type occurs. Those that depend on other fields
//! of the object are [`rules`]. What depends on anything else (admission, allocation, the clock) is not of the schema.
//!
//! # Guarantees
//! Defaulting twice changes nothing the second time: stored objects and their hashes are stable.

mod rules;

use serde_json::{Map, Value};

use crate::admit::{is_zero, rebuild_in_order};
use crate::table::{Shape, TypeRef};

/// A default that depends on other fields of the same struct.
pub(crate) type Rule = fn(&mut Map<String, Value>);

pub(crate) use rules::rule;

/// Sets every static default, at every depth. The value has been through [`crate::admit::conform`] and is as it would be
/// after it.
pub fn apply(ty: TypeRef, value: &mut Value) {
    if let Value::Object(map) = value
        && ty.get().defaults
    {
        structure(ty, map);
    }
}

fn structure(ty: TypeRef, map: &mut Map<String, Value>) {
    if fill(ty, map) {
        rebuild_in_order(ty, map);
    }
    for (key, value) in map.iter_mut() {
        if let Some(field) = ty.get().field(key) {
            within(ty, &field.shape, value);
        }
    }
}

/// Sets the fields of this struct alone; true when something was set.
fn fill(ty: TypeRef, map: &mut Map<String, Value>) -> bool {
    let before = map.len();
    let mut replaced = false;
    for field in ty.get().fields() {
        let Some(default) = &field.default else { continue };
        match map.get_mut(&*field.name) {
            Some(value) if is_zero(field, value) && *value != **default => {
                *value = (**default).clone();
                replaced = true;
            }
            Some(_) => {}
            None => drop(map.insert(field.name.to_string(), (**default).clone())),
        }
    }
    if let Some(rule) = ty.get().rule {
        rule(map);
    }
    replaced || map.len() != before
}

fn within(ty: TypeRef, shape: &Shape, value: &mut Value) {
    match (shape, value) {
        (Shape::Struct(id), value) => apply(ty.at(*id), value),
        (Shape::List(item), Value::Array(list)) if leads_on(ty, item) => {
            list.iter_mut().for_each(|value| within(ty, item, value));
        }
        (Shape::Map(item), Value::Object(map)) if leads_on(ty, item) => {
            map.values_mut().for_each(|value| within(ty, item, value));
        }
        _ => {}
    }
}

fn leads_on(ty: TypeRef, shape: &Shape) -> bool {
    shape.inner().is_some_and(|id| ty.at(id).get().defaults)
}

/// Puts the fields of a struct in order again, for rules that reach into a struct below their own.
fn reorder(map: &mut Map<String, Value>, name: &str) {
    let Some(ty) = crate::builtin().named(name) else { return };
    if !map.keys().map(|key| ty.position(key)).is_sorted() {
        rebuild_in_order(ty, map);
    }
}

#[cfg(test)]
mod tests;
