//! The second version of OpenAPI, made from documents of the third: kubectl before 1.27 explains kinds, checks fields and sees
//! from it whether a dry run is possible; up to 1.28 it computes its patches from it; other clients still generate code.
//!
//! The whole server is one document. It is kept as [`Entries`], a line a path, definition and parameter, so that custom kinds
//! come in between without building the rest again; JSON and protobuf are both written from these.

mod protobuf;
mod schema;

use std::collections::BTreeMap;
use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use serde_json::{Map, Value, json};

pub(super) use protobuf::encode as protobuf;

/// The order in which media types are told.
const MEDIA: [&str; 12] = [
    "*/*",
    "text/plain",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
    "application/json",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
    "application/json;stream=watch",
    "application/vnd.kubernetes.protobuf;stream=watch",
    "",
];

/// A part of the document.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Path,
    Definition,
    Parameter,
}

impl Part {
    const ALL: [(Self, &str); 3] =
        [(Self::Path, "paths"), (Self::Definition, "definitions"), (Self::Parameter, "parameters")];
}

/// Paths, definitions and parameters, sorted, each as JSON.
#[derive(Default)]
pub(super) struct Entries(BTreeMap<(Part, String), String>);

impl Entries {
    /// What a document of the third version holds.
    pub(super) fn add(&mut self, document: &Value) {
        for (path, item) in entries(&document["paths"]) {
            let item = self.item(item);
            self.put(Part::Path, path, &item);
        }
        for (name, of) in entries(&document["components"]["schemas"]) {
            self.put(Part::Definition, name, &schema::definition(of));
        }
    }

    fn put(&mut self, part: Part, name: &str, value: &Value) {
        self.0.insert((part, name.to_owned()), value.to_string());
    }

    fn of(&self, part: Part) -> impl Iterator<Item = (&str, &str)> {
        let all = self.0.iter().filter(move |((of, _), _)| *of == part);
        all.map(|((_, name), text)| (name.as_str(), text.as_str()))
    }

    /// A line each, as [`Entries::read`] reads them.
    pub(super) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        for ((part, name), text) in &self.0 {
            writeln!(to, "{}\t{name}\t{text}", *part as u8)?;
        }
        Ok(())
    }

    pub(super) fn read(text: &str) -> Self {
        let mut read = Self::default();
        for line in text.lines() {
            let mut cells = line.splitn(3, '\t');
            let part = match cells.next() {
                Some("0") => Part::Path,
                Some("1") => Part::Definition,
                _ => Part::Parameter,
            };
            if let (Some(name), Some(text)) = (cells.next(), cells.next()) {
                read.0.insert((part, name.to_owned()), text.to_owned());
            }
        }
        read
    }

    /// The document in JSON.
    pub(super) fn json(&self, to: &mut impl Write) -> io::Result<()> {
        write!(to, r#"{{"swagger":"2.0","info":{{"title":"Kubernetes","version":"1.33"}}"#)?;
        for (part, name) in Part::ALL {
            write!(to, r#","{name}":{{"#)?;
            for (at, (name, text)) in self.of(part).enumerate() {
                let comma = if at == 0 { "" } else { "," };
                write!(to, "{comma}{}:{text}", Value::from(name))?;
            }
            to.write_all(b"}")?;
        }
        let bearer =
            r#"{"description":"Bearer Token authentication","type":"apiKey","name":"authorization","in":"header"}"#;
        write!(to, r#","securityDefinitions":{{"BearerToken":{bearer}}},"security":[{{"BearerToken":[]}}]}}"#)
    }

    fn item(&mut self, of: &Value) -> Value {
        let mut item = Map::new();
        for (name, value) in entries(of) {
            let value = match name {
                "parameters" => items(value).iter().map(|one| self.parameter(one)).collect(),
                _ => self.operation(value),
            };
            item.insert(name.to_owned(), value);
        }
        Value::Object(item)
    }

    fn operation(&mut self, of: &Value) -> Value {
        let mut operation = Map::new();
        let mut set = |name: &str, value: Value| drop(operation.insert(name.to_owned(), value));
        set("description", of["description"].clone());
        let body = &of["requestBody"];
        set("consumes", media(&body["content"]));
        set("produces", media(&of["responses"]["200"]["content"]));
        set("schemes", json!(["https"]));
        set("tags", of["tags"].clone());
        set("operationId", of["operationId"].clone());
        let mut parameters = self.body(body).into_iter().collect::<Vec<_>>();
        parameters.extend(items(&of["parameters"]).iter().map(|one| self.parameter(one)));
        if !parameters.is_empty() {
            set("parameters", Value::Array(parameters));
        }
        let responses = entries(&of["responses"]).map(|(code, of)| (code.to_owned(), response(of)));
        set("responses", Value::Object(responses.collect()));
        for (name, value) in entries(of).filter(|(name, _)| name.starts_with("x-kubernetes-")) {
            set(name, value.clone());
        }
        Value::Object(operation)
    }

    fn body(&mut self, of: &Value) -> Option<Value> {
        let (_, content) = entries(&of["content"]).next()?;
        let mut body = json!({"name": "body", "in": "body"});
        if of["required"] == true {
            body["required"] = true.into();
        }
        body["schema"] = schema::definition(&content["schema"]);
        let to = body["schema"]["$ref"].as_str().unwrap_or_default();
        let shared = to.ends_with("meta.v1.DeleteOptions") || to.ends_with("meta.v1.Patch");
        Some(if shared { self.share(&body) } else { body })
    }

    fn parameter(&mut self, of: &Value) -> Value {
        let mut parameter = json!({"uniqueItems": true, "type": of["schema"]["type"]});
        for name in ["description", "name", "in", "required"] {
            if let Some(value) = of.get(name) {
                parameter[name] = value.clone();
            }
        }
        self.share(&parameter)
    }

    /// Most parameters are of most operations, so they stand once, and are referred to under their name and a hash.
    fn share(&mut self, parameter: &Value) -> Value {
        let key = format!("{}-{}", parameter["name"].as_str().unwrap_or_default(), short(&parameter.to_string()));
        self.put(Part::Parameter, &key, parameter);
        json!({ "$ref": format!("#/parameters/{key}") })
    }
}

/// kube-openapi's hash of a parameter: FNV-1 of the JSON as Go writes it.
fn short(json: &str) -> String {
    let escaped = json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
    let step = |hash: u64, byte: u8| hash.wrapping_mul(0x0000_0100_0000_01b3) ^ u64::from(byte);
    let hash = escaped.bytes().fold(0xcbf2_9ce4_8422_2325, step);
    URL_SAFE.encode(&hash.to_be_bytes()[..6])
}

fn media(content: &Value) -> Value {
    let mut media: Vec<&str> = entries(content).map(|(name, _)| name).collect();
    if media.is_empty() {
        media.push("*/*");
    }
    media.sort_by_key(|name| MEDIA.iter().position(|known| known == name));
    json!(media)
}

fn response(of: &Value) -> Value {
    let mut response = json!({ "description": of["description"] });
    if let Some((_, content)) = entries(&of["content"]).next() {
        response["schema"] = schema::definition(&content["schema"]);
    }
    response
}

fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_called_as_upstream_calls_it() {
        let parameter = r#"{"uniqueItems":true,"type":"boolean","description":"allowWatchBookmarks requests watch events with type \"BOOKMARK\". Servers that do not implement bookmarks may ignore this flag and bookmarks are sent at the server's discretion. Clients should not assume bookmarks are returned at any specific interval, nor may they assume the server will send any BOOKMARK event during a session. If this is not a watch, this field is ignored.","name":"allowWatchBookmarks","in":"query"}"#;
        assert_eq!(short(parameter), "HC2hJt-J");
    }

    #[test]
    fn what_is_written_is_read() {
        let mut all = Entries::default();
        let get = json!({"parameters": [{"name": "a", "in": "query", "schema": {"type": "string"}}], "responses": {}});
        all.add(&json!({"paths": {"/x": {"get": get}}, "components": {"schemas": {"a.B": {"type": "object"}}}}));
        let mut lines = Vec::new();
        all.write(&mut lines).unwrap();
        let read = Entries::read(std::str::from_utf8(&lines).unwrap());
        assert!(read.0 == all.0 && read.0.len() == 3);
        let mut document = Vec::new();
        read.json(&mut document).unwrap();
        let document: Value = serde_json::from_slice(&document).unwrap();
        let reference = document["paths"]["/x"]["get"]["parameters"][0]["$ref"].as_str().unwrap();
        assert_eq!(document.pointer(&reference[1..]).unwrap()["name"], "a");
        assert_eq!(document["definitions"]["a.B"]["type"], "object");
    }
}
