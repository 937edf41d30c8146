//! One operation, and how operations of a path share their parameters.

use serde_json::{Map, Value, json};

use super::descriptions::Descriptions;
use super::schemas::reference;

pub(super) const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1";

/// The order of methods in a path.
const METHODS: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];

/// What built-in kinds and custom ones are read and written as.
#[derive(Clone, Copy)]
pub(super) struct Media {
    answers: &'static [&'static str],
    streams: &'static [&'static str],
    bodies: &'static [&'static str],
    patches: &'static [&'static str],
}

impl Media {
    pub(super) const BUILTIN: Self = Self {
        answers: &["application/json", "application/vnd.kubernetes.protobuf", "application/yaml"],
        streams: &[
            "application/json",
            "application/json;stream=watch",
            "application/vnd.kubernetes.protobuf",
            "application/vnd.kubernetes.protobuf;stream=watch",
            "application/yaml",
        ],
        bodies: &["*/*"],
        patches: &[
            "application/apply-patch+yaml",
            "application/json-patch+json",
            "application/merge-patch+json",
            "application/strategic-merge-patch+json",
        ],
    };
    pub(super) const CUSTOM: Self = Self {
        answers: &["application/json", "application/yaml"],
        streams: &["application/json", "application/yaml"],
        bodies: &["application/json", "application/yaml"],
        patches: &["application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json"],
    };
}

/// The parameters of a request, by Go's name of the struct that they are read into.
pub(super) type Options = (&'static str, &'static [&'static str]);

pub(super) const CREATE: Options = ("CreateOptions", &["dryRun", "fieldManager", "fieldValidation"]);
pub(super) const UPDATE: Options = ("UpdateOptions", &["dryRun", "fieldManager", "fieldValidation"]);
pub(super) const PATCH: Options = ("PatchOptions", &["dryRun", "fieldManager", "fieldValidation", "force"]);
pub(super) const GET: Options = ("ListOptions", &["resourceVersion"]);
pub(super) const DELETE: Options = (
    "DeleteOptions",
    &[
        "dryRun",
        "gracePeriodSeconds",
        "ignoreStoreReadErrorWithClusterBreakingPotential",
        "orphanDependents",
        "propagationPolicy",
    ],
);
pub(super) const LIST: Options = (
    "ListOptions",
    &[
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
    ],
);
/// A deletion of many takes what a list takes, but it does not watch.
pub(super) const SELECT: Options = (
    "ListOptions",
    &[
        "continue",
        "fieldSelector",
        "labelSelector",
        "limit",
        "resourceVersion",
        "resourceVersionMatch",
        "sendInitialEvents",
        "timeoutSeconds",
    ],
);

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
pub(super) enum Answer {
    /// An object of this type.
    Object(&'static [u16], String),
    /// A list, or its changes as they come.
    Stream(String),
    /// Text, or another protocol, in one of these media types.
    Text(&'static [&'static str]),
}

/// What an operation takes.
pub(super) enum Body {
    Nothing,
    Object(String),
    Options,
    Patch,
}

/// An operation on the way into its path.
pub(super) struct Operation<'a> {
    pub(super) method: &'static str,
    pub(super) tag: &'a str,
    pub(super) id: String,
    pub(super) description: String,
    pub(super) action: &'a str,
    pub(super) kind: Option<Kind<'a>>,
    pub(super) options: Vec<Options>,
    pub(super) body: Body,
    pub(super) answer: Answer,
}

impl Operation<'_> {
    fn json(&self, media: Media, parameters: Vec<Value>) -> Value {
        let mut operation = Map::new();
        let mut set = |name: &str, value: Value| drop(operation.insert(name.to_owned(), value));
        set("tags", json!([self.tag]));
        set("description", json!(self.description));
        set("operationId", json!(self.id));
        if !parameters.is_empty() {
            set("parameters", Value::Array(parameters));
        }
        match &self.body {
            Body::Nothing => {}
            Body::Object(ty) => set("requestBody", json!({"content": content(media.bodies, ty), "required": true})),
            Body::Options => {
                set("requestBody", json!({"content": content(media.bodies, &format!("{META}.DeleteOptions"))}));
            }
            Body::Patch => {
                let content = content(media.patches, &format!("{META}.Patch"));
                set("requestBody", json!({"content": content, "required": true}));
            }
        }
        set("responses", self.responses(media));
        if !self.action.is_empty() {
            set("x-kubernetes-action", json!(self.action));
        }
        if let Some(kind) = self.kind {
            set("x-kubernetes-group-version-kind", kind.json());
        }
        Value::Object(operation)
    }

    fn responses(&self, media: Media) -> Value {
        let mut responses = Map::new();
        let mut ok = |code: u16, content: Value| {
            let description = match code {
                201 => "Created",
                202 => "Accepted",
                _ => "OK",
            };
            responses.insert(code.to_string(), json!({"description": description, "content": content}));
        };
        match &self.answer {
            Answer::Object(codes, ty) => codes.iter().for_each(|&code| ok(code, content(media.answers, ty))),
            Answer::Stream(ty) => ok(200, content(media.streams, ty)),
            Answer::Text(media) => {
                let text = |of: &&str| ((*of).to_owned(), json!({"schema": {"type": "string"}}));
                ok(200, Value::Object(media.iter().map(text).collect()));
            }
        }
        responses.insert("401".to_owned(), json!({"description": "Unauthorized"}));
        Value::Object(responses)
    }
}

fn content(media: &[&str], ty: &str) -> Value {
    let entries = media.iter().map(|media| ((*media).to_owned(), json!({"schema": reference(ty)})));
    Value::Object(entries.collect())
}

/// Writes paths in the words of Kubernetes.
pub(super) struct Scribe<'a> {
    pub(super) media: Media,
    pub(super) words: &'a Descriptions<'a>,
}

impl Scribe<'_> {
    /// A path: what all its operations take stands once, beside them. `shared` are the parameters of each of them.
    pub(super) fn item(&self, mut operations: Vec<Operation>, shared: &[Value]) -> Option<Value> {
        operations.sort_by_key(|of| METHODS.iter().position(|method| *method == of.method));
        let taken: Vec<Vec<Value>> = operations.iter().map(|of| self.parameters(of, shared)).collect();
        let mut common = taken.first()?.clone();
        common.retain(|one| taken.iter().all(|others| others.contains(one)));
        let mut item = Map::new();
        for (of, mut own) in operations.iter().zip(taken) {
            own.retain(|one| !common.contains(one));
            item.insert(of.method.to_owned(), of.json(self.media, own));
        }
        if !common.is_empty() {
            item.insert("parameters".to_owned(), Value::Array(common));
        }
        Some(Value::Object(item))
    }

    fn parameters(&self, of: &Operation, shared: &[Value]) -> Vec<Value> {
        let own = of.options.iter().flat_map(|(from, names)| names.iter().map(|name| self.parameter(from, name)));
        let mut all: Vec<Value> = shared.iter().cloned().chain(own).collect();
        all.sort_by(|a, b| a["name"].as_str().cmp(&b["name"].as_str()).then(a["in"].as_str().cmp(&b["in"].as_str())));
        all.dedup_by(|a, b| a["name"] == b["name"] && a["in"] == b["in"]);
        all
    }

    fn parameter(&self, from: &str, name: &str) -> Value {
        query(name, self.words.get(from, name))
    }
}

/// A parameter of the query.
fn query(name: &str, description: String) -> Value {
    let kind = match name {
        "allowWatchBookmarks"
        | "sendInitialEvents"
        | "watch"
        | "force"
        | "orphanDependents"
        | "follow"
        | "previous"
        | "timestamps"
        | "insecureSkipTLSVerifyBackend"
        | "stdin"
        | "stdout"
        | "stderr"
        | "tty"
        | "ignoreStoreReadErrorWithClusterBreakingPotential" => "boolean",
        "gracePeriodSeconds" | "limit" | "timeoutSeconds" | "sinceSeconds" | "tailLines" | "limitBytes" | "ports" => {
            "integer"
        }
        _ => "string",
    };
    json!({"name": name, "in": "query", "description": description, "schema": {"type": kind, "uniqueItems": true}})
}

/// How answers are laid out.
pub(super) fn pretty() -> Value {
    let text = "If 'true', then the output is pretty printed. Defaults to 'false' unless the user-agent indicates a browser \
                or command-line HTTP tool (curl and wget).";
    query("pretty", text.to_owned())
}

/// A parameter of the path.
pub(super) fn place(name: &str, description: &str) -> Value {
    let schema = json!({"type": "string", "uniqueItems": true});
    json!({"name": name, "in": "path", "description": description, "required": true, "schema": schema})
}
