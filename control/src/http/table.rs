//! Tables and bare metadata: the shapes that `kubectl get` and metadata clients ask for.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::query::Query;
use crate::registry::Resource;
use crate::status::Status;

/// How much of an object a row carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Include {
    /// Only the cells.
    None,
    /// The metadata.
    Metadata,
    /// All of it.
    Object,
}

impl Include {
    /// Reads `includeObject`.
    ///
    /// # Errors
    /// 400 for an unknown one.
    pub fn parse(query: &Query) -> Result<Self, Status> {
        match query.text("includeObject") {
            "" | "Metadata" => Ok(Self::Metadata),
            "None" => Ok(Self::None),
            "Object" => Ok(Self::Object),
            other => Err(Status::bad_request(format!("unrecognized includeObject value: \"{other}\""))),
        }
    }
}

/// The columns of a kind.
pub fn columns(resource: &Resource) -> Value {
    resource.columns()
}

/// One object as a row.
pub fn row(resource: &Resource, object: &Value, include: Include, now: Timestamp) -> Value {
    let cells = resource.cells(object, now);
    let shown = match include {
        Include::None => Value::Null,
        Include::Metadata => metadata_only(object),
        Include::Object => {
            let mut whole = object.clone();
            resource.show(&mut whole);
            whole
        }
    };
    json!({"cells": cells, "object": shown})
}

/// A whole Table.
pub fn table(columns: Value, rows: Vec<Value>, metadata: Value) -> Value {
    json!({
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": columns,
        "rows": rows,
    })
}

/// An object without all but its metadata, which is in the order of its type, whatever the object's is.
pub fn metadata_only(object: &Value) -> Value {
    let mut metadata = object.get("metadata").cloned().unwrap_or_default();
    if let Some(ty) = schema::builtin().named("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta") {
        // What is stored has this type.
        let _ = schema::admit::conform(ty, &mut metadata);
    }
    json!({
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
    })
}
