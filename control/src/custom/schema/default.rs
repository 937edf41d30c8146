//! Values for what is not said.

use serde_json::Value;

use super::Structural;

impl Structural {
    /// Drops nulls where neither null is a value nor a default would take its place.
    pub fn drop_nulls(&self, object: &mut Value) {
        drop_nulls(object, self);
    }

    /// Sets the defaults of what is missing, or null where null is no value. A default within something that is missing
    /// itself is not set, unless that has a default too.
    pub fn default(&self, object: &mut Value) {
        default(object, self);
    }

    /// What a null here becomes.
    fn instead_of_null(&self) -> Option<&Value> {
        self.default.as_deref().filter(|_| !self.nullable)
    }
}

fn drop_nulls(value: &mut Value, schema: &Structural) {
    match value {
        Value::Object(map) => map.retain(|key, value| match schema.child(key) {
            Some(child) if value.is_null() => child.nullable || child.default.is_some(),
            Some(child) => {
                drop_nulls(value, child);
                true
            }
            None => true,
        }),
        Value::Array(list) => {
            if let Some(items) = &schema.items {
                list.iter_mut().for_each(|item| drop_nulls(item, items));
            }
        }
        _ => {}
    }
}

fn default(value: &mut Value, schema: &Structural) {
    match value {
        Value::Object(map) => {
            for (name, property) in &schema.properties {
                if let Some(default) = property.default.as_deref()
                    && !map.contains_key(&**name)
                {
                    map.insert(name.to_string(), default.clone());
                }
            }
            for (key, value) in map.iter_mut() {
                if let Some(child) = schema.child(key) {
                    fill(value, child);
                }
            }
        }
        Value::Array(list) => {
            if let Some(items) = &schema.items {
                list.iter_mut().for_each(|item| fill(item, items));
            }
        }
        _ => {}
    }
}

fn fill(value: &mut Value, schema: &Structural) {
    if let (Value::Null, Some(default)) = (&*value, schema.instead_of_null()) {
        *value = default.clone();
    }
    default(value, schema);
}
