//! A schema of the third version in the words of the second, which has no choices, no null and no defaults.

use serde_json::{Map, Value, json};

use super::super::schemas::PREFIX;
use super::entries;

/// The schema as the second version has it.
pub(super) fn definition(of: &Value) -> Value {
    let Value::Object(fields) = of else { return of.clone() };
    let reference = fields.get("$ref").or_else(|| of.pointer("/allOf/0/$ref")).and_then(Value::as_str);
    let mut schema = Map::new();
    if let Some(name) = reference.and_then(|to| to.strip_prefix(PREFIX)) {
        schema.extend(fields.get("description").map(|text| ("description".to_owned(), text.clone())));
        schema.insert("$ref".to_owned(), json!(format!("#/definitions/{name}")));
        schema.extend(extensions(of));
        return Value::Object(schema);
    }
    // What may be null, is of no type or has more fields than it says has none that old clients could check.
    let is_set = |name: &str| fields.get(name) == Some(&Value::Bool(true));
    let open =
        ["nullable", "x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields"].into_iter().any(is_set);
    for (name, value) in fields {
        let value = match &**name {
            "default" | "nullable" | "allOf" | "anyOf" | "not" | "example" => continue,
            "type" | "items" | "properties" | "additionalProperties" if open => continue,
            "type" if value == "array" && !fields.contains_key("items") => continue,
            // Numbers may be written as text, so text it is.
            "oneOf" if fields.contains_key("type") || value.pointer("/0/type").is_none() => continue,
            "oneOf" => {
                schema.insert("type".to_owned(), json!("string"));
                continue;
            }
            "properties" => entries(value).map(|(name, of)| (name.to_owned(), definition(of))).collect(),
            "items" | "additionalProperties" => definition(value),
            _ => value.clone(),
        };
        schema.insert(name.clone(), value);
    }
    Value::Object(schema)
}

fn extensions(of: &Value) -> impl Iterator<Item = (String, Value)> {
    let extensions = entries(of).filter(|(name, _)| name.starts_with("x-kubernetes-"));
    extensions.map(|(name, value)| (name.to_owned(), value.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_in_the_third_version_is_left_out() {
        let reference = format!("{PREFIX}a.B");
        for (given, wanted) in [
            (
                json!({"default": {}, "description": "d", "allOf": [{"$ref": reference}], "x-kubernetes-map-type": "atomic"}),
                json!({"description": "d", "$ref": "#/definitions/a.B", "x-kubernetes-map-type": "atomic"}),
            ),
            (
                json!({"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]}),
                json!({"format": "int-or-string", "type": "string"}),
            ),
            (
                json!({"type": "object", "nullable": true, "properties": {"a": {}}, "description": "d"}),
                json!({"description": "d"}),
            ),
            (
                json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {"a": {}}}),
                json!({"x-kubernetes-preserve-unknown-fields": true}),
            ),
            (json!({"type": "array"}), json!({})),
            (
                json!({"type": "object", "properties": {"default": {"type": "string", "default": "x"}}}),
                json!({"type": "object", "properties": {"default": {"type": "string"}}}),
            ),
            (
                json!({"type": "object", "required": ["a"], "oneOf": [{"required": ["a"]}]}),
                json!({"type": "object", "required": ["a"]}),
            ),
        ] {
            assert_eq!(definition(&given), wanted);
        }
    }
}
