//! What OpenAPI says of a custom kind: its own schema, with what clients would trip over left out.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::kind::Kind;

impl Kind {
    /// The schema of its objects for the documents of OpenAPI.
    pub fn published(&self) -> Arc<Value> {
        let mut schema = self.openapi.clone();
        embed(Arc::make_mut(&mut schema));
        schema
    }
}

/// Objects within objects have what every object has.
fn embed(schema: &mut Value) {
    let Value::Object(map) = schema else { return };
    let embedded = map.get("x-kubernetes-embedded-resource").and_then(Value::as_bool) == Some(true);
    for field in ["items", "additionalProperties"] {
        if let Some(inner) = map.get_mut(field) {
            embed(inner);
        }
    }
    if let Some(Value::Object(properties)) = map.get_mut("properties") {
        properties.values_mut().for_each(embed);
    }
    if embedded {
        let properties = map.entry("properties").or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(properties) = properties {
            let meta = "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
            properties.insert("apiVersion".to_owned(), json!({"type": "string"}));
            properties.insert("kind".to_owned(), json!({"type": "string"}));
            properties.insert("metadata".to_owned(), json!({"allOf": [{"$ref": meta}]}));
        }
        map.insert("required".to_owned(), required(map.get("required")));
    }
}

fn required(present: Option<&Value>) -> Value {
    let mut list: Vec<Value> = present.and_then(Value::as_array).cloned().unwrap_or_default();
    for field in ["kind", "apiVersion"] {
        if !list.iter().any(|f| f == field) {
            list.push(field.into());
        }
    }
    list.into()
}
