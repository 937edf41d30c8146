//! A schema as a type: what rules in a CustomResourceDefinition may ask of `self`.

use serde_json::Value as Json;

use super::types::{ListKind, Type};

/// The fields of every object, known at the root of a resource and of an embedded one.
const OBJECT_META: [&str; 2] = ["name", "generateName"];

impl Type {
    /// The type of what a structural schema (as JSON, as in `openAPIV3Schema`) allows; `root` for a whole object, of
    /// which `apiVersion`, `kind` and `metadata.name` are known whatever the schema says.
    pub fn of_schema(schema: &Json, root: bool) -> Self {
        let flag = |name: &str| schema[name].as_bool().unwrap_or_default();
        if flag("x-kubernetes-int-or-string") {
            return Self::Dyn;
        }
        match schema["type"].as_str() {
            Some("boolean") => Self::Bool,
            Some("integer") => Self::Int,
            Some("number") => Self::Double,
            Some("string") => text(schema),
            Some("array") => list(schema),
            Some("object") => object(schema, root || flag("x-kubernetes-embedded-resource")),
            _ => Self::Dyn,
        }
    }
}

fn text(schema: &Json) -> Type {
    match schema["format"].as_str() {
        Some("byte") => Type::Bytes,
        Some("duration") => Type::Duration,
        Some("date" | "date-time") => Type::Timestamp,
        _ => Type::String,
    }
}

fn list(schema: &Json) -> Type {
    let kind = match schema["x-kubernetes-list-type"].as_str() {
        Some("set") => ListKind::Set,
        Some("map") => ListKind::Map(
            schema["x-kubernetes-list-map-keys"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|key| key.as_str().map(str::to_owned))
                .collect(),
        ),
        _ => ListKind::Atomic,
    };
    Type::list_of(Type::of_schema(&schema["items"], false), kind)
}

/// An object with fields, or a map where only `additionalProperties` are given. Fields without a
/// type are none: a rule can't ask for what is merely preserved.
fn object(schema: &Json, resource: bool) -> Type {
    if let Some(values) = schema["additionalProperties"].as_object() {
        return Type::text_map(Type::of_schema(&Json::Object(values.clone()), false));
    }
    let properties = schema["properties"].as_object();
    let mut fields: Vec<(String, Type)> = properties
        .into_iter()
        .flatten()
        .filter(|(_, schema)| schema["type"].is_string() || schema["x-kubernetes-int-or-string"] == true)
        .map(|(name, schema)| (name.clone(), Type::of_schema(schema, false)))
        .collect();
    if resource {
        fields.retain(|(name, _)| !matches!(name.as_str(), "apiVersion" | "kind" | "metadata"));
        let names = OBJECT_META.map(|name| (name.to_owned(), Type::String));
        fields.extend([
            ("apiVersion".to_owned(), Type::String),
            ("kind".to_owned(), Type::String),
            ("metadata".to_owned(), Type::object("ObjectMeta", names)),
        ]);
    }
    Type::object("object", fields)
}
