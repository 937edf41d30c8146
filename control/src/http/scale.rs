//! The answers that are a Scale, of whatever resource.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::asked::Asked;
use super::negotiate::Shape;
use super::table::{self, Include};
use super::{Body, respond};
use crate::kinds::{AGE, Column, NAME, age};
use crate::status::Status;

const COLUMNS: &[Column] = &[
    NAME,
    Column::integer("Desired", "replicas is the desired number of instances for the scaled object."),
    Column::integer("Available", "replicas is the actual number of observed instances of the scaled object."),
    AGE,
];

/// GET of a Scale.
///
/// # Errors
/// As [`crate::registry::Registry::scale`].
pub async fn get(asked: Asked<'_>) -> Result<Response<Body>, Status> {
    shaped(asked, &asked.registry.scale(asked.target).await?)
}

/// A Scale that was written, in the agreed shape.
///
/// # Errors
/// 400 for an unknown `includeObject`.
pub fn written(asked: Asked<'_>, bytes: &Bytes) -> Result<Response<Body>, Status> {
    match asked.form.shape {
        Shape::Object => respond::stored(StatusCode::OK, asked.form, bytes),
        _ => shaped(asked, &serde_json::from_slice(bytes).map_err(Status::internal)?),
    }
}

fn shaped(asked: Asked<'_>, scale: &Value) -> Result<Response<Body>, Status> {
    let shown = match asked.form.shape {
        Shape::Object => return Ok(respond::value(StatusCode::OK, asked.form, scale)),
        Shape::Metadata => table::metadata_only(scale),
        Shape::Table => table(scale, Include::parse(asked.query)?),
    };
    Ok(respond::value(StatusCode::OK, asked.form, &shown))
}

fn table(scale: &Value, include: Include) -> Value {
    let field = |path| scale.pointer(path).cloned().unwrap_or_default();
    let replicas = |path| scale.pointer(path).cloned().unwrap_or(json!(0));
    let made = field("/metadata/creationTimestamp");
    let age = age::since(made.as_str().unwrap_or_default(), objects::time::now().0);
    let cells = json!([field("/metadata/name"), replicas("/spec/replicas"), replicas("/status/replicas"), age]);
    let object = match include {
        Include::None => Value::Null,
        Include::Metadata => table::metadata_only(scale),
        Include::Object => scale.clone(),
    };
    let columns = COLUMNS.iter().map(Column::definition).collect();
    let version = json!({"resourceVersion": field("/metadata/resourceVersion")});
    table::table(columns, vec![json!({"cells": cells, "object": object})], version)
}
