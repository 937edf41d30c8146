//! Reading and setting fields of an object by their path.
//!
//! Objects arrive here after `schema::admit::conform`, so a field that is there has its type; these still answer
//! with a zero value, never a panic, for whatever is not.

use serde_json::{Map, Value};

static NULL: Value = Value::Null;

/// Reads: a path is field names with dots between (`spec.template.metadata`), and an empty path is the value itself.
pub trait Look {
    /// The value at the path, or null.
    fn at(&self, path: &str) -> &Value;

    /// True when something other than null is there.
    fn has(&self, path: &str) -> bool {
        !self.at(path).is_null()
    }

    /// The text at the path, or an empty one.
    fn text(&self, path: &str) -> &str {
        self.at(path).as_str().unwrap_or_default()
    }

    /// The integer at the path.
    fn int(&self, path: &str) -> Option<i64> {
        self.at(path).as_i64()
    }

    /// The boolean at the path; false when there is none.
    fn flag(&self, path: &str) -> bool {
        self.at(path).as_bool().unwrap_or_default()
    }

    /// The items of the list at the path.
    fn items(&self, path: &str) -> &[Value] {
        self.at(path).as_array().map(Vec::as_slice).unwrap_or_default()
    }

    /// The entries of the map at the path.
    fn entries<'a>(&'a self, path: &str) -> Box<dyn Iterator<Item = (&'a str, &'a Value)> + 'a> {
        match self.at(path).as_object() {
            Some(map) => Box::new(map.iter().map(|(k, v)| (k.as_str(), v))),
            None => Box::new(std::iter::empty()),
        }
    }
}

impl Look for Value {
    fn at(&self, path: &str) -> &Value {
        if path.is_empty() {
            return self;
        }
        path.split('.').try_fold(self, |value, field| value.get(field)).unwrap_or(&NULL)
    }
}

/// Writes: missing parents are made, and a parent that is not an object is replaced by one.
pub trait Change {
    /// The map at the path, made when missing.
    fn map_at(&mut self, path: &str) -> &mut Map<String, Value>;

    /// The map at the path, if there is one.
    fn map_mut(&mut self, path: &str) -> Option<&mut Map<String, Value>>;

    /// The items of the list at the path; none when there is no list.
    fn items_mut(&mut self, path: &str) -> &mut [Value];

    /// Sets a field of the map at `path`.
    fn set(&mut self, path: &str, field: &str, value: impl Into<Value>) {
        self.map_at(path).insert(field.to_owned(), value.into());
    }

    /// Sets a field of the map at `path` where it is missing or null.
    fn set_default(&mut self, path: &str, field: &str, value: impl Into<Value>) {
        let map = self.map_at(path);
        if map.get(field).is_none_or(Value::is_null) {
            map.insert(field.to_owned(), value.into());
        }
    }

    /// Takes a field out of the map at `path`, keeping the others in their order.
    fn unset(&mut self, path: &str, field: &str) -> Option<Value> {
        self.map_mut(path)?.shift_remove(field)
    }

    /// Makes a field what it is in `old`: the same value, or absent.
    fn restore(&mut self, path: &str, field: &str, old: &Value) {
        match old.at(path).get(field) {
            Some(value) => self.set(path, field, value.clone()),
            None => drop(self.unset(path, field)),
        }
    }
}

impl Change for Value {
    fn map_at(&mut self, path: &str) -> &mut Map<String, Value> {
        let mut here = self;
        for field in path.split('.').filter(|f| !f.is_empty()) {
            here = as_map(here).entry(field).or_insert_with(|| Value::Object(Map::new()));
        }
        as_map(here)
    }

    fn map_mut(&mut self, path: &str) -> Option<&mut Map<String, Value>> {
        at_mut(self, path)?.as_object_mut()
    }

    fn items_mut(&mut self, path: &str) -> &mut [Value] {
        at_mut(self, path).and_then(Value::as_array_mut).map(Vec::as_mut_slice).unwrap_or_default()
    }
}

fn at_mut<'a>(value: &'a mut Value, path: &str) -> Option<&'a mut Value> {
    path.split('.').filter(|f| !f.is_empty()).try_fold(value, |value, field| value.get_mut(field))
}

fn as_map(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("made an object just above"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn missing_and_mistyped_fields_read_as_zero() {
        let v = json!({"a": {"b": [1, 2], "c": "x"}, "d": 7});
        assert_eq!(v.text("a.c"), "x");
        assert_eq!(v.text("d"), "");
        assert_eq!(v.items("a.b").len(), 2);
        assert!(v.items("a.zzz").is_empty());
        assert!(!v.has("d.e.f"));
    }

    #[test]
    fn setting_makes_parents_and_keeps_what_is_there() {
        let mut v = json!({"a": null});
        v.set("a.b", "c", 1);
        v.set_default("a.b", "c", 2);
        assert_eq!(v, json!({"a": {"b": {"c": 1}}}));
        v.restore("a.b", "c", &json!({}));
        assert_eq!(v, json!({"a": {"b": {}}}));
    }
}
