//! Schemas of types, with the extensions by which clients merge and own.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Map, Value, json};

use super::descriptions::Descriptions;
use crate::table::{Detail, Field, ListKind, Shape, Table, TypeRef};

/// What precedes the name in a reference.
pub(super) const PREFIX: &str = "#/components/schemas/";
const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1";
const EXTENSIONS: &str = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1";

/// A reference to the schema of a type.
pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("{PREFIX}{name}") })
}

/// The schemas that `paths` and the `given` ones refer to, and all that these refer to, by name.
pub(super) fn referred(table: &Table, paths: &Value, descriptions: &Descriptions, given: Map<String, Value>) -> Value {
    let mut queue = VecDeque::new();
    collect(paths, &mut queue);
    given.values().for_each(|schema| collect(schema, &mut queue));
    let mut schemas: BTreeMap<String, Value> = given.into_iter().collect();
    while let Some(name) = queue.pop_front() {
        if schemas.contains_key(&name) {
            continue;
        }
        let schema = match table.named(&name) {
            Some(ty) => structure(ty, descriptions),
            None => special(&name, descriptions),
        };
        collect(&schema, &mut queue);
        schemas.insert(name, schema);
    }
    Value::Object(schemas.into_iter().collect())
}

/// The names of the schemas that are referred to anywhere in a value.
fn collect(value: &Value, names: &mut VecDeque<String>) {
    match value {
        Value::Object(map) => {
            if let Some(name) = map.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix(PREFIX)) {
                names.push_back(name.to_owned());
            }
            map.values().for_each(|value| collect(value, names));
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, names)),
        _ => {}
    }
}

fn structure(ty: TypeRef, descriptions: &Descriptions) -> Value {
    let mut schema = described(descriptions.get(&ty.name, ""));
    schema.insert("type".to_owned(), json!("object"));
    let required: Vec<&str> = ty.fields().iter().filter(|field| field.required).map(|field| &*field.name).collect();
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    let mut fields: Vec<&Field> = ty.get().fields().iter().collect();
    fields.sort_by(|a, b| a.name.cmp(&b.name));
    let properties = fields.into_iter().map(|of| (of.name.to_string(), property(ty, of, descriptions)));
    let properties: Map<_, _> = properties.collect();
    if !properties.is_empty() {
        schema.insert("properties".to_owned(), Value::Object(properties));
    }
    if !ty.kinds.is_empty() {
        let kinds = ty
            .kinds
            .iter()
            .map(|(group, version, kind)| json!({"group": **group, "kind": **kind, "version": **version}));
        schema.insert("x-kubernetes-group-version-kind".to_owned(), kinds.collect());
    }
    if ty.atomic {
        schema.insert("x-kubernetes-map-type".to_owned(), json!("atomic"));
    }
    if let Some(union) = descriptions.union(&ty.name) {
        schema.insert("x-kubernetes-unions".to_owned(), union);
    }
    Value::Object(schema)
}

fn described(text: String) -> Map<String, Value> {
    let mut schema = Map::new();
    if !text.is_empty() {
        schema.insert("description".to_owned(), Value::String(text));
    }
    schema
}

fn property(ty: TypeRef, field: &Field, descriptions: &Descriptions) -> Value {
    let empty = Detail { list: ListKind::Unsaid, ..Detail::default() };
    let detail = field.detail.as_deref().unwrap_or(&empty);
    let enumeration = field.alias.as_deref().and_then(|alias| descriptions.enumeration(&ty.name, alias));
    let listed: Vec<&str> = detail.values.iter().map(|value| &**value).collect();
    let values = match &enumeration {
        Some(known) if listed.is_empty() => known.values(),
        _ => &*listed,
    };
    let mut description = descriptions.get(&ty.name, &field.name);
    if let (Shape::String, Some(known)) = (&field.shape, &enumeration) {
        description += &known.explain(values);
    }
    let mut schema = described(description);
    let default = match &detail.declared {
        Some(declared) => Some(declared.clone()),
        None if field.pointer => None,
        None => zero(&field.shape).filter(|_| field.always || matches!(field.shape, Shape::Struct(_))),
    };
    shape(ty, &field.shape, default, &mut schema);
    if !values.is_empty() {
        enumerate(&field.shape, values, &mut schema);
    }
    extensions(detail, &mut schema);
    Value::Object(schema)
}

/// The values of a string, or of the strings in a list or map.
fn enumerate(shape: &Shape, values: &[&str], schema: &mut Map<String, Value>) {
    let within = match shape {
        Shape::List(_) | Shape::Wrapped(_) => schema.get_mut("items"),
        Shape::Map(_) => schema.get_mut("additionalProperties"),
        _ => return drop(schema.insert("enum".to_owned(), json!(values))),
    };
    if let Some(Value::Object(within)) = within {
        within.insert("enum".to_owned(), json!(values));
    }
}

fn extensions(detail: &Detail, schema: &mut Map<String, Value>) {
    let mut set = |name: &str, value: Value| drop(schema.insert(format!("x-kubernetes-{name}"), value));
    if !detail.list_keys.is_empty() {
        set("list-map-keys", detail.list_keys.iter().map(|key| json!(**key)).collect());
    }
    match detail.list {
        ListKind::Atomic => set("list-type", json!("atomic")),
        ListKind::Map => set("list-type", json!("map")),
        ListKind::Set => set("list-type", json!("set")),
        ListKind::Unsaid => {}
    }
    if let Some(atomic) = detail.atomic_map {
        set("map-type", json!(if atomic { "atomic" } else { "granular" }));
    }
    if let Some(key) = &detail.merge_key {
        set("patch-merge-key", json!(**key));
    }
    let strategy = detail.strategy;
    let words = [(strategy.merge, "merge"), (strategy.replace, "replace"), (strategy.retain_keys, "retainKeys")];
    let words: Vec<&str> = words.into_iter().filter(|(is, _)| *is).map(|(_, word)| word).collect();
    if !words.is_empty() {
        set("patch-strategy", json!(words.join(",")));
    }
}

/// The zero that OpenAPI tells as the default of what is no pointer.
fn zero(shape: &Shape) -> Option<Value> {
    match shape {
        Shape::String => Some(json!("")),
        Shape::Bool => Some(json!(false)),
        Shape::Int32 | Shape::Int64 | Shape::Float => Some(json!(0)),
        Shape::Struct(_) => Some(json!({})),
        _ => None,
    }
}

/// Writes type, format and default of a shape.
fn shape(ty: TypeRef, shape: &Shape, default: Option<Value>, schema: &mut Map<String, Value>) {
    let mut set = |name: &str, value: Value| drop(schema.insert(name.to_owned(), value));
    let (kind, format) = match shape {
        Shape::String => ("string", None),
        Shape::Bool => ("boolean", None),
        Shape::Int32 => ("integer", Some("int32")),
        Shape::Int64 => ("integer", Some("int64")),
        Shape::Float => ("number", Some("double")),
        Shape::Bytes => ("string", Some("byte")),
        Shape::List(_) | Shape::Wrapped(_) => ("array", None),
        Shape::Map(_) => ("object", None),
        other => {
            if let Some(default) = default {
                set("default", default);
            }
            let name = name_of(ty, other);
            set("allOf", json!([reference(&name)]));
            return;
        }
    };
    set("type", json!(kind));
    if let Some(format) = format {
        set("format", json!(format));
    }
    if let Some(default) = default {
        set("default", default);
    }
    match shape {
        Shape::List(inner) | Shape::Wrapped(inner) => set("items", item(ty, inner)),
        Shape::Map(inner) => set("additionalProperties", item(ty, inner)),
        _ => {}
    }
}

fn item(ty: TypeRef, inner: &Shape) -> Value {
    let default = zero(inner);
    if default.is_none() && !matches!(inner, Shape::List(_) | Shape::Wrapped(_) | Shape::Map(_) | Shape::Bytes) {
        return reference(&name_of(ty, inner));
    }
    let mut schema = Map::new();
    shape(ty, inner, default, &mut schema);
    Value::Object(schema)
}

/// The name of the schema of what is not spelled out in place.
fn name_of(ty: TypeRef, shape: &Shape) -> String {
    match shape {
        Shape::Struct(id) => ty.at(*id).name.to_string(),
        Shape::Time => format!("{META}.Time"),
        Shape::MicroTime => format!("{META}.MicroTime"),
        Shape::Fields => format!("{META}.FieldsV1"),
        Shape::Quantity => "io.k8s.apimachinery.pkg.api.resource.Quantity".to_owned(),
        Shape::IntOrString => "io.k8s.apimachinery.pkg.util.intstr.IntOrString".to_owned(),
        Shape::Raw => "io.k8s.apimachinery.pkg.runtime.RawExtension".to_owned(),
        Shape::SchemaOrArray(_) => format!("{EXTENSIONS}.JSONSchemaPropsOrArray"),
        Shape::SchemaOrBool(_) => format!("{EXTENSIONS}.JSONSchemaPropsOrBool"),
        Shape::SchemaOrStrings(_) => format!("{EXTENSIONS}.JSONSchemaPropsOrStringArray"),
        _ => format!("{EXTENSIONS}.JSON"),
    }
}

/// Types that encode themselves, and are not structs to a client.
fn special(name: &str, descriptions: &Descriptions) -> Value {
    let mut schema = described(descriptions.get(name, ""));
    let facts = match name.rsplit('.').next().unwrap_or_default() {
        "Time" | "MicroTime" => json!({"type": "string", "format": "date-time"}),
        "Quantity" => json!({"oneOf": [{"type": "string"}, {"type": "number"}]}),
        "IntOrString" => json!({"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]}),
        "RawExtension" | "FieldsV1" => json!({"type": "object"}),
        "Patch" => {
            let words = "Patch is provided to give a concrete name and type to the Kubernetes PATCH request body.";
            json!({"description": words, "type": "object"})
        }
        _ => json!({}),
    };
    if let Value::Object(facts) = facts {
        schema.extend(facts);
    }
    Value::Object(schema)
}
