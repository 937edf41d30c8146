//! POST, PUT, PATCH and DELETE.

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::asked::Asked;
use super::{Body, body, query, read, respond};
use crate::registry::{DeleteOptions, Deleted, Outcome, Part, Patch, Selection, WriteOptions};
use crate::status::{self, Status};

const PATCHES: &[&str] =
    &["application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json"];

/// POST to a collection.
///
/// # Errors
/// As [`Registry::create`], and what the decoder says.
pub async fn create(asked: Asked<'_>, body: Body) -> Result<Response<Body>, Status> {
    let mut options = asked.write_options("CreateOptions")?;
    let decoded = body::object(&asked.target.resource, asked.content_type(), &body::read(body).await?)?;
    options.duplicates = decoded.duplicates;
    let outcome = asked.registry.create(asked.target, decoded.value, &options).await?;
    written(asked, &outcome)
}

/// PUT of an object or of a part of it.
///
/// # Errors
/// As [`Registry::update`], and what the decoder says.
pub async fn update(asked: Asked<'_>, part: Part, body: Body) -> Result<Response<Body>, Status> {
    let mut options = asked.write_options("UpdateOptions")?;
    let bytes = body::read(body).await?;
    if part == Part::Scale {
        let scale = body::decode(asked.content_type(), &bytes)?.value;
        let outcome = asked.registry.update_scale(asked.target, scale, &options).await?;
        return respond::stored(StatusCode::OK, asked.form, &outcome.bytes);
    }
    let decoded = body::object(&asked.target.resource, asked.content_type(), &bytes)?;
    options.duplicates = decoded.duplicates;
    let outcome = asked.registry.update(asked.target, part, decoded.value, &options).await?;
    written(asked, &outcome)
}

/// PATCH of an object or of a part of it.
///
/// # Errors
/// 415 for a patch format that is not served, and as [`Registry::patch`].
pub async fn patch(asked: Asked<'_>, part: Part, body: Body) -> Result<Response<Body>, Status> {
    let mut options = asked.write_options("PatchOptions")?;
    let format = body::media_type(asked.content_type()).to_owned();
    let bytes = body::read(body).await?;
    let patch = match format.as_str() {
        "application/json-patch+json" => Patch::Json(
            serde_json::from_slice(&bytes).map_err(|e| Status::bad_request(format!("error decoding patch: {e}")))?,
        ),
        "application/merge-patch+json" => Patch::Merge(object(&bytes, &mut options)?),
        "application/strategic-merge-patch+json" => Patch::Strategic(object(&bytes, &mut options)?),
        _ => return Err(Status::unsupported_media_type(PATCHES)),
    };
    let outcome = asked.registry.patch(asked.target, part, &patch, &options).await?;
    if part == Part::Scale {
        return respond::stored(StatusCode::OK, asked.form, &outcome.bytes);
    }
    written(asked, &outcome)
}

/// DELETE of one object.
///
/// # Errors
/// As [`Registry::delete`].
pub async fn delete(asked: Asked<'_>, body: Body) -> Result<Response<Body>, Status> {
    let options = delete_options(asked, body).await?;
    let resource = &asked.target.resource;
    match asked.registry.delete(asked.target, &options).await? {
        Deleted::Gone(last) if !resource.returns_deleted() => {
            let last: Value = serde_json::from_slice(&last).map_err(Status::internal)?;
            let uid = last.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default();
            Ok(respond::value(
                StatusCode::OK,
                asked.form,
                &status::success(&resource.qualified, &asked.target.name, uid),
            ))
        }
        Deleted::Gone(object) | Deleted::Pending(object) => {
            read::object(resource, StatusCode::OK, asked.form, asked.query, &object)
        }
    }
}

/// DELETE of a collection.
///
/// # Errors
/// As [`Registry::delete_collection`].
pub async fn delete_collection(asked: Asked<'_>, body: Body) -> Result<Response<Body>, Status> {
    let selection =
        Selection::parse(&asked.target.resource, asked.query.text("labelSelector"), asked.query.text("fieldSelector"))?;
    let options = delete_options(asked, body).await?;
    let page = asked.registry.delete_collection(asked.target, &selection, &options).await?;
    read::page_in_shape(&asked.target.resource, asked.form, asked.query, page)
}

/// POST of a Binding, to the sub-resource or to `bindings`.
///
/// # Errors
/// As [`Registry::bind`].
pub async fn bind(asked: Asked<'_>, body: Body) -> Result<Response<Body>, Status> {
    let options = asked.write_options("CreateOptions")?;
    let binding = body::decode(asked.content_type(), &body::read(body).await?)?.value;
    asked.registry.bind(asked.target, &binding, &options).await?;
    let done = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201});
    Ok(respond::value(StatusCode::CREATED, asked.form, &done))
}

fn written(asked: Asked<'_>, outcome: &Outcome) -> Result<Response<Body>, Status> {
    let code = if outcome.created { StatusCode::CREATED } else { StatusCode::OK };
    let mut response = read::object(&asked.target.resource, code, asked.form, asked.query, &outcome.bytes)?;
    respond::warn(&mut response, &outcome.warnings);
    Ok(response)
}

async fn delete_options(asked: Asked<'_>, body: Body) -> Result<DeleteOptions, Status> {
    let bytes = body::read(body).await?;
    let mut options = DeleteOptions { caller: asked.caller.clone(), ..DeleteOptions::default() };
    if !bytes.is_empty() {
        let sent = body::decode(asked.content_type(), &bytes)?.value;
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
    asked.query.delete_options(&mut options)?;
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
