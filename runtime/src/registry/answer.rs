//! The forms of answers.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use netproxy::fabric::Body;
use serde_json::Value;

/// Says which API this is; every answer does.
const VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");

/// An answer of these bytes.
pub fn bytes(status: StatusCode, media_type: &str, bytes: impl Into<Bytes>) -> Response<Body> {
    let body = Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync();
    with(status, body, &[(CONTENT_TYPE, media_type)])
}

/// JSON.
pub fn json(status: StatusCode, value: &Value) -> Response<Body> {
    bytes(status, "application/json", value.to_string())
}

/// Headers alone.
pub fn empty(status: StatusCode, headers: &[(HeaderName, &str)]) -> Response<Body> {
    with(status, Full::default().map_err(|never| match never {}).boxed_unsync(), headers)
}

/// A body with headers. A value that no header can have is left out.
pub fn with(status: StatusCode, body: Body, headers: &[(HeaderName, &str)]) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(VERSION, HeaderValue::from_static("registry/2.0"));
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// The answer to HEAD: all of it but the body, whose length stays said.
pub fn without_body(response: Response<Body>) -> Response<Body> {
    use http_body::Body as _;
    let length = response.body().size_hint().exact();
    let mut response = response.map(|_| Full::default().map_err(|never| match never {}).boxed_unsync());
    if let Some(length) = length {
        response.headers_mut().entry(http::header::CONTENT_LENGTH).or_insert(length.into());
    }
    response
}

/// `Docker-Content-Digest`
pub const DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
