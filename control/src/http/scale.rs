//! A workload's scale as an answer: the object, or a row with what is wanted and what is there.

use bytes::Bytes;
use http::{Response, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::asked::Asked;
use super::negotiate::Shape;
use super::table::{self, Include};
use super::{Body, respond};
use crate::kinds::{AGE, Column, Look as _, NAME, since};
use crate::status::Status;

const COLUMNS: [Column; 4] = [
    NAME,
    Column::integer("Desired", "replicas is the desired number of instances for the scaled object."),
    Column::integer("Available", "replicas is the actual number of observed instances of the scaled object."),
    AGE,
];

/// A scale in the agreed shape.
///
/// # Errors
/// 400 for an `includeObject` that there is not.
pub fn shown(asked: Asked<'_>, scale: &Value) -> Result<Response<Body>, Status> {
    let shaped = match asked.form.shape {
        Shape::Object => return Ok(respond::value(StatusCode::OK, asked.form, scale)),
        Shape::Metadata => table::metadata_only(scale),
        Shape::Table => table(scale, Include::parse(asked.query)?, objects::time::now().0),
    };
    Ok(respond::value(StatusCode::OK, asked.form, &shaped))
}

/// A scale that was written.
///
/// # Errors
/// As [`shown`].
pub fn written(asked: Asked<'_>, bytes: &Bytes) -> Result<Response<Body>, Status> {
    if asked.form.shape == Shape::Object {
        return respond::stored(StatusCode::OK, asked.form, bytes);
    }
    shown(asked, &serde_json::from_slice(bytes).map_err(Status::internal)?)
}

fn table(scale: &Value, include: Include, now: Timestamp) -> Value {
    let count = |at: &str| scale.pointer(at).and_then(Value::as_i64).unwrap_or_default();
    let cells = json!([
        scale["metadata"]["name"],
        count("/spec/replicas"),
        count("/status/replicas"),
        since(scale.text("metadata.creationTimestamp"), now)
    ]);
    let object = match include {
        Include::None => Value::Null,
        Include::Metadata => table::metadata_only(scale),
        Include::Object => scale.clone(),
    };
    let columns: Vec<Value> = COLUMNS.iter().map(Column::definition).collect();
    let version = json!({"resourceVersion": scale["metadata"]["resourceVersion"]});
    table::table(columns.into(), vec![json!({"cells": cells, "object": object})], version)
}
