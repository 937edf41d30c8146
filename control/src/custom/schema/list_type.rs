//! Lists that promise to hold nothing twice: sets, and maps written as lists.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde_json::{Map, Value};

use super::{List, MANY, Structural, canonical, shown};
use crate::field::{Errors, Path};

impl Structural {
    /// Checks that sets and map lists have no duplicates, anywhere within.
    pub(super) fn check_lists(&self, value: &Value, at: &Path, errors: &mut Errors) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    if let Some(child) = self.child(key).filter(|child| child.may_hold_lists()) {
                        child.check_lists(value, &self.place(at, key), errors);
                    }
                }
            }
            Value::Array(list) => {
                match &self.list {
                    List::Atomic => {}
                    List::Set => report(at, list.iter().map(canonical::text), |i| shown::value(&list[i]), errors),
                    List::Map(keys) => map_list(keys, list, at, errors),
                }
                if let Some(items) = self.items.as_ref().filter(|items| items.may_hold_lists()) {
                    for (index, item) in list.iter().enumerate() {
                        items.check_lists(item, &at.index(index), errors);
                    }
                }
            }
            _ => {}
        }
    }

    fn may_hold_lists(&self) -> bool {
        self.list != List::Atomic || self.items.is_some() || self.additional().is_some() || !self.properties.is_empty()
    }
}

fn map_list(keys: &[Box<str>], list: &[Value], at: &Path, errors: &mut Errors) {
    if let Some((index, item)) = list.iter().enumerate().find(|(_, item)| !item.is_object() && !item.is_null()) {
        errors.invalid_as(&at.index(index), &shown::value(item), "must be an object for an array of list-type map");
        return;
    }
    let keys: Vec<Value> = list.iter().map(|item| key(keys, item)).collect();
    report(at, keys.iter().map(canonical::text), |i| shown::value(&keys[i]), errors);
}

/// The key fields that an item has.
pub(super) fn key(keys: &[Box<str>], item: &Value) -> Value {
    let given = keys.iter().filter_map(|key| Some((key.to_string(), item.get(&**key)?.clone())));
    Value::Object(given.collect::<Map<_, _>>())
}

/// Tells of the second of equals, once however often it is repeated.
fn report(at: &Path, texts: impl Iterator<Item = String>, shown: impl Fn(usize) -> String, errors: &mut Errors) {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for (index, text) in texts.enumerate() {
        match seen.entry(text) {
            Entry::Vacant(first) => drop(first.insert(1)),
            Entry::Occupied(mut again) => {
                if *again.get() == 1 && errors.len() < MANY {
                    errors.duplicate_as(&at.index(index), &shown(index));
                }
                *again.get_mut() += 1;
            }
        }
    }
}
