//! DELETE.

use http::{Response, StatusCode};
use serde_json::Value;

use super::asked::Asked;
use super::{Body, body, query, read, respond};
use crate::field::{Errors, Path};
use crate::registry::{DeleteOptions, Deleted, Selection};
use crate::status::{self, Status};

/// DELETE of one object.
///
/// # Errors
/// As [`Registry::delete`].
pub async fn delete(asked: Asked<'_>, body: Body) -> Result<Response<Body>, Status> {
    let options = options(asked, body).await?;
    let resource = &asked.target.resource;
    let mut warnings: Vec<String> = options.warning(asked.target).map(str::to_owned).into_iter().collect();
    let mut response = match asked.registry.delete_telling(asked.target, &options, &mut warnings).await? {
        Deleted::Gone(last) if !resource.returns_deleted() => {
            let last: Value = serde_json::from_slice(&last).map_err(Status::internal)?;
            let uid = last.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default();
            let gone = status::success(&resource.qualified, &asked.target.name, uid);
            respond::value(StatusCode::OK, asked.form, &gone)
        }
        Deleted::Gone(object) | Deleted::Pending(object) => {
            read::object(resource, StatusCode::OK, asked.form, asked.query, &object)?
        }
    };
    respond::warn(&mut response, &warnings);
    Ok(response)
}

/// DELETE of a collection.
///
/// # Errors
/// As [`Registry::delete_collection`].
pub async fn delete_collection(asked: Asked<'_>, body: Body) -> Result<Response<Body>, Status> {
    let selection =
        Selection::parse(&asked.target.resource, asked.query.text("labelSelector"), asked.query.text("fieldSelector"))?;
    let options = options(asked, body).await?;
    let (page, warnings) = asked.registry.delete_collection(asked.target, &selection, &options).await?;
    let mut response = read::page_in_shape(&asked.target.resource, asked.form, asked.query, page)?;
    respond::warn(&mut response, &warnings);
    Ok(response)
}

/// The options of a deletion, from the body and the query.
async fn options(asked: Asked<'_>, body: Body) -> Result<DeleteOptions, Status> {
    let bytes = body::read(body).await?;
    let mut options = DeleteOptions { caller: asked.caller.clone(), ..DeleteOptions::default() };
    if !bytes.is_empty() {
        fill(&mut options, &sent(body::decode(asked.content_type(), &bytes)?.value)?)?;
    }
    asked.query.delete_options(&mut options)?;
    Ok(options)
}

/// The body, if it is what it should be. Any group may say that the options are its own.
fn sent(mut body: Value) -> Result<Value, Status> {
    let kind = body.get("kind").and_then(Value::as_str).unwrap_or("DeleteOptions");
    if kind != "DeleteOptions" {
        return Err(Status::bad_request(format!(
            "decoded object cannot be converted to DeleteOptions: it is a {kind}"
        )));
    }
    if let Some(ty) = schema::builtin().kind("", "v1", "DeleteOptions") {
        schema::admit::conform(ty, &mut body).map_err(|why| Status::bad_request(why.to_string()))?;
    }
    Ok(body)
}

/// Reads the options as an object carries them.
///
/// # Errors
/// 400 and 422 for what makes no sense.
pub fn fill(options: &mut DeleteOptions, sent: &Value) -> Result<(), Status> {
    let text = |at: &str| sent.pointer(at).and_then(Value::as_str).map(str::to_owned);
    options.grace = sent.get("gracePeriodSeconds").and_then(Value::as_i64);
    options.uid = text("/preconditions/uid");
    options.resource_version = text("/preconditions/resourceVersion");
    let policy = text("/propagationPolicy").unwrap_or_default();
    options.propagation = query::propagation(&policy)?;
    let dry_run: Vec<&str> =
        sent.get("dryRun").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    options.dry_run = query::dry_run("DeleteOptions", &dry_run)?;
    match sent.get("orphanDependents").and_then(Value::as_bool) {
        Some(_) if !policy.is_empty() => {
            let mut errors = Errors::default();
            let why = "orphanDependents and deletionPropagation cannot be both set";
            errors.invalid(&Path::new("propagationPolicy"), policy, why);
            Err(Status::invalid("DeleteOptions.meta.k8s.io", "", &errors))
        }
        Some(orphan) => {
            options.propagation = query::propagation(if orphan { "Orphan" } else { "Background" })?;
            Ok(())
        }
        None => Ok(()),
    }
}
