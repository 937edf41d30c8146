//! Reading and writing the parts of an object that the registry itself cares about, on plain JSON values.

use serde_json::{Map, Value};

use super::managed::same_but_times;

/// `metadata`, or nothing where it is missing or no object.
pub fn metadata(object: &Value) -> Option<&Map<String, Value>> {
    object.get("metadata")?.as_object()
}

/// `metadata`, made if it is missing.
pub fn metadata_mut(object: &mut Value) -> &mut Map<String, Value> {
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    let meta = &mut object["metadata"];
    if !meta.is_object() {
        *meta = Value::Object(Map::new());
    }
    meta.as_object_mut().expect("made an object above")
}

/// A string of `metadata`, empty where it is missing.
pub fn meta_str<'a>(object: &'a Value, field: &str) -> &'a str {
    metadata(object).and_then(|m| m.get(field)).and_then(Value::as_str).unwrap_or_default()
}

/// `metadata.finalizers`.
pub fn finalizers(object: &Value) -> impl Iterator<Item = &str> {
    let list = metadata(object).and_then(|m| m.get("finalizers")).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str)
}

/// True once a deletion was asked for.
pub fn is_deleting(object: &Value) -> bool {
    !meta_str(object, "deletionTimestamp").is_empty()
}

/// Sets `metadata.field`, or removes it for `None`.
pub fn set_meta(object: &mut Value, field: &str, value: Option<Value>) {
    let meta = metadata_mut(object);
    match value {
        Some(value) => drop(meta.insert(field.to_owned(), value)),
        None => drop(meta.shift_remove(field)),
    }
}

/// True where two objects differ in nothing but their resource version and the times of their managers.
pub fn same(a: &Value, b: &Value) -> bool {
    let (Some(a), Some(b)) = (a.as_object(), b.as_object()) else { return a == b };
    equal_but(a, b, &["metadata"]) && same_metadata(a.get("metadata"), b.get("metadata"))
}

fn same_metadata(a: Option<&Value>, b: Option<&Value>) -> bool {
    match (a.and_then(Value::as_object), b.and_then(Value::as_object)) {
        (Some(a), Some(b)) => {
            equal_but(a, b, &["resourceVersion", "managedFields"])
                && same_but_times(a.get("managedFields"), b.get("managedFields"))
        }
        _ => a == b,
    }
}

/// True where two maps differ in nothing but some fields.
fn equal_but(a: &Map<String, Value>, b: &Map<String, Value>, but: &[&str]) -> bool {
    let others = |m: &Map<String, Value>| m.len() - but.iter().filter(|field| m.contains_key(**field)).count();
    others(a) == others(b) && a.iter().all(|(k, v)| but.contains(&k.as_str()) || b.get(k) == Some(v))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_resource_version_alone_is_no_difference() {
        let a = json!({"metadata": {"name": "x", "resourceVersion": "1"}, "data": {"a": "b"}});
        let b = json!({"data": {"a": "b"}, "metadata": {"resourceVersion": "2", "name": "x"}});
        assert!(same(&a, &b));
        assert!(!same(&a, &json!({"metadata": {"name": "x"}, "data": {"a": "c"}})));
        assert!(!same(&a, &json!({"metadata": {"name": "x"}})));
    }
}
