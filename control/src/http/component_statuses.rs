//! ComponentStatuses: the parts of a control plane as old clients know them. Here they are one process, and who gets an
//! answer knows that it is well.

use std::sync::Arc;

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::asked::Asked;
use super::{Body, read};
use crate::registry::{Page, Resource, Selection};
use crate::status::Status;
use crate::store::{Class, Entry, Key};

const COMPONENTS: [&str; 3] = ["controller-manager", "etcd-0", "scheduler"];

/// GET of one component.
///
/// # Errors
/// 404 for a component that there is not.
pub fn get(asked: Asked<'_>) -> Result<Response<Body>, Status> {
    let resource = &asked.target.resource;
    let entry = entry(asked, &asked.target.name);
    if !COMPONENTS.contains(&&*asked.target.name) {
        return Err(Status::not_found(&resource.qualified, &asked.target.name));
    }
    read::object(resource, StatusCode::OK, asked.form, asked.query, &entry.bytes)
}

/// GET of all of them.
///
/// # Errors
/// 400 for selectors that cannot be read.
pub fn list(asked: Asked<'_>) -> Result<Response<Body>, Status> {
    let resource = &asked.target.resource;
    let selection = Selection::parse(resource, asked.query.text("labelSelector"), asked.query.text("fieldSelector"))?;
    let entries = COMPONENTS.iter().map(|name| Arc::new(entry(asked, name)));
    let entries = entries.filter(|e| selection.takes(resource, e)).collect();
    let page = Page { revision: asked.registry.store().revision(), entries, next: None, remaining: None };
    read::page_in_shape(resource, asked.form, asked.query, page)
}

fn entry(asked: Asked<'_>, name: &str) -> Entry {
    let resource = &asked.target.resource;
    Entry {
        key: Key { resource: resource.stored.clone(), namespace: "".into(), name: name.into() },
        revision: asked.registry.store().revision(),
        bytes: object(resource, name).to_string().into(),
        class: Class::Volatile,
    }
}

fn object(resource: &Resource, name: &str) -> Value {
    json!({
        "kind": resource.row.kind,
        "apiVersion": resource.api_version,
        "metadata": {"name": name, "creationTimestamp": null},
        "conditions": [{"type": "Healthy", "status": "True", "message": "ok"}],
    })
}
