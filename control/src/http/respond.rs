//! Answers: an object or a failure, in the form that was agreed on.

use bytes::{Bytes, BytesMut};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WARNING};
use http::{Response, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::Value;

use super::Body;
use super::negotiate::{Encoding, Negotiated};
use crate::status::Status;

/// How much of all warnings together is sent, in bytes, as upstream has it.
const WARNINGS: usize = 4096;

/// A body that is all there.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// An answer with the headers that every answer has.
pub fn answer(code: StatusCode, content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = code;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// A failure; never a Table.
pub fn failure(status: &Status) -> Response<Body> {
    failure_for(status, Negotiated::PLAIN)
}

/// A failure in the agreed encoding.
pub fn failure_for(status: &Status, form: Negotiated) -> Response<Body> {
    let code = StatusCode::from_u16(status.code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = value(code, form, &status.object());
    if let Some(seconds) = status.retry_after_seconds() {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

/// A value in the agreed encoding.
pub fn value(code: StatusCode, form: Negotiated, value: &Value) -> Response<Body> {
    let body = match form.encoding {
        Encoding::Json => json(value, form.pretty),
        Encoding::Yaml => serde_yaml::to_string(value).unwrap_or_default().into_bytes(),
        Encoding::Protobuf => match schema::encode::protobuf(schema::builtin(), value) {
            Ok(body) => body,
            Err(error) => return unencoded(code, value, &error),
        },
    };
    answer(code, form.content_type(), full(body))
}

/// What has no numbers for its fields goes as JSON, and says so: clients read either.
fn unencoded(code: StatusCode, value: &Value, error: &schema::encode::Error) -> Response<Body> {
    tracing::debug!(%error, "not as protobuf");
    answer(code, "application/json", full(line(value)))
}

/// Stored bytes: sent as they are where JSON was agreed on.
pub fn stored(code: StatusCode, form: Negotiated, bytes: &Bytes) -> Result<Response<Body>, Status> {
    match form.encoding {
        Encoding::Json if !form.pretty => Ok(answer(code, form.content_type(), full(ended(bytes)))),
        _ => Ok(value(code, form, &serde_json::from_slice(bytes).map_err(Status::internal)?)),
    }
}

/// Adds a `Warning: 299` header for each warning, as long as they fit.
pub fn warn(response: &mut Response<Body>, warnings: &[String]) {
    let mut room = WARNINGS;
    let mut said: Vec<&String> = Vec::new();
    for warning in warnings {
        if said.contains(&warning) {
            continue;
        }
        said.push(warning);
        let quoted = warning.replace('\\', "\\\\").replace('"', "\\\"").replace(|c: char| c.is_control(), " ");
        let header = format!("299 - \"{quoted}\"");
        let Some(left) = room.checked_sub(header.len()) else { return };
        room = left;
        if let Ok(header) = HeaderValue::from_bytes(header.as_bytes()) {
            response.headers_mut().append(WARNING, header);
        }
    }
}

fn json(value: &Value, pretty: bool) -> Vec<u8> {
    if pretty { serde_json::to_vec_pretty(value).unwrap_or_default() } else { line(value) }
}

/// Encoded JSON with the same newline.
fn ended(bytes: &Bytes) -> Bytes {
    let mut line = BytesMut::with_capacity(bytes.len() + 1);
    line.extend_from_slice(bytes);
    line.extend_from_slice(b"\n");
    line.freeze()
}

/// JSON with the newline that Kubernetes ends its answers with.
pub fn line(value: &Value) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}
