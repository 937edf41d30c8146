//! The second version of OpenAPI, as protobuf: kubectl before 1.27 explains kinds, checks fields and sees from it whether a
//! dry run is possible; up to 1.28 it computes its patches from it.
//!
//! It is made from documents of the third version and has what those clients read: all definitions, and of the paths the
//! patches, with their parameters and kinds. The field numbers are those of gnostic's `OpenAPIv2.proto`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::schemas::PREFIX;
use crate::encode::wire::Writer;

/// One document of several.
pub(super) fn encode(documents: &[Value]) -> Vec<u8> {
    let (mut paths, mut definitions) = (Writer::default(), BTreeMap::new());
    for document in documents {
        for (path, item) in entries(&document["paths"]) {
            if let Some(patch) = item.get("patch") {
                paths.bytes(2, &named(path, &message(|item| item.bytes(8, &operation(patch)))));
            }
        }
        definitions.extend(entries(&document["components"]["schemas"]));
    }
    let info = message(|info| {
        info.bytes(1, b"Kubernetes");
        info.bytes(2, b"1.33");
    });
    message(|document| {
        document.bytes(1, b"2.0");
        document.bytes(2, &info);
        document.bytes(8, &paths.finish());
        document.bytes(9, &schemas(definitions.into_iter()));
    })
}

fn operation(of: &Value) -> Vec<u8> {
    message(|operation| {
        for parameter in items(&of["parameters"]) {
            let query = message(|query| {
                query.bytes(2, b"query");
                text(query, 4, &parameter["name"]);
                text(query, 6, &parameter["schema"]["type"]);
            });
            let no_body = message(|parameter| parameter.bytes(3, &query));
            let parameter = message(|parameter| parameter.bytes(2, &no_body));
            operation.bytes(8, &message(|item| item.bytes(1, &parameter)));
        }
        extensions(operation, 13, of);
    })
}

fn schemas<'a>(all: impl Iterator<Item = (&'a str, &'a Value)>) -> Vec<u8> {
    message(|message| all.for_each(|(name, of)| message.bytes(1, &named(name, &schema(of)))))
}

fn schema(of: &Value) -> Vec<u8> {
    message(|schema| {
        let reference = of.get("$ref").or_else(|| of.pointer("/allOf/0/$ref")).and_then(Value::as_str);
        if let Some(name) = reference.and_then(|to| to.strip_prefix(PREFIX)) {
            schema.bytes(1, format!("#/definitions/{name}").as_bytes());
        }
        text(schema, 2, &of["format"]);
        text(schema, 4, &of["description"]);
        items(&of["required"]).iter().for_each(|name| text(schema, 19, name));
        if let Some(value) = of.get("additionalProperties") {
            schema.bytes(21, &message(|values| values.bytes(1, &self::schema(value))));
        }
        // A choice of types is new in the third version: numbers may be written as text, so text it is.
        let kind = of["type"].as_str().or_else(|| of.get("oneOf").map(|_| "string"));
        if let Some(kind) = kind {
            schema.bytes(22, &message(|kinds| kinds.bytes(1, kind.as_bytes())));
        }
        if let Some(item) = of.get("items") {
            schema.bytes(23, &message(|items| items.bytes(1, &self::schema(item))));
        }
        if of.get("properties").is_some() {
            schema.bytes(25, &schemas(entries(&of["properties"])));
        }
        extensions(schema, 31, of);
    })
}

fn extensions(message: &mut Writer, number: u8, of: &Value) {
    for (name, value) in entries(of).filter(|(name, _)| name.starts_with("x-kubernetes-")) {
        // Any value is written as YAML, which JSON is.
        let any = self::message(|any| any.bytes(2, value.to_string().as_bytes()));
        message.bytes(number, &named(name, &any));
    }
}

fn named(name: &str, value: &[u8]) -> Vec<u8> {
    message(|named| {
        named.bytes(1, name.as_bytes());
        named.bytes(2, value);
    })
}

fn message(fill: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut message = Writer::default();
    fill(&mut message);
    message.finish()
}

fn text(message: &mut Writer, number: u8, value: &Value) {
    if let Some(text) = value.as_str() {
        message.bytes(number, text.as_bytes());
    }
}

fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schema_as_gnostic_reads_it() {
        let of = json!({"type": "array", "items": {"$ref": format!("{PREFIX}a.B")}, "x-kubernetes-list-type": "map"});
        let expected: &[u8] = b"\xb2\x01\x07\x0a\x05array\xba\x01\x15\x0a\x13\x0a\x11#/definitions/a.B\
            \xfa\x01\x21\x0a\x16x-kubernetes-list-type\x12\x07\x12\x05\"map\"";
        assert_eq!(schema(&of), expected);
        let choice = json!({"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]});
        assert_eq!(schema(&choice), b"\x12\x0dint-or-string\xb2\x01\x08\x0a\x06string");
    }

    #[test]
    fn of_paths_only_patches_are_told() {
        let operation = json!({"parameters": [{"name": "dryRun", "schema": {"type": "string"}}],
            "x-kubernetes-group-version-kind": {"kind": "Pod"}});
        let document = json!({"paths": {"/a": {"get": {}}, "/b": {"patch": operation}}, "components": {"schemas": {}}});
        let encoded = encode(&[document]);
        let has = |bytes: &[u8]| encoded.windows(bytes.len()).any(|window| window == bytes);
        assert!(has(b"\x12\x05query\x22\x06dryRun\x32\x06string") && has(b"{\"kind\":\"Pod\"}"));
        assert!(has(b"/b") && !has(b"/a"));
    }
}
