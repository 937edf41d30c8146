//! Request bodies: bounded, and decoded from any of the encodings that clients use.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use http_body_util::BodyExt;
use schema::admit::word;
use schema::decode::{self, Decoded};
use serde_json::Value;

use tokio::time::timeout;

use super::Body;
use crate::registry::{Config, Resource};
use crate::status::Status;

/// The largest request body, in bytes: upstream's limit.
pub const LARGEST: usize = 3 << 20;

/// How long a client may take to send a body.
const PATIENCE: Duration = Duration::from_secs(60);

/// The encodings of objects.
const OBJECTS: &[&str] = &["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];

/// Refuses a body that is compressed: nothing here takes one apart, and nobody is to find out what it unfolds to.
///
/// # Errors
/// 415.
pub fn check_encoding(headers: &HeaderMap) -> Result<(), Status> {
    let encodings = headers.get_all(CONTENT_ENCODING).iter();
    match encodings.map(|v| String::from_utf8_lossy(v.as_bytes())).find(|v| !matches!(&**v, "" | "identity")) {
        None => Ok(()),
        Some(encoding) => {
            let words =
                format!("the body of the request has the content encoding \"{encoding}\", and none is supported");
            Err(Status::new(415, "UnsupportedMediaType", words))
        }
    }
}

/// Reads a body to its end.
///
/// # Errors
/// 413 beyond the limit, 400 where the client breaks off, 408 where it takes too long.
pub async fn read(body: Body) -> Result<Bytes, Status> {
    let late =
        |_| Status::new(408, "Timeout", format!("the body did not arrive within {} seconds", PATIENCE.as_secs()));
    timeout(PATIENCE, read_all(body)).await.map_err(late)?
}

async fn read_all(mut body: Body) -> Result<Bytes, Status> {
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|e| Status::bad_request(format!("the body could not be read: {e}")))?;
        let Ok(data) = frame.into_data() else { continue };
        if read.len() + data.len() > LARGEST {
            return Err(Status::too_large(LARGEST));
        }
        read.extend_from_slice(&data);
    }
    Ok(read.freeze())
}

/// Decodes an object of any kind by its content type (none: JSON).
///
/// # Errors
/// 415 for an encoding that is not one, 400 with the decoder's words.
pub fn decode(content_type: &str, bytes: &[u8]) -> Result<Decoded, Status> {
    let plain = |value| Decoded { value, duplicates: Vec::new() };
    match media_type(content_type) {
        "" | "application/json" => decode::json(bytes).map_err(|e| Status::bad_request(e.to_string())),
        "application/yaml" => decode::yaml(bytes).map_err(|e| Status::bad_request(e.to_string())),
        "application/vnd.kubernetes.protobuf" => {
            decode::protobuf(schema::builtin(), bytes).map(plain).map_err(|e| Status::bad_request(e.to_string()))
        }
        _ => Err(Status::unsupported_media_type(OBJECTS)),
    }
}

/// Decodes an object that must be of the resource's kind; kind and version may be left out.
///
/// # Errors
/// 400 for another kind, and as [`decode`].
pub fn object(resource: &Resource, content_type: &str, bytes: &[u8]) -> Result<Decoded, Status> {
    let mut decoded = match decode(content_type, bytes) {
        Err(unreadable) if unreadable.code() == 400 => {
            let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(512)]);
            return Err(Status::bad_request(format!(
                "the object provided is unrecognized (must be of type {}): {} ({shown})",
                resource.row.kind,
                unreadable.message()
            )));
        }
        decoded => decoded?,
    };
    let Some(object) = decoded.value.as_object_mut() else {
        return Err(Status::bad_request(format!(
            "the object provided is unrecognized (must be of type {}): couldn't get version/kind; json parse error: \
             json: cannot unmarshal {} into Go value of type struct {{ APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; \
             Kind string \"json:\\\"kind,omitempty\\\"\" }}",
            resource.row.kind,
            word(&decoded.value)
        )));
    };
    let kind = &*resource.row.kind;
    let text = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    match (text("apiVersion").as_str(), text("kind").as_str()) {
        ("" | "v1", "") | ("", _) if text("kind").is_empty() || text("kind") == kind => {}
        (version, found) if found != kind && !found.is_empty() => {
            let short = version.rsplit('/').next().unwrap_or(version);
            let group = if resource.row.group.is_empty() { "core" } else { &*resource.row.group };
            return Err(Status::bad_request(format!(
                "{found} in version \"{short}\" cannot be handled as a {kind}: converting ({short}.{found}) to \
                 ({group}.{kind}): unknown conversion"
            )));
        }
        (version, _) if version != resource.api_version => {
            return Err(Status::bad_request(format!(
                "the API version in the data ({version}) does not match the expected API version ({})",
                resource.api_version
            )));
        }
        _ => {}
    }
    object.insert("apiVersion".to_owned(), resource.api_version.as_str().into());
    object.insert("kind".to_owned(), kind.into());
    Ok(decoded)
}

/// Decodes a configuration to apply.
///
/// # Errors
/// 400 with the decoder's words.
pub fn config(bytes: &[u8]) -> Result<Config, Status> {
    let bad = |why: &dyn std::fmt::Display| Status::bad_request(format!("error decoding YAML: {why}"));
    let Decoded { value, duplicates } = decode::yaml(bytes).map_err(|e| bad(&e))?;
    if !value.is_object() && !value.is_null() {
        let found = word(&value);
        return Err(bad(&format!(
            "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go value of type \
             map[string]interface {{}}"
        )));
    }
    Ok(Config { object: value, duplicates })
}

/// The media type of a `Content-Type`, without its parameters.
pub fn media_type(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}
