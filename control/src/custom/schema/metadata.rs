//! Objects within objects: their `apiVersion`, `kind` and `metadata`, which no schema has to name.

use std::borrow::Cow;

use objects::names;
use schema::{TypeRef, admit, builtin};
use serde_json::{Map, Value};

use super::{MANY, Structural, shown};
use crate::field::{Errors, Path};
use crate::kinds::metadata::{path_segment, validate_at};

/// The name that metadata without one is checked with: a template's object gets its name later.
const FAKE_NAME: &str = "fakename";

impl Structural {
    /// Puts the metadata of objects within into form; unknown fields of it are dropped and added to `unknown`.
    pub(super) fn coerce(&self, value: &mut Value, at: &Path, unknown: &mut Vec<String>, errors: &mut Errors) {
        match value {
            Value::Object(map) => {
                if self.embedded && errors.len() < MANY {
                    coerce_object(map, at, unknown, errors);
                }
                for (key, value) in map.iter_mut() {
                    if let Some(child) = self.child(key).filter(|child| child.may_embed()) {
                        child.coerce(value, &self.place(at, key), unknown, errors);
                    }
                }
            }
            Value::Array(list) => {
                if let Some(items) = self.items.as_ref().filter(|items| items.may_embed()) {
                    for (index, item) in list.iter_mut().enumerate() {
                        items.coerce(item, &at.index(index), unknown, errors);
                    }
                }
            }
            _ => {}
        }
    }

    /// Checks the metadata of objects within.
    pub(super) fn check_embedded(&self, value: &Value, at: &Path, errors: &mut Errors) {
        match value {
            Value::Object(map) => {
                if self.embedded && errors.len() < MANY {
                    check_object(map, at, errors);
                }
                for (key, value) in map {
                    if let Some(child) = self.child(key).filter(|child| child.may_embed()) {
                        child.check_embedded(value, &self.place(at, key), errors);
                    }
                }
            }
            Value::Array(list) => {
                if let Some(items) = self.items.as_ref().filter(|items| items.may_embed()) {
                    for (index, item) in list.iter().enumerate() {
                        items.check_embedded(item, &at.index(index), errors);
                    }
                }
            }
            _ => {}
        }
    }

    /// The same for an object whose schema is that of one, whether it says so or not.
    pub(super) fn coerce_as_object(&self, value: &mut Value, errors: &mut Errors) {
        if let (false, Some(map)) = (self.embedded, value.as_object_mut()) {
            coerce_object(map, &Path::default(), &mut Vec::new(), errors);
        }
        self.coerce(value, &Path::default(), &mut Vec::new(), errors);
    }

    /// Checks the metadata of such an object and of those within.
    pub(super) fn check_as_object(&self, value: &Value, errors: &mut Errors) {
        if let (false, Some(map)) = (self.embedded, value.as_object()) {
            check_object(map, &Path::default(), errors);
        }
        self.check_embedded(value, &Path::default(), errors);
    }

    /// False for what certainly has no object within: scalars need no walk.
    fn may_embed(&self) -> bool {
        self.embedded || self.items.is_some() || self.additional().is_some() || !self.properties.is_empty()
    }

    /// Where a key's value is: `.key` of a struct, `[key]` of a map.
    pub(super) fn place(&self, at: &Path, key: &str) -> Path {
        if self.property(key).is_some() { at.child(key) } else { at.key(key) }
    }
}

fn coerce_object(map: &mut Map<String, Value>, at: &Path, unknown: &mut Vec<String>, errors: &mut Errors) {
    for field in ["apiVersion", "kind"] {
        if let Some(value) = map.get(field).filter(|value| !value.is_string()) {
            errors.invalid_as(&at.child(field), &shown::value(value), "must be a string");
        }
    }
    let Some(metadata) = map.get_mut("metadata") else { return };
    let (at, before) = (at.child("metadata"), metadata.clone());
    match admit::conform(object_meta(), metadata) {
        Ok(findings) => unknown.extend(findings.unknown.iter().map(|path| format!("{at}.{path}"))),
        Err(error) => errors.invalid_as(&at, &shown::value(&before), &error.to_string()),
    }
    if let Some(metadata) = metadata.as_object_mut()
        && metadata.get("creationTimestamp").is_some_and(Value::is_null)
    {
        metadata.shift_remove("creationTimestamp");
    }
}

/// The type of every object's metadata.
pub(super) fn object_meta() -> TypeRef<'static> {
    builtin().named("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta").expect("every table has ObjectMeta")
}

fn check_object(map: &Map<String, Value>, at: &Path, errors: &mut Errors) {
    for (field, rule) in [("apiVersion", group_version as fn(&str) -> Option<String>), ("kind", kind)] {
        let at = at.child(field);
        match map.get(field) {
            None => errors.required(&at, ""),
            Some(Value::String(text)) if text.is_empty() => errors.required(&at, ""),
            Some(Value::String(text)) => {
                if let Some(words) = rule(text) {
                    errors.invalid(&at, text.as_str(), &words);
                }
            }
            Some(other) => errors.invalid_as(&at, &shown::value(other), "must be a string"),
        }
    }
    if let Some(metadata) = map.get("metadata") {
        let metadata = named(metadata);
        let namespaced = metadata.get("namespace").and_then(Value::as_str).is_some_and(|n| !n.is_empty());
        validate_at(&metadata, &at.child("metadata"), namespaced, path_segment, errors);
    }
}

fn named(metadata: &Value) -> Cow<'_, Value> {
    match metadata.get("name").and_then(Value::as_str) {
        Some(name) if !name.is_empty() => Cow::Borrowed(metadata),
        _ => {
            let mut named = metadata.as_object().cloned().unwrap_or_default();
            named.insert("name".to_owned(), FAKE_NAME.into());
            Cow::Owned(Value::Object(named))
        }
    }
}

fn group_version(text: &str) -> Option<String> {
    (text.matches('/').count() > 1).then(|| format!("unexpected GroupVersion string: {text}"))
}

fn kind(text: &str) -> Option<String> {
    let wrong = names::dns1035_label(&text.to_lowercase());
    (!wrong.is_empty()).then(|| format!("may have mixed case, but should otherwise match: {}", wrong.join(",")))
}
