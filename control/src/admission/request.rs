//! A request as AdmissionReview and CEL's `request` describe it.

use serde_json::{Map, Value, json};

use super::matching::Request;
use super::{Operation, Review};
use crate::auth::Caller;
use crate::cel::Type;
use crate::registry::{Resource, WriteOptions};

/// The description without the objects. `seen` is the resource in the version that whoever is asked wants to see.
pub fn describe(request: &Request<'_>, seen: &Resource, uid: &str) -> Map<String, Value> {
    let review = request.review;
    let asked = &review.target.resource;
    let (part, mut fields) = (review.subresource, Map::new());
    let mut put = |name: &str, value: Value| drop(fields.insert(name.to_owned(), value));
    put("uid", uid.into());
    put("kind", kind(seen, part));
    put("resource", resource(seen));
    if !part.is_empty() {
        put("subResource", part.into());
    }
    put("requestKind", kind(asked, part));
    put("requestResource", resource(asked));
    if !part.is_empty() {
        put("requestSubResource", part.into());
    }
    let name = request.name();
    if !name.is_empty() {
        put("name", name.into());
    }
    // A namespace lies in itself, here alone.
    let namespace = if asked.is("", "namespaces") { name } else { request.namespace() };
    if !namespace.is_empty() {
        put("namespace", namespace.into());
    }
    put("operation", review.operation.name().into());
    put("userInfo", user(&review.options.caller));
    put("dryRun", review.options.dry_run.into());
    put("options", options(review));
    fields
}

fn kind(resource: &Resource, part: &str) -> Value {
    let row = &resource.row;
    if let Some(kind) = connect_kind(&row.resource, part) {
        return json!({"group": "", "version": "v1", "kind": kind});
    }
    if part == "scale" {
        return json!({"group": "autoscaling", "version": "v1", "kind": "Scale"});
    }
    json!({"group": row.group, "version": row.version, "kind": row.kind})
}

/// The kind of the options of what is connected to.
fn connect_kind(resource: &str, part: &str) -> Option<&'static str> {
    Some(match (resource, part) {
        ("pods", "exec") => "PodExecOptions",
        ("pods", "attach") => "PodAttachOptions",
        ("pods", "portforward") => "PodPortForwardOptions",
        ("pods", "proxy") => "PodProxyOptions",
        ("services", "proxy") => "ServiceProxyOptions",
        ("nodes", "proxy") => "NodeProxyOptions",
        _ => return None,
    })
}

fn resource(resource: &Resource) -> Value {
    let row = &resource.row;
    json!({"group": row.group, "version": row.version, "resource": row.resource})
}

fn user(caller: &Caller) -> Value {
    let mut user = json!({"username": caller.user});
    if !caller.uid.is_empty() {
        user["uid"] = caller.uid.as_str().into();
    }
    if !caller.groups.is_empty() {
        user["groups"] = caller.groups.iter().map(String::as_str).collect();
    }
    if !caller.extra.is_empty() {
        let extra: Map<String, Value> = caller
            .extra
            .iter()
            .map(|(key, values)| (key.clone(), values.iter().map(String::as_str).collect()))
            .collect();
        user["extra"] = extra.into();
    }
    user
}

fn options(review: &Review<'_>) -> Value {
    let WriteOptions { dry_run, manager, .. } = review.options;
    let kind = match review.operation {
        Operation::Create => "CreateOptions",
        Operation::Update => "UpdateOptions",
        Operation::Delete => "DeleteOptions",
        Operation::Connect => return Value::Null,
    };
    let mut options = json!({"kind": kind, "apiVersion": "meta.k8s.io/v1"});
    if *dry_run {
        options["dryRun"] = json!(["All"]);
    }
    if review.operation != Operation::Delete && !manager.is_empty() {
        options["fieldManager"] = (**manager).into();
    }
    options
}

/// The type of CEL's `request`.
pub fn request_type() -> Type {
    let texts = |name: &str, fields: &[&str]| {
        Type::object(name, fields.iter().map(|field| ((*field).to_owned(), Type::String)))
    };
    let kind = || texts("kubernetes.GroupVersionKind", &["group", "version", "kind"]);
    let resource = || texts("kubernetes.GroupVersionResource", &["group", "version", "resource"]);
    let user = Type::object(
        "kubernetes.UserInfo",
        [
            ("username", Type::String),
            ("uid", Type::String),
            ("groups", Type::list(Type::String)),
            ("extra", Type::text_map(Type::list(Type::String))),
        ]
        .map(|(name, ty)| (name.to_owned(), ty)),
    );
    let fields = [
        ("kind", kind()),
        ("resource", resource()),
        ("subResource", Type::String),
        ("requestKind", kind()),
        ("requestResource", resource()),
        ("requestSubResource", Type::String),
        ("name", Type::String),
        ("namespace", Type::String),
        ("operation", Type::String),
        ("userInfo", user),
        ("dryRun", Type::Bool),
        ("options", Type::Dyn),
    ];
    Type::object("kubernetes.AdmissionRequest", fields.map(|(name, ty)| (name.to_owned(), ty)))
}
