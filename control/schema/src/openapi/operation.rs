//! One operation: its parameters, body and answers.

use serde_json::{Map, Value, json};

use super::schemas::reference;

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1";
const ANSWERS: [&str; 3] = ["application/json", "application/vnd.kubernetes.protobuf", "application/yaml"];
const STREAMS: [&str; 5] = [
    "application/json",
    "application/json;stream=watch",
    "application/vnd.kubernetes.protobuf",
    "application/vnd.kubernetes.protobuf;stream=watch",
    "application/yaml",
];
const PATCHES: [&str; 4] = [
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
];

/// The parameters of writes.
pub(super) const WRITE: [&str; 3] = ["dryRun", "fieldManager", "fieldValidation"];
/// The parameters of patches.
pub(super) const PATCH: [&str; 4] = ["dryRun", "fieldManager", "fieldValidation", "force"];
/// The parameters of a deletion.
pub(super) const DELETE: [&str; 5] = [
    "dryRun",
    "gracePeriodSeconds",
    "ignoreStoreReadErrorWithClusterBreakingPotential",
    "orphanDependents",
    "propagationPolicy",
];
/// The parameters of lists and watches.
pub(super) const LIST: [&str; 10] = [
    "allowWatchBookmarks",
    "continue",
    "fieldSelector",
    "labelSelector",
    "limit",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "timeoutSeconds",
    "watch",
];

/// A kind, told apart.
#[derive(Clone, Copy)]
pub(super) struct Kind<'a> {
    pub(super) group: &'a str,
    pub(super) version: &'a str,
    pub(super) kind: &'a str,
}

impl Kind<'_> {
    fn json(self) -> Value {
        json!({"group": self.group, "version": self.version, "kind": self.kind})
    }
}

/// What an operation answers with, and under which codes.
pub(super) enum Answer<'a> {
    /// An object of this type.
    Object(&'a [u16], &'a str),
    /// A list, or its changes as they come.
    Stream(&'a str),
    /// Text, or another protocol.
    Text(&'a str),
}

/// What an operation takes.
pub(super) enum Body<'a> {
    Nothing,
    Object(&'a str),
    Options,
    Patch,
}

/// An operation without its parameters in the path.
pub(super) struct Operation<'a> {
    pub(super) tag: &'a str,
    pub(super) id: String,
    pub(super) description: String,
    pub(super) action: &'a str,
    pub(super) kind: Option<Kind<'a>>,
    pub(super) parameters: Vec<&'a str>,
    pub(super) body: Body<'a>,
    pub(super) answer: Answer<'a>,
}

impl Operation<'_> {
    pub(super) fn json(&self) -> Value {
        let mut operation = Map::new();
        let mut set = |name: &str, value: Value| drop(operation.insert(name.to_owned(), value));
        set("tags", json!([self.tag]));
        set("description", json!(self.description));
        set("operationId", json!(self.id));
        if !self.parameters.is_empty() {
            set("parameters", self.parameters.iter().map(|name| parameter(name)).collect());
        }
        match self.body {
            Body::Nothing => {}
            Body::Object(ty) => set("requestBody", json!({"content": content(&["*/*"], ty), "required": true})),
            Body::Options => {
                set("requestBody", json!({"content": content(&["*/*"], &format!("{META}.DeleteOptions"))}));
            }
            Body::Patch => {
                let content = content(&PATCHES, &format!("{META}.Patch"));
                set("requestBody", json!({"content": content, "required": true}));
            }
        }
        set("responses", self.responses());
        if !self.action.is_empty() {
            set("x-kubernetes-action", json!(self.action));
        }
        if let Some(kind) = self.kind {
            set("x-kubernetes-group-version-kind", kind.json());
        }
        Value::Object(operation)
    }

    fn responses(&self) -> Value {
        let mut responses = Map::new();
        let mut ok = |code: u16, content: Value| {
            let description = match code {
                201 => "Created",
                202 => "Accepted",
                _ => "OK",
            };
            responses.insert(code.to_string(), json!({"description": description, "content": content}));
        };
        match self.answer {
            Answer::Object(codes, ty) => codes.iter().for_each(|&code| ok(code, content(&ANSWERS, ty))),
            Answer::Stream(ty) => ok(200, content(&STREAMS, ty)),
            Answer::Text(media) => ok(200, json!({media: {"schema": {"type": "string"}}})),
        }
        responses.insert("401".to_owned(), json!({"description": "Unauthorized"}));
        Value::Object(responses)
    }
}

fn content(media: &[&str], ty: &str) -> Value {
    let entries = media.iter().map(|media| ((*media).to_owned(), json!({"schema": reference(ty)})));
    Value::Object(entries.collect())
}

/// A parameter by its name; those of the path are required.
pub(super) fn parameter(name: &str) -> Value {
    let kind = match name {
        "allowWatchBookmarks" | "sendInitialEvents" | "watch" | "force" | "orphanDependents" => "boolean",
        "ignoreStoreReadErrorWithClusterBreakingPotential" => "boolean",
        "limit" | "timeoutSeconds" | "gracePeriodSeconds" => "integer",
        _ => "string",
    };
    let schema = json!({"type": kind, "uniqueItems": true});
    match name {
        "name" | "namespace" | "path" => json!({"name": name, "in": "path", "required": true, "schema": schema}),
        _ => json!({"name": name, "in": "query", "schema": schema}),
    }
}
