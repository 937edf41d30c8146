//! What of an update is old: parts that did not change may stay invalid, so that a schema can be tightened.

use std::collections::HashMap;

use serde_json::Value;

use super::{List, Structural, canonical, list_type};

/// The items of an old list by their keys; empty for lists whose items have none.
#[derive(Default)]
pub(super) struct OldItems<'a> {
    keys: &'a [Box<str>],
    by_key: HashMap<String, &'a Value>,
}

impl<'a> OldItems<'a> {
    /// Of a list that may be there and may be one.
    pub fn of(schema: &'a Structural, old: Option<&'a Value>) -> Self {
        let (List::Map(keys), Some(Value::Array(list))) = (&schema.list, old) else { return Self::default() };
        let by_key = list.iter().rev().map(|item| (canonical::text(&list_type::key(keys, item)), item)).collect();
        Self { keys, by_key }
    }

    /// The old item that a new one takes the place of.
    pub fn get(&self, item: &Value) -> Option<&'a Value> {
        if self.by_key.is_empty() {
            return None;
        }
        self.by_key.get(&canonical::text(&list_type::key(self.keys, item))).copied()
    }
}

/// True when nothing changed. The items of map lists may have changed places.
pub(super) fn is_same(schema: &Structural, old: &Value, new: &Value) -> bool {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            old.len() == new.len()
                && new.iter().all(|(key, new)| {
                    let Some(old) = old.get(key) else { return false };
                    match schema.child(key) {
                        Some(child) => is_same(child, old, new),
                        None => old == new,
                    }
                })
        }
        (Value::Array(before), Value::Array(now)) if matches!(schema.list, List::Map(_)) => {
            let items = OldItems::of(schema, Some(old));
            let same = |new: &Value| match (items.get(new), &schema.items) {
                (Some(old), Some(schema)) => is_same(schema, old, new),
                _ => false,
            };
            before.len() == now.len() && now.iter().all(same)
        }
        _ => old == new,
    }
}
