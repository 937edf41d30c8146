//! The schema as OpenAPI tells clients of it.

use serde_json::{Map, Value, json};

use crate::kinds::access::Look;

const CONVENTIONS: &str = "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md";

/// The schema with all that objects within have, whether the schema says so or not. What only the definition needs
/// (`example`, `externalDocs`) is left out.
pub fn publish(schema: &Value) -> Value {
    let Some(fields) = schema.as_object() else { return schema.clone() };
    let mut published = Map::new();
    for (name, value) in fields {
        let value = match (name.as_str(), value) {
            ("example" | "externalDocs", _) => continue,
            ("properties", Value::Object(properties)) => {
                properties.iter().map(|(name, property)| (name.clone(), publish(property))).collect()
            }
            ("items" | "additionalProperties" | "not", inner) => publish(inner),
            ("allOf" | "anyOf" | "oneOf", Value::Array(list)) => list.iter().map(publish).collect(),
            _ => value.clone(),
        };
        published.insert(name.clone(), value);
    }
    if schema.flag("x-kubernetes-embedded-resource") {
        embed(&mut published);
    }
    Value::Object(published)
}

fn embed(schema: &mut Map<String, Value>) {
    let properties = schema.entry("properties").or_insert_with(|| json!({}));
    let Some(properties) = properties.as_object_mut() else { return };
    properties.insert(
        "apiVersion".to_owned(),
        text(format!(
            "apiVersion defines the versioned schema of this representation of an object. Servers should convert \
             recognized schemas to the latest internal value, and may reject unrecognized values. More info: \
             {CONVENTIONS}#resources"
        )),
    );
    properties.insert(
        "kind".to_owned(),
        text(format!(
            "kind is a string value representing the type of this object. Servers may infer this from the endpoint the \
             client submits requests to. Cannot be updated. In CamelCase. More info: {CONVENTIONS}#types-kinds"
        )),
    );
    properties.insert(
        "metadata".to_owned(),
        json!({
            "description": format!("Standard object's metadata. More info: {CONVENTIONS}#metadata"),
            "allOf": [{"$ref": "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}],
        }),
    );
    let mut required: Vec<Value> = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    for name in ["kind", "apiVersion"] {
        if !required.iter().any(|known| known == name) {
            required.push(name.into());
        }
    }
    schema.insert("required".to_owned(), required.into());
}

fn text(description: String) -> Value {
    json!({"description": description, "type": "string"})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_within_are_told_as_objects() {
        let schema = json!({"type": "object", "example": 1, "properties": {"template": {
            "type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true,
        }}});
        let published = publish(&schema);
        assert_eq!(published.get("example"), None);
        let template = &published["properties"]["template"];
        assert_eq!(template["required"], json!(["kind", "apiVersion"]));
        assert_eq!(template["properties"]["kind"]["type"], "string");
        assert!(
            template["properties"]["metadata"]["allOf"][0]["$ref"].as_str().is_some_and(|r| r.ends_with("ObjectMeta"))
        );
    }
}
