//! POST, PUT and PATCH.

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::asked::Asked;
use super::{Body, body, read, respond, scale};
use crate::registry::{Outcome, Part, Patch, WriteOptions};
use crate::status::Status;

const PATCHES: &[&str] =
    &["application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json", APPLY];

/// A configuration to apply; JSON is YAML.
const APPLY: &str = "application/apply-patch+yaml";

/// POST to a collection.
///
/// # Errors
/// As [`Registry::create`], and what the decoder says.
pub async fn create(asked: Asked<'_>, body: Body) -> Result<Response<Body>, Status> {
    let mut options = asked.write_options("CreateOptions")?;
    let decoded = body::object(&asked.target.resource, asked.content_type(), &body::read(body).await?)?;
    options.findings = duplicates(decoded.duplicates);
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
        let wanted = body::decode(asked.content_type(), &bytes)?.value;
        let outcome = asked.registry.update_scale(asked.target, wanted, &options).await?;
        return scale::written(asked, &outcome.bytes);
    }
    let decoded = body::object(&asked.target.resource, asked.content_type(), &bytes)?;
    options.findings = duplicates(decoded.duplicates);
    let outcome = asked.registry.update(asked.target, part, decoded.value, &options).await?;
    written(asked, &outcome)
}

/// PATCH of an object or of a part of it.
///
/// # Errors
/// 415 for a patch format that is not served, and as [`Registry::patch`].
pub async fn patch(asked: Asked<'_>, part: Part, body: Body) -> Result<Response<Body>, Status> {
    let format = body::media_type(asked.content_type());
    if !PATCHES.contains(&format) {
        return Err(Status::unsupported_media_type(PATCHES));
    }
    let bytes = body::read(body).await?;
    let mut options = asked.patch_options(format == APPLY)?;
    let patch = match format {
        APPLY => return apply(asked, part, &bytes, &options).await,
        "application/json-patch+json" => Patch::Json(operations(&bytes, &mut options)?),
        "application/merge-patch+json" => Patch::Merge(object(&bytes, &mut options)?),
        "application/strategic-merge-patch+json" => Patch::Strategic(object(&bytes, &mut options)?),
        _ => return Err(Status::unsupported_media_type(PATCHES)),
    };
    let outcome = asked.registry.patch(asked.target, part, &patch, &options).await?;
    if part == Part::Scale {
        return scale::written(asked, &outcome.bytes);
    }
    written(asked, &outcome)
}

async fn apply(asked: Asked<'_>, part: Part, bytes: &[u8], options: &WriteOptions) -> Result<Response<Body>, Status> {
    let config = body::config(bytes)?;
    let outcome = asked.registry.apply(asked.target, part, &config, options).await?;
    if part == Part::Scale {
        return scale::written(asked, &outcome.bytes);
    }
    written(asked, &outcome)
}

/// POST of a Binding, to the sub-resource or to `bindings`.
///
/// # Errors
/// As [`Registry::bind`].
pub async fn bind(asked: Asked<'_>, body: Body) -> Result<Response<Body>, Status> {
    let options = asked.write_options("CreateOptions")?;
    let binding = body::decode(asked.content_type(), &body::read(body).await?)?.value;
    asked.registry.bind(asked.target, &binding, &options).await?;
    Ok(done(asked))
}

/// What a write without an object of its own answers with.
pub fn done(asked: Asked<'_>) -> Response<Body> {
    let done = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201});
    respond::value(StatusCode::CREATED, asked.form, &done)
}

fn written(asked: Asked<'_>, outcome: &Outcome) -> Result<Response<Body>, Status> {
    let code = if outcome.created { StatusCode::CREATED } else { StatusCode::OK };
    let mut response = read::object(&asked.target.resource, code, asked.form, asked.query, &outcome.bytes)?;
    respond::warn(&mut response, &outcome.warnings);
    Ok(response)
}

fn duplicates(paths: Vec<String>) -> Vec<String> {
    paths.into_iter().map(|path| format!("duplicate field \"{path}\"")).collect()
}

fn bad(why: &dyn std::fmt::Display) -> Status {
    Status::bad_request(format!("error decoding patch: {why}"))
}

/// The operations of a JSON patch. What is wrong with one beside what it says is told as of any other body.
fn operations(bytes: &[u8], options: &mut WriteOptions) -> Result<json_patch::Patch, Status> {
    let decoded = schema::decode::json(bytes).map_err(|e| bad(&e))?;
    for (at, operation) in decoded.value.as_array().into_iter().flatten().enumerate() {
        let known = |field: &str| matches!(field, "op" | "path" | "from" | "value");
        let unknown = operation.as_object().into_iter().flat_map(|o| o.keys()).filter(|field| !known(field));
        options.findings.extend(unknown.map(|field| format!("json patch unknown field \"[{at}].{field}\"")));
        let within = decoded.duplicates.iter().filter(|path| path.starts_with(&format!("[{at}]")));
        options.findings.extend(within.map(|path| format!("json patch duplicate field \"{path}\"")));
    }
    serde_json::from_value(decoded.value).map_err(|e| bad(&e))
}

/// A patch document that is an object.
fn object(bytes: &[u8], options: &mut WriteOptions) -> Result<Value, Status> {
    let decoded = schema::decode::json(bytes).map_err(|e| bad(&e))?;
    if !decoded.value.is_object() {
        return Err(bad(&"a patch is an object"));
    }
    options.findings = duplicates(decoded.duplicates);
    Ok(decoded.value)
}
