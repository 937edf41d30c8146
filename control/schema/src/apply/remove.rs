//! Takes fields out of an object.

use serde_json::{Map, Value};

use super::element::Element;
use super::fields::FieldSet;
use super::view::{Atom, By, List, Map as MapView, TypeView};

/// The object without these fields. What becomes empty is null.
pub(super) fn remove(view: TypeView, object: Value, fields: &FieldSet) -> Value {
    match view.atom().deduce(&object) {
        Atom { map: Some(map), .. } => of_map(&map, object, fields),
        Atom { list: Some(list), scalar: None, .. } => of_list(&list, object, fields),
        _ => object,
    }
}

fn of_map(map: &MapView, object: Value, fields: &FieldSet) -> Value {
    let Value::Object(entries) = object else { return Value::Null };
    if map.atomic {
        return Value::Null;
    }
    let mut kept = Map::new();
    for (name, value) in entries {
        let element = Element::field(&name);
        if fields.owns(&element) {
            continue;
        }
        let value = match fields.below(&element) {
            Some(below) => remove(map.entry(&name).unwrap_or(TypeView::Whole), value, below),
            None => value,
        };
        kept.insert(name, value);
    }
    if kept.is_empty() { Value::Null } else { Value::Object(kept) }
}

fn of_list(list: &List, object: Value, fields: &FieldSet) -> Value {
    let Value::Array(items) = object else { return Value::Null };
    if matches!(list.by, By::Whole) {
        return Value::Null;
    }
    let mut kept = Vec::with_capacity(items.len());
    for item in items {
        let Ok(element) = list.element(&item) else {
            kept.push(item);
            continue;
        };
        match (fields.owns(&element), fields.below(&element)) {
            (true, _) => {}
            (false, Some(below)) => kept.push(remove(list.items, item, below)),
            (false, None) => kept.push(item),
        }
    }
    if kept.is_empty() { Value::Null } else { Value::Array(kept) }
}
