//! The fields that an applied configuration names: what its manager will own.

use serde_json::Value;

use super::element::Element;
use super::fields::FieldSet;
use super::view::{Atom, By, List, Map, TypeView};

/// Every leaf, item and map entry of an object.
pub fn paths(view: TypeView, object: &Value) -> FieldSet {
    at(view, object).1
}

/// Whether the place itself is a field, and the fields below it.
fn at(view: TypeView, value: &Value) -> (bool, FieldSet) {
    match view.atom().deduce(value) {
        Atom { map: Some(map), .. } => of_map(&map, value),
        Atom { list: Some(list), scalar: None, .. } => of_list(&list, value),
        _ => (true, FieldSet::default()),
    }
}

fn of_map(map: &Map, value: &Value) -> (bool, FieldSet) {
    if map.atomic {
        return (true, FieldSet::default());
    }
    let mut below = FieldSet::default();
    for (name, value) in value.as_object().into_iter().flatten() {
        let (owned, found) = at(map.entry(name).unwrap_or(TypeView::Whole), value);
        let empty = value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty);
        below.push(|| Element::field(name), owned || empty || map.named(name).is_none(), found);
    }
    below.sort();
    (false, below)
}

fn of_list(list: &List, value: &Value) -> (bool, FieldSet) {
    if matches!(list.by, By::Whole) {
        return (true, FieldSet::default());
    }
    let items = value.as_array().into_iter().flatten();
    let mut told: Vec<_> = items.filter_map(|item| Some((list.element(item).ok()?, item))).collect();
    Element::sort(&mut told, |(element, _)| element);
    // Items that are told alike are owned as one, whatever is in them.
    let runs = told.chunk_by(|(a, _), (b, _)| a == b);
    let mut below = FieldSet::default();
    for run in runs {
        let [(element, item), rest @ ..] = run else { continue };
        let found = if rest.is_empty() { at(list.items, item).1 } else { FieldSet::default() };
        below.push(|| element.clone(), true, found);
    }
    (false, below)
}
