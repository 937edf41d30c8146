//! POST, PUT, PATCH and DELETE.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, Response, StatusCode};
use serde_json::{Value, json};

use super::body;
use super::negotiate::Negotiated;
use super::query::{self, Query};
use super::{Body, read, respond};
use crate::registry::{
    DeleteOptions, Deleted, FieldValidation, Outcome, Part, Patch, Registry, Selection, Target, WriteOptions,
};
use crate::status::{self, Status};

const PATCHES: &[&str] =
    &["application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json"];

/// POST to a collection.
///
/// # Errors
/// As [`Registry::create`], and what the decoder says.
pub async fn create(
    registry: &Registry,
    target: &Target,
    form: Negotiated,
    query: &Query<'_>,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response<Body>, Status> {
    let mut options = options(query, "CreateOptions")?;
    let decoded = body::object(&target.resource, content_type(headers), &body::read(body).await?)?;
    options.duplicates = decoded.duplicates;
    let outcome = registry.create(target, decoded.value, &options).await?;
    written(target, form, query, &outcome)
}

/// PUT of an object or of a part of it.
///
/// # Errors
/// As [`Registry::update`], and what the decoder says.
pub async fn update(
    registry: &Registry,
    target: &Target,
    part: Part,
    form: Negotiated,
    query: &Query<'_>,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response<Body>, Status> {
    let mut options = options(query, "UpdateOptions")?;
    let bytes = body::read(body).await?;
    if part == Part::Scale {
        let scale = body::decode(content_type(headers), &bytes)?.value;
        let outcome = registry.update_scale(target, scale, &options).await?;
        return respond::stored(StatusCode::OK, form, &outcome.bytes);
    }
    let decoded = body::object(&target.resource, content_type(headers), &bytes)?;
    options.duplicates = decoded.duplicates;
    let outcome = registry.update(target, part, decoded.value, &options).await?;
    written(target, form, query, &outcome)
}

/// PATCH of an object or of a part of it.
///
/// # Errors
/// 415 for a patch format that is not served, and as [`Registry::patch`].
pub async fn patch(
    registry: &Registry,
    target: &Target,
    part: Part,
    form: Negotiated,
    query: &Query<'_>,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response<Body>, Status> {
    let mut options = options(query, "PatchOptions")?;
    let format = body::media_type(content_type(headers)).to_owned();
    let bytes = body::read(body).await?;
    let patch = match format.as_str() {
        "application/json-patch+json" => Patch::Json(
            serde_json::from_slice(&bytes).map_err(|e| Status::bad_request(format!("error decoding patch: {e}")))?,
        ),
        "application/merge-patch+json" => Patch::Merge(object(&bytes, &mut options)?),
        "application/strategic-merge-patch+json" => Patch::Strategic(object(&bytes, &mut options)?),
        _ => return Err(Status::unsupported_media_type(PATCHES)),
    };
    let outcome = registry.patch(target, part, &patch, &options).await?;
    if part == Part::Scale {
        return respond::stored(StatusCode::OK, form, &outcome.bytes);
    }
    written(target, form, query, &outcome)
}

/// DELETE of one object.
///
/// # Errors
/// As [`Registry::delete`].
pub async fn delete(
    registry: &Registry,
    target: &Target,
    form: Negotiated,
    query: &Query<'_>,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response<Body>, Status> {
    let options = delete_options(query, headers, body).await?;
    let resource = &target.resource;
    match registry.delete(target, &options).await? {
        Deleted::Gone(last) if !resource.returns_deleted() => {
            let last: Value = serde_json::from_slice(&last).map_err(Status::internal)?;
            let uid = last.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default();
            Ok(respond::value(StatusCode::OK, form, &status::success(&resource.qualified, &target.name, uid)))
        }
        Deleted::Gone(object) | Deleted::Pending(object) => {
            read::object(resource, StatusCode::OK, form, query, &object)
        }
    }
}

/// DELETE of a collection.
///
/// # Errors
/// As [`Registry::delete_collection`].
pub async fn delete_collection(
    registry: &Registry,
    target: &Target,
    form: Negotiated,
    query: &Query<'_>,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response<Body>, Status> {
    let selection = Selection::parse(&target.resource, query.text("labelSelector"), query.text("fieldSelector"))?;
    let options = delete_options(query, headers, body).await?;
    let page = registry.delete_collection(target, &selection, &options).await?;
    read::page_in_shape(&target.resource, form, query, page)
}

/// POST of a Binding, to the sub-resource or to `bindings`.
///
/// # Errors
/// As [`Registry::bind`].
pub async fn bind(
    registry: &Registry,
    target: &Target,
    form: Negotiated,
    query: &Query<'_>,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response<Body>, Status> {
    let options = options(query, "CreateOptions")?;
    let binding = body::decode(content_type(headers), &body::read(body).await?)?.value;
    registry.bind(target, &binding, &options).await?;
    let done = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201});
    Ok(respond::value(StatusCode::CREATED, form, &done))
}

fn written(target: &Target, form: Negotiated, query: &Query, outcome: &Outcome) -> Result<Response<Body>, Status> {
    let code = if outcome.created { StatusCode::CREATED } else { StatusCode::OK };
    let mut response = read::object(&target.resource, code, form, query, &outcome.bytes)?;
    respond::warn(&mut response, &outcome.warnings);
    Ok(response)
}

fn options(query: &Query, kind: &str) -> Result<WriteOptions, Status> {
    let validation: FieldValidation = query.field_validation(kind)?;
    Ok(WriteOptions { dry_run: query.dry_run(kind)?, validation, duplicates: Vec::new() })
}

async fn delete_options(query: &Query<'_>, headers: &HeaderMap, body: Body) -> Result<DeleteOptions, Status> {
    let bytes = body::read(body).await?;
    let mut options = DeleteOptions::default();
    if !bytes.is_empty() {
        let sent = body::decode(content_type(headers), &bytes)?.value;
        let text = |at: &str| sent.pointer(at).and_then(Value::as_str).map(str::to_owned);
        options.grace = sent.get("gracePeriodSeconds").and_then(Value::as_i64);
        options.uid = text("/preconditions/uid");
        options.resource_version = text("/preconditions/resourceVersion");
        options.propagation = query::propagation(&text("/propagationPolicy").unwrap_or_default())?;
        options.dry_run = sent.pointer("/dryRun/0").is_some();
        match sent.get("orphanDependents").and_then(Value::as_bool) {
            Some(true) => options.propagation = query::propagation("Orphan")?,
            Some(false) => options.propagation = query::propagation("Background")?,
            None => {}
        }
    }
    query.delete_options(&mut options)?;
    Ok(options)
}

/// A patch document that is an object.
fn object(bytes: &[u8], options: &mut WriteOptions) -> Result<Value, Status> {
    let bad = |why: &dyn std::fmt::Display| Status::bad_request(format!("error decoding patch: {why}"));
    let decoded = schema::decode::json(bytes).map_err(|e| bad(&e))?;
    if !decoded.value.is_object() {
        return Err(bad(&"a patch is an object"));
    }
    options.duplicates = decoded.duplicates;
    Ok(decoded.value)
}

fn content_type(headers: &HeaderMap) -> &str {
    headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default()
}
