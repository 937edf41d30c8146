//! The paths below an object.

use serde_json::Value;

use super::super::operation::{Answer, Body, CREATE, Kind, Operation, Options, place};
use super::super::roots::title;
use super::{Resource, article};
use crate::table::SubRow;

const LOG: Options = (
    "PodLogOptions",
    &[
        "container",
        "follow",
        "insecureSkipTLSVerifyBackend",
        "limitBytes",
        "previous",
        "sinceSeconds",
        "stream",
        "tailLines",
        "timestamps",
    ],
);
const STREAM: &[&str] = &["command", "container", "stderr", "stdin", "stdout", "tty"];

/// The methods by which a proxy is reached.
const ALL: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];

impl<'a> Resource<'a> {
    /// The paths of a sub-resource of the object at `one`.
    pub(super) fn subresource(&self, one: &str, sub: &'a SubRow) -> Vec<(String, Option<Value>)> {
        let kind = Kind {
            group: sub.group.as_deref().unwrap_or(&self.row.group),
            version: sub.version.as_deref().unwrap_or(&self.row.version),
            kind: &sub.kind,
        };
        let path = format!("{one}/{}", sub.name);
        if sub.kind.ends_with("Options") {
            return self.connections(path, sub, kind);
        }
        let shared = self.shared(self.row.namespaced, &sub.kind);
        let item = self.scribe.item(self.operations(sub, kind), &shared);
        vec![(path, item)]
    }

    fn operations(&self, sub: &'a SubRow, kind: Kind<'a>) -> Vec<Operation<'a>> {
        let (of, suffix) = (format!("{} of ", sub.name), title(&sub.name));
        if sub.name == "log" {
            let description = format!("read {of}the specified {}", self.row.kind);
            let read = self.operation("get", "get", format!("read{}{suffix}", self.full()), description);
            let answers =
                &["application/json", "application/vnd.kubernetes.protobuf", "application/yaml", "text/plain"];
            return vec![Operation { options: vec![LOG], answer: Answer::Text(answers), ..read }];
        }
        let ty = self.type_name(kind);
        let mut operations = self.verbs(&sub.verbs, kind, &ty, &of, &suffix);
        if sub.verbs.contains(&"create") {
            let description = format!("create {of}{} {}", article(&self.row.kind), self.row.kind);
            let create = self.operation("post", "post", format!("create{}{suffix}", self.full()), description);
            let (body, answer) = (Body::Object(ty.clone()), Answer::Object(&[200, 201, 202], ty));
            operations.push(Operation { kind: Some(kind), options: vec![CREATE], body, answer, ..create });
        }
        operations
    }

    /// Sub-resources that lead somewhere else.
    fn connections(&self, path: String, sub: &'a SubRow, kind: Kind<'a>) -> Vec<(String, Option<Value>)> {
        let options: Options = match &*sub.name {
            "exec" => ("PodExecOptions", STREAM),
            "attach" => ("PodAttachOptions", &STREAM[1..]),
            "portforward" => ("PodPortForwardOptions", &["ports"]),
            _ => (proxied(&sub.kind), &["path"]),
        };
        let methods: &[&str] = if sub.name == "proxy" { &ALL } else { &["get", "post"] };
        let suffix = title(&sub.name);
        // Nothing of these is printed.
        let mut shared = self.shared(self.row.namespaced, &sub.kind);
        shared.retain(|one| one["name"] != "pretty");
        let item = |suffix: &str, shared: &[Value]| {
            let operations = methods.iter().map(|method| self.connection(method, sub, kind, suffix, options));
            self.scribe.item(operations.collect(), shared)
        };
        let mut paths = vec![(path.clone(), item(&suffix, &shared))];
        if sub.name == "proxy" {
            shared.push(place("path", "path to the resource"));
            paths.push((format!("{path}/{{path}}"), item(&format!("{suffix}WithPath"), &shared)));
        }
        paths
    }

    fn connection(
        &self,
        method: &'static str,
        sub: &SubRow,
        kind: Kind<'a>,
        suffix: &str,
        options: Options,
    ) -> Operation<'a> {
        let id = format!("connect{}{}{}{}{suffix}", self.name, title(method), self.scope(), self.row.kind);
        let what = format!("connect {} requests to {} of {}", method.to_uppercase(), sub.name, self.row.kind);
        Operation { kind: Some(kind), options: vec![options], ..self.operation(method, "connect", id, what) }
    }
}

fn proxied(kind: &str) -> &'static str {
    match kind {
        "NodeProxyOptions" => "NodeProxyOptions",
        "ServiceProxyOptions" => "ServiceProxyOptions",
        _ => "PodProxyOptions",
    }
}
