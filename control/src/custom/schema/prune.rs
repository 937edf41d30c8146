//! Dropping what the schema does not know.

use serde_json::Value;

use super::Structural;

/// What every object has, whether its schema says so or not.
pub(super) const OBJECT_FIELDS: [&str; 3] = ["apiVersion", "kind", "metadata"];

impl Structural {
    /// Drops every field of an object that the schema does not know, and says which those were: `spec.list[0].x`, sorted.
    ///
    /// `apiVersion`, `kind` and `metadata` stay as they are, also in objects within.
    pub fn prune(&self, object: &mut Value) -> Vec<String> {
        let mut pruner = Pruner::default();
        pruner.prune(object, Some(self), true);
        pruner.unknown.sort();
        pruner.unknown
    }

    /// The same for a value that stands within an object, such as a default.
    pub(super) fn prune_part(&self, value: &mut Value) {
        Pruner::default().prune(value, Some(self), self.embedded);
    }
}

#[derive(Default)]
struct Pruner {
    /// Where the pruner is; grows and shrinks with it.
    path: String,
    unknown: Vec<String>,
}

impl Pruner {
    fn prune(&mut self, value: &mut Value, schema: Option<&Structural>, is_object: bool) {
        match (value, schema) {
            (value, Some(schema)) if schema.preserve_unknown => self.keep(value, schema, is_object),
            (Value::Object(map), schema) => map.retain(|key, value| {
                let is_meta = is_object && OBJECT_FIELDS.contains(&key.as_str());
                is_meta || self.within(".", key, |pruner| pruner.field(key, value, schema))
            }),
            (Value::Array(list), schema) => {
                let items = schema.and_then(|s| s.items.as_deref());
                self.items(list, |pruner, item| pruner.prune(item, items, is_embedded(items)));
            }
            _ => {}
        }
    }

    /// False when the field is unknown.
    fn field(&mut self, key: &str, value: &mut Value, schema: Option<&Structural>) -> bool {
        let Some(schema) = schema.filter(|s| s.additional.is_some() || s.property(key).is_some()) else {
            self.unknown.push(self.path.trim_start_matches('.').to_owned());
            return false;
        };
        let child = schema.child(key).map(|s| &**s);
        self.prune(value, child, is_embedded(child));
        true
    }

    /// The way through what is kept: parts that have a schema are pruned again.
    fn keep(&mut self, value: &mut Value, schema: &Structural, is_object: bool) {
        match value {
            Value::Object(map) => {
                for (key, value) in map.iter_mut() {
                    if is_object && OBJECT_FIELDS.contains(&key.as_str()) {
                        continue;
                    }
                    if schema.property(key).is_some() || schema.additional.is_some() {
                        self.within(".", key, |pruner| pruner.field(key, value, Some(schema)));
                    }
                }
            }
            Value::Array(list) => {
                if let Some(items) = &schema.items {
                    self.items(list, |pruner, item| pruner.keep(item, items, items.embedded));
                }
            }
            _ => {}
        }
    }

    fn items(&mut self, list: &mut [Value], mut each: impl FnMut(&mut Self, &mut Value)) {
        for (index, item) in list.iter_mut().enumerate() {
            self.within("", &format!("[{index}]"), |pruner| each(pruner, item));
        }
    }

    fn within<T>(&mut self, mark: &str, step: &str, work: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        self.path.push_str(mark);
        self.path.push_str(step);
        let done = work(self);
        self.path.truncate(length);
        done
    }
}

fn is_embedded(schema: Option<&Structural>) -> bool {
    schema.is_some_and(|s| s.embedded)
}
