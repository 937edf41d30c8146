//! Sets that were written when a type was owned otherwise: a list that became atomic, a map that became granular. Custom
//! resources change so while they are served; the built-in types do not, and are passed by.

use serde_json::Value;

use super::element::Element;
use super::fields::FieldSet;
use super::paths::paths;
use super::view::{Atom, By, Tree, TypeView};

/// The set as the type has it now; none where nothing changes.
pub(super) fn reconcile(view: TypeView, set: &FieldSet, live: &Value) -> Option<FieldSet> {
    if !matches!(view, TypeView::Tree(_)) {
        return None;
    }
    let (changed, now) = below(view, set, Some(live));
    changed.then_some(now)
}

/// The set below a place that is granular now.
fn below(view: TypeView, set: &FieldSet, live: Option<&Value>) -> (bool, FieldSet) {
    let atom = view.atom();
    let (mut changed, mut now) = (false, FieldSet::default());
    for (element, owned, under) in set.steps() {
        let place = step(&atom, element, live);
        let (differs, owned, under) = match place {
            Some((view, live)) => node(view, owned, under, live),
            None => (false, owned, under.clone()),
        };
        changed |= differs;
        now.push(|| element.clone(), owned, under);
    }
    (changed, now)
}

/// The type and the live value one step on.
fn step<'t, 'v>(
    atom: &Atom<'t>,
    element: &Element,
    live: Option<&'v Value>,
) -> Option<(TypeView<'t>, Option<&'v Value>)> {
    match (element.name(), atom) {
        (Some(name), Atom { map: Some(map), .. }) => Some((map.entry(name)?, live.and_then(|live| live.get(name)))),
        (None, Atom { list: Some(list), .. }) => {
            let items = live.and_then(Value::as_array).into_iter().flatten();
            let item = items.into_iter().find(|item| list.element(item).as_ref() == Ok(element));
            Some((list.items, item))
        }
        _ => None,
    }
}

fn node(view: TypeView, owned: bool, under: &FieldSet, live: Option<&Value>) -> (bool, bool, FieldSet) {
    let atom = view.atom();
    let custom = matches!(view, TypeView::Tree(tree) if !matches!(tree, Tree::BuiltIn(_)));
    // An untyped place takes whatever was found there.
    if !custom || atom.scalar.is_some() {
        return (false, owned, under.clone());
    }
    let atomic = atom.map.is_some_and(|map| map.atomic) || atom.list.is_some_and(|list| matches!(list.by, By::Whole));
    let was_atomic = owned && under.is_empty();
    if atomic && !was_atomic {
        return (true, true, FieldSet::default());
    }
    if atomic || !was_atomic || live.is_none_or(is_empty) {
        let (changed, now) = if atomic { (false, under.clone()) } else { below(view, under, live) };
        return (changed, owned, now);
    }
    let found = live.map(|live| paths(view, live)).unwrap_or_default();
    (!found.is_empty(), owned, found)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => true,
    }
}
