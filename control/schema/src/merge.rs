//! Patches: strategic merge, which knows the keys of lists, and JSON merge patch, which knows nothing.
//!
//! A strategic merge patch looks like a part of the object. Maps are merged; lists are replaced, or merged by the key the
//! table gives ([`list`]), or, of scalars, as sets. Directives in the patch say what a part can not ([`directive`]):
//! `$patch`, `$retainKeys`, `$setElementOrder/x`, `$deleteFromPrimitiveList/x`. Clients compute such patches from the same
//! keys, so a difference to upstream's table or order loses their changes.

mod directive;
mod list;

use serde_json::{Map, Value};

use crate::table::{Detail, Shape, TypeRef};
use directive::{DELETE_FROM, SET_ORDER};
pub use list::go;

/// A patch that cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A patch that is no object, or a list where the directive needs one.
    #[error("expected a {expected}, got a {got}")]
    Type {
        /// What was needed.
        expected: &'static str,
        /// What was there.
        got: &'static str,
    },
    /// A `$patch` directive that is none of replace, delete and merge.
    #[error("unknown patch type: {0}")]
    Directive(String),
    /// `$patch: merge` in a list.
    #[error("merging lists cannot yet be specified in the patch")]
    MergeInList,
    /// An item of a merged list that does not have the key.
    #[error("map: {item} does not contain declared merge key: {key}")]
    NoKey {
        /// The item, as Go prints it.
        item: String,
        /// `name`
        key: String,
    },
    /// Both the object and the patch have a map or list in a field that the type does not have.
    #[error("unable to find api field in struct {ty} for the json field {field:?}")]
    Field {
        /// `PodSpec`
        ty: String,
        /// `zzz`
        field: String,
    },
    /// A list that is to be merged and has items of more than one sort.
    #[error("list element types are not identical")]
    Mixed,
    /// `$retainKeys` that does not name all fields of the patch.
    #[error("invalid patch format of retainKeys")]
    RetainKeys,
    /// `$setElementOrder` that does not have all items of the patch, in their order.
    #[error("invalid patch format of setElementOrder list")]
    SetOrder,
}

/// Applies a strategic merge patch.
///
/// # Errors
/// A patch that is malformed or contradicts itself.
pub fn strategic(ty: TypeRef, original: Value, patch: Value) -> Result<Value, Error> {
    let scope = Scope { ty, shape: None };
    Ok(Value::Object(scope.merge(object(original)?, object(patch)?)?))
}

/// Applies a JSON merge patch (RFC 7386).
pub fn json(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(map) = target else { return };
    for (key, value) in patch {
        match value {
            Value::Null => drop(map.shift_remove(&key)),
            value => json(map.entry(key).or_insert(Value::Null), value),
        }
    }
}

/// What the table says of the maps and lists at one place: a struct, or (with a shape) what a field of it holds.
#[derive(Clone, Copy)]
struct Scope<'t> {
    ty: TypeRef<'t>,
    shape: Option<&'t Shape>,
}

/// A field's value and how it is merged.
struct Under<'t> {
    scope: Scope<'t>,
    detail: Option<&'t Detail>,
}

impl Under<'_> {
    fn key(&self) -> Option<&str> {
        self.detail.and_then(|detail| detail.merge_key.as_deref())
    }

    fn merges_lists(&self) -> bool {
        self.detail.is_some_and(|detail| detail.strategy.merge)
    }

    fn replaces(&self) -> bool {
        self.detail.is_some_and(|detail| detail.strategy.replace)
    }
}

impl<'t> Scope<'t> {
    /// What a field of the map here holds.
    fn under(self, name: &str) -> Result<Under<'t>, Error> {
        let scope = match self.shape {
            None => {
                let field = self
                    .ty
                    .get()
                    .field(name)
                    .ok_or_else(|| Error::Field { ty: self.ty.short().to_owned(), field: name.to_owned() })?;
                return Ok(Under { scope: self.within(&field.shape), detail: field.detail.as_deref() });
            }
            Some(Shape::Map(item) | Shape::List(item) | Shape::Wrapped(item)) => self.within(item),
            Some(_) => self,
        };
        Ok(Under { scope, detail: None })
    }

    fn within(self, shape: &'t Shape) -> Self {
        match shape {
            Shape::Struct(id) => Self { ty: self.ty.at(*id), shape: None },
            Shape::List(item) if matches!(**item, Shape::Struct(_)) => self.within(item),
            shape => Self { ty: self.ty, shape: Some(shape) },
        }
    }

    fn merge(
        self,
        mut original: Map<String, Value>,
        mut patch: Map<String, Value>,
    ) -> Result<Map<String, Value>, Error> {
        match directive::take(&mut patch)? {
            Some(directive::Patch::Replace) => return Ok(patch),
            Some(directive::Patch::Delete) => return Ok(Map::new()),
            Some(directive::Patch::Merge) | None => {}
        }
        directive::retain_keys(&mut original, &mut patch)?;
        self.order_lists(&mut original, &mut patch)?;
        for (key, value) in patch {
            match key.strip_prefix(DELETE_FROM) {
                Some(key) => list::delete_scalars(original.get_mut(key), &value),
                None => self.merge_field(&mut original, key, value)?,
            }
        }
        Ok(original)
    }

    fn merge_field(self, original: &mut Map<String, Value>, key: String, patch: Value) -> Result<(), Error> {
        match (original.get_mut(&key), patch) {
            (_, Value::Null) => drop(original.shift_remove(&key)),
            (Some(Value::Object(old)), Value::Object(new)) => {
                let under = self.under(&key)?;
                let merged = if under.replaces() { new } else { under.scope.merge(std::mem::take(old), new)? };
                *old = merged;
            }
            (Some(Value::Array(old)), Value::Array(new)) => {
                let under = self.under(&key)?;
                *old = under.merge_list(std::mem::take(old), new)?.items;
            }
            (_, patch) => {
                if let Some(value) = directive::stripped(patch) {
                    original.insert(key, value);
                }
            }
        }
        Ok(())
    }

    /// Lists for which the patch gives an order are merged first and then put in that order.
    fn order_lists(self, original: &mut Map<String, Value>, patch: &mut Map<String, Value>) -> Result<(), Error> {
        let ordered: Vec<String> = patch.keys().filter(|key| key.starts_with(SET_ORDER)).cloned().collect();
        for directive in ordered {
            let order = array(patch.shift_remove(&directive).unwrap_or_default())?;
            let name = &directive[SET_ORDER.len()..];
            let old = original.get(name).cloned().map(array).transpose()?;
            let new = patch.shift_remove(name).map(array).transpose()?;
            let under = self.under(name)?;
            list::check_order(new.as_deref().unwrap_or_default(), &order, under.key())?;
            let merged = match (old, new) {
                (Some(old), None) => Merged { server_order: old.clone(), items: old },
                (None, Some(new)) => {
                    let items = new.into_iter().filter_map(directive::stripped).collect();
                    Merged { server_order: Vec::new(), items }
                }
                (Some(old), Some(new)) => under.merge_list(old, new)?,
                (None, None) => continue,
            };
            let sorted = list::arrange(merged.items, &order, &merged.server_order, under.key());
            original.insert(name.to_owned(), Value::Array(sorted));
        }
        Ok(())
    }
}

/// A merged list, and the order that its items have on the server.
struct Merged {
    items: Vec<Value>,
    server_order: Vec<Value>,
}

impl Under<'_> {
    fn merge_list(&self, original: Vec<Value>, patch: Vec<Value>) -> Result<Merged, Error> {
        if !self.merges_lists() || (original.is_empty() && patch.is_empty()) {
            return Ok(Merged { items: patch, server_order: original });
        }
        match (list::of_maps(&original, &patch)?, self.key()) {
            (false, _) => {
                let union = list::deduplicated(original.iter().cloned().chain(patch.iter().cloned()));
                let items = list::arrange(union, &patch, &original, None);
                Ok(Merged { items, server_order: original })
            }
            (true, None) => Err(Error::NoKey { item: list::go(&Value::Array(patch)), key: String::new() }),
            (true, Some(key)) => self.merge_maps(original, patch, key),
        }
    }

    fn merge_maps(&self, original: Vec<Value>, patch: Vec<Value>, key: &str) -> Result<Merged, Error> {
        let length = original.len();
        let (mut merged, patch) = list::without_directives(original, patch, key)?;
        let keys = |list: &[Value]| -> Vec<Value> { list.iter().map(|item| list::only_key(item, key)).collect() };
        let left = keys(&merged);
        for item in &patch {
            self.merge_item(&mut merged, item, key)?;
        }
        // Upstream deletes from and appends to one array, so that new items take the places of deleted ones in what it later
        // takes for the server's order. Clients' expectations were recorded with that.
        let server_order = keys(&merged[..length.min(merged.len())]);
        Ok(Merged { items: list::arrange(merged, &patch, &left, Some(key)), server_order })
    }

    fn merge_item(&self, merged: &mut Vec<Value>, item: &Value, key: &str) -> Result<(), Error> {
        let Value::Object(map) = item else { return Err(Error::Mixed) };
        let Some(id) = map.get(key) else {
            return Err(Error::NoKey { item: list::go(item), key: key.to_owned() });
        };
        match merged.iter_mut().find(|old| old.get(key) == Some(id)) {
            Some(Value::Object(old)) => *old = self.scope.merge(std::mem::take(old), map.clone())?,
            _ => merged.extend(directive::stripped(item.clone())),
        }
        Ok(())
    }
}

fn object(value: Value) -> Result<Map<String, Value>, Error> {
    match value {
        Value::Object(map) => Ok(map),
        other => Err(Error::Type { expected: "map", got: sort(&other) }),
    }
}

fn array(value: Value) -> Result<Vec<Value>, Error> {
    match value {
        Value::Array(list) => Ok(list),
        Value::Null => Ok(Vec::new()),
        other => Err(Error::Type { expected: "list", got: sort(&other) }),
    }
}

fn sort(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "map",
    }
}

#[cfg(test)]
mod tests;
