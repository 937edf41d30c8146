//! POST, PUT and PATCH.

use http::{Response, StatusCode};
use schema::admit::word;
use schema::decode::{self, Decoded};
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
    if part == Part::EphemeralContainers
        && let Some(patch) = debuggers_alone(asked, &bytes)
    {
        let outcome = asked.registry.patch(asked.target, part, &patch, &options).await?;
        return written(asked, &outcome);
    }
    let decoded = body::object(&asked.target.resource, asked.content_type(), &bytes)?;
    options.findings = duplicates(decoded.duplicates);
    check_named(asked, &decoded.value)?;
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
        return Err(unknown_format(asked));
    }
    let bytes = body::read(body).await?;
    let mut options = asked.patch_options(format == APPLY)?;
    let patch = match format {
        APPLY => return apply(asked, part, &bytes, &options).await,
        "application/json-patch+json" => Patch::Json(operations(&bytes, &mut options)?),
        "application/merge-patch+json" => Patch::Merge(object(&bytes, "error decoding patch: ", &mut options)?),
        "application/strategic-merge-patch+json" => Patch::Strategic(object(&bytes, "", &mut options)?),
        _ => return Err(unknown_format(asked)),
    };
    let outcome = asked.registry.patch(asked.target, part, &patch, &options).await?;
    if part == Part::Scale {
        return scale::written(asked, &outcome.bytes);
    }
    written(asked, &outcome)
}

/// What `kubectl debug` before 1.22 sends: a kind of the sub-resource's own, which was given up since. It holds no more than
/// the debuggers to add, as such a client does not see in a Pod which there are.
fn debuggers_alone(asked: Asked<'_>, bytes: &[u8]) -> Option<Patch> {
    let sent = body::decode(asked.content_type(), bytes).ok()?.value;
    let is = |field: &str, text: &str| sent.get(field).and_then(Value::as_str) == Some(text);
    (is("apiVersion", "v1") && is("kind", "EphemeralContainers")).then(|| {
        let debuggers = sent.get("ephemeralContainers").cloned().unwrap_or_default();
        Patch::Strategic(json!({"spec": {"ephemeralContainers": debuggers}}))
    })
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

/// Who replaces an object says which.
fn check_named(asked: Asked<'_>, object: &Value) -> Result<(), Status> {
    let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    if !name.is_empty() {
        return Ok(());
    }
    Err(Status::bad_request(format!(
        "the name of the object ({} based on URL) was undeterminable: name must be provided",
        asked.target.name
    )))
}

/// Upstream's router knows the formats of patches of built-in kinds, and refuses others itself.
fn unknown_format(asked: Asked<'_>) -> Status {
    if asked.target.resource.is_custom() {
        let served: Vec<&str> = PATCHES.iter().copied().filter(|format| !format.contains("strategic")).collect();
        return Status::unsupported_media_type(&served);
    }
    Status::new(415, "UnsupportedMediaType", "415: Unsupported Media Type").with_empty_details()
}

/// The operations of a JSON patch. What is not JSON, or no list of objects, is a bad request; an operation that does not exist is
/// one that fails.
fn operations(bytes: &[u8], options: &mut WriteOptions) -> Result<json_patch::Patch, Status> {
    let value = json(bytes).map_err(Status::bad_request)?;
    let unfit = |value: &Value, ty: &str| {
        let found = word(value);
        Status::bad_request(format!("json: cannot unmarshal {found} into Go value of type jsonpatch.{ty}"))
    };
    let list = value.value.as_array().ok_or_else(|| unfit(&value.value, "Patch"))?;
    if let Some(other) = list.iter().find(|operation| !operation.is_object()) {
        return Err(unfit(other, "Operation"));
    }
    options.findings = findings(list, &value.duplicates);
    serde_json::from_value(value.value).map_err(|error| {
        tracing::debug!(%error, "no operation of a JSON patch");
        Status::unprocessable()
    })
}

/// What operations of a JSON patch have too much of.
fn findings(operations: &[Value], duplicates: &[String]) -> Vec<String> {
    let mut said = Vec::new();
    for (at, operation) in operations.iter().enumerate() {
        let known = |field: &str| matches!(field, "op" | "path" | "from" | "value");
        let unknown = operation.as_object().into_iter().flat_map(|o| o.keys()).filter(|field| !known(field));
        said.extend(unknown.map(|field| format!("json patch unknown field \"[{at}].{field}\"")));
        let within = duplicates.iter().filter(|path| path.starts_with(&format!("[{at}]")));
        said.extend(within.map(|path| format!("json patch duplicate field \"{path}\"")));
    }
    said
}

/// A patch document that is an object.
fn object(bytes: &[u8], about: &str, options: &mut WriteOptions) -> Result<Value, Status> {
    let bad = |why: &dyn std::fmt::Display| Status::bad_request(format!("{about}{why}"));
    let decoded = json(bytes).map_err(|e| bad(&e))?;
    if !decoded.value.is_object() {
        let found = word(&decoded.value);
        return Err(bad(&format!("json: cannot unmarshal {found} into Go value of type map[string]interface {{}}")));
    }
    options.findings = duplicates(decoded.duplicates);
    Ok(decoded.value)
}

/// JSON, or what is wrong with it in the words of Go's decoder.
fn json(bytes: &[u8]) -> Result<Decoded, String> {
    decode::json(bytes).map_err(|error| match error {
        decode::Error::Json(why) => why,
        other => other.to_string(),
    })
}
