//! The document as protobuf. The field numbers are those of gnostic's `OpenAPIv2.proto`.
//!
//! Parameters are written where they are used: clients that read this form do not follow references to them. Their
//! descriptions, which nobody reads here, are left out.

use std::collections::HashMap;

use serde_json::Value;

use super::{Entries, Part, entries, items};
use crate::encode::wire::Writer;

/// The whole document.
pub(in super::super) fn encode(all: &Entries) -> Vec<u8> {
    let parse = |(name, text): (&str, &str)| Some((name.to_owned(), serde_json::from_str::<Value>(text).ok()?));
    let shared = Shared(all.of(Part::Parameter).filter_map(parse).collect());
    let paths = message(|paths| {
        for (path, item) in all.of(Part::Path).filter_map(parse) {
            paths.bytes(2, &named(&path, &shared.item(&item)));
        }
    });
    let definitions = message(|definitions| {
        for (name, of) in all.of(Part::Definition).filter_map(parse) {
            definitions.bytes(1, &named(&name, &schema(&of)));
        }
    });
    let info = message(|info| {
        info.bytes(1, b"Kubernetes");
        info.bytes(2, b"1.33");
    });
    message(|document| {
        document.bytes(1, b"2.0");
        document.bytes(2, &info);
        document.bytes(8, &paths);
        document.bytes(9, &definitions);
    })
}

/// The parameters that are referred to.
struct Shared(HashMap<String, Value>);

impl Shared {
    fn item(&self, of: &Value) -> Vec<u8> {
        message(|item| {
            for (name, value) in entries(of) {
                let number = match name {
                    "get" => 2,
                    "put" => 3,
                    "post" => 4,
                    "delete" => 5,
                    "options" => 6,
                    "head" => 7,
                    "patch" => 8,
                    _ => {
                        items(value).iter().for_each(|one| item.bytes(9, &self.parameter(one)));
                        continue;
                    }
                };
                item.bytes(number, &self.operation(value));
            }
        })
    }

    fn operation(&self, of: &Value) -> Vec<u8> {
        message(|operation| {
            texts(operation, 1, &of["tags"]);
            text(operation, 3, &of["description"]);
            text(operation, 5, &of["operationId"]);
            texts(operation, 6, &of["produces"]);
            texts(operation, 7, &of["consumes"]);
            items(&of["parameters"]).iter().for_each(|one| operation.bytes(8, &self.parameter(one)));
            operation.bytes(9, &responses(&of["responses"]));
            texts(operation, 10, &of["schemes"]);
            extensions(operation, 13, of);
        })
    }

    fn parameter(&self, of: &Value) -> Vec<u8> {
        let reference = of["$ref"].as_str().and_then(|to| to.strip_prefix("#/parameters/"));
        let of = reference.and_then(|name| self.0.get(name)).unwrap_or(of);
        let parameter = match of["in"].as_str() {
            Some("body") => message(|parameter| parameter.bytes(1, &body(of))),
            Some("path") => other(4, &message(|path| placed(path, of, 5))),
            _ => other(3, &message(|query| placed(query, of, 6))),
        };
        message(|item| item.bytes(1, &parameter))
    }
}

/// A parameter that is not the body.
fn other(number: u8, of: &[u8]) -> Vec<u8> {
    let no_body = message(|parameter| parameter.bytes(number, of));
    message(|parameter| parameter.bytes(2, &no_body))
}

fn placed(parameter: &mut Writer, of: &Value, kind: u8) {
    if of["required"] == true {
        parameter.varint(1, 1);
    }
    text(parameter, 2, &of["in"]);
    text(parameter, 4, &of["name"]);
    text(parameter, kind, &of["type"]);
}

fn body(of: &Value) -> Vec<u8> {
    message(|body| {
        text(body, 2, &of["name"]);
        text(body, 3, &of["in"]);
        if of["required"] == true {
            body.varint(4, 1);
        }
        body.bytes(5, &schema(&of["schema"]));
    })
}

fn responses(of: &Value) -> Vec<u8> {
    message(|responses| {
        for (code, of) in entries(of) {
            let response = message(|response| {
                text(response, 1, &of["description"]);
                if let Some(of) = of.get("schema") {
                    response.bytes(2, &message(|item| item.bytes(1, &schema(of))));
                }
            });
            let value = message(|value| value.bytes(1, &response));
            responses.bytes(1, &named(code, &value));
        }
    })
}

fn schema(of: &Value) -> Vec<u8> {
    message(|schema| {
        text(schema, 1, &of["$ref"]);
        text(schema, 2, &of["format"]);
        text(schema, 4, &of["description"]);
        texts(schema, 19, &of["required"]);
        for value in items(&of["enum"]) {
            schema.bytes(20, &any(value));
        }
        match of.get("additionalProperties") {
            Some(Value::Bool(any)) => schema.bytes(21, &message(|item| item.varint(2, u64::from(*any)))),
            Some(value) => schema.bytes(21, &message(|item| item.bytes(1, &self::schema(value)))),
            None => {}
        }
        if let Some(kind) = of["type"].as_str() {
            schema.bytes(22, &message(|kinds| kinds.bytes(1, kind.as_bytes())));
        }
        if let Some(item) = of.get("items") {
            schema.bytes(23, &message(|items| items.bytes(1, &self::schema(item))));
        }
        if let Some(properties) = of.get("properties") {
            let each = |message: &mut Writer| {
                entries(properties).for_each(|(name, of)| message.bytes(1, &named(name, &self::schema(of))));
            };
            schema.bytes(25, &message(each));
        }
        extensions(schema, 31, of);
    })
}

fn extensions(message: &mut Writer, number: u8, of: &Value) {
    for (name, value) in entries(of).filter(|(name, _)| name.starts_with("x-kubernetes-")) {
        message.bytes(number, &named(name, &any(value)));
    }
}

/// Any value is written as YAML, which JSON is.
fn any(value: &Value) -> Vec<u8> {
    message(|any| any.bytes(2, value.to_string().as_bytes()))
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

fn texts(message: &mut Writer, number: u8, values: &Value) {
    items(values).iter().for_each(|value| text(message, number, value));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schema_as_gnostic_reads_it() {
        let of = json!({"type": "array", "items": {"$ref": "#/definitions/a.B"}, "x-kubernetes-list-type": "map"});
        let expected: &[u8] = b"\xb2\x01\x07\x0a\x05array\xba\x01\x15\x0a\x13\x0a\x11#/definitions/a.B\
            \xfa\x01\x21\x0a\x16x-kubernetes-list-type\x12\x07\x12\x05\"map\"";
        assert_eq!(schema(&of), expected);
    }

    #[test]
    fn parameters_stand_where_they_are_used() {
        let operation = json!({"parameters": [{"name": "dryRun", "in": "query", "schema": {"type": "string"}}],
            "responses": {}, "x-kubernetes-group-version-kind": {"kind": "Pod"}});
        let mut all = Entries::default();
        all.add(&json!({"paths": {"/b": {"patch": operation}}, "components": {"schemas": {}}}));
        let encoded = encode(&all);
        let has = |bytes: &[u8]| encoded.windows(bytes.len()).any(|window| window == bytes);
        assert!(has(b"\x12\x05query\x22\x06dryRun\x32\x06string") && has(b"{\"kind\":\"Pod\"}") && has(b"/b"));
    }
}
