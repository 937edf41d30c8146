//! Lists that are merged: which items are the same, and the order of the result.
//!
//! Items of the patch come in the patch's order, items only the server has in the server's, and the two are woven so that an
//! item of the server stays before those it was before.

use serde_json::Value;

use super::{Error, directive};

/// Whether the items are maps; they must all be maps or none.
pub(super) fn of_maps(original: &[Value], patch: &[Value]) -> Result<bool, Error> {
    let mut items = original.iter().chain(patch).map(Value::is_object);
    let first = items.next().unwrap_or_default();
    if items.all(|item| item == first) { Ok(first) } else { Err(Error::Mixed) }
}

/// The first of equal values.
pub(super) fn deduplicated(values: impl Iterator<Item = Value>) -> Vec<Value> {
    let mut kept: Vec<Value> = Vec::new();
    for value in values {
        if !kept.contains(&value) {
            kept.push(value);
        }
    }
    kept
}

/// `$deleteFromPrimitiveList`
pub(super) fn delete_scalars(list: Option<&mut Value>, gone: &Value) {
    if let (Some(Value::Array(list)), Value::Array(gone)) = (list, gone) {
        list.retain(|value| !gone.contains(value));
    }
}

/// Obeys `$patch` in items: deletes from the original, or forgets it; what is left of both is to be merged.
pub(super) fn without_directives(
    mut original: Vec<Value>,
    patch: Vec<Value>,
    key: &str,
) -> Result<(Vec<Value>, Vec<Value>), Error> {
    let (mut kept, mut replace) = (Vec::new(), false);
    for mut item in patch {
        let Value::Object(map) = &mut item else { return Err(Error::Mixed) };
        match directive::take(map)? {
            None => kept.push(item),
            Some(directive::Patch::Replace) => replace = true,
            Some(directive::Patch::Merge) => return Err(Error::MergeInList),
            Some(directive::Patch::Delete) => {
                let Some(id) = map.get(key) else {
                    return Err(Error::NoKey { item: go(&item), key: key.to_owned() });
                };
                original.retain(|old| old.get(key) != Some(id));
            }
        }
    }
    if replace { Ok((kept, Vec::new())) } else { Ok((original, kept)) }
}

/// An item reduced to what tells it.
pub(super) fn only_key(item: &Value, key: &str) -> Value {
    Value::Object(item.get(key).map(|id| (key.to_owned(), id.clone())).into_iter().collect())
}

fn same(a: &Value, b: &Value, key: Option<&str>) -> bool {
    match key {
        Some(key) => a.get(key).is_some() && a.get(key) == b.get(key),
        None => a == b,
    }
}

fn index(list: &[Value], item: &Value, key: Option<&str>) -> Option<usize> {
    list.iter().position(|other| same(other, item, key))
}

/// The items in their final order.
pub(super) fn arrange(merged: Vec<Value>, order: &[Value], server_order: &[Value], key: Option<&str>) -> Vec<Value> {
    let (mut ordered, mut others): (Vec<_>, Vec<_>) =
        merged.into_iter().partition(|item| index(order, item, key).is_some());
    ordered.sort_by_key(|item| index(order, item, key));
    others.sort_by_key(|item| index(server_order, item, key));
    let (mut ordered, mut others) = (ordered.into_iter().peekable(), others.into_iter().peekable());
    let mut woven = Vec::new();
    while let (Some(other), Some(item)) = (others.peek(), ordered.peek()) {
        let before = match (index(server_order, other, key), index(server_order, item, key)) {
            (Some(other), Some(item)) => other < item,
            _ => false,
        };
        woven.extend(if before { others.next() } else { ordered.next() });
    }
    woven.extend(ordered.chain(others));
    woven
}

/// An order must have every item of the patch that is not deleted, in the patch's order.
pub(super) fn check_order(patch: &[Value], order: &[Value], key: Option<&str>) -> Result<(), Error> {
    let deleted = |item: &&Value| item.get("$patch").and_then(Value::as_str) != Some("delete");
    let mut order = order.iter();
    let followed = patch.iter().filter(deleted).all(|item| order.any(|other| same(other, item, key)));
    if followed { Ok(()) } else { Err(Error::SetOrder) }
}

/// A value as Go's `%v` prints it: `map[a:1 b:[x y]]`.
pub fn go(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(list) => format!("[{}]", list.iter().map(go).collect::<Vec<_>>().join(" ")),
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().map(|(key, value)| format!("{key}:{}", go(value))).collect();
            entries.sort();
            format!("map[{}]", entries.join(" "))
        }
        other => other.to_string(),
    }
}
