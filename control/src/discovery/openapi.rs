//! The schemas: an index with the hash of each document, and documents that never change under their hash.

use bytes::Bytes;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, ETAG, EXPIRES, LOCATION, VARY};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use jiff::fmt::rfc2822::DateTimePrinter;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::{Group, Version, found, is_known, not_acceptable, respond, version};

/// How long a document under its hash may be kept.
const YEAR: SignedDuration = SignedDuration::from_hours(365 * 24);

/// The media type of the old format, as clients spell it when they ask, and as they want it answered.
const V2_ASKED: &str = "application/com.github.proto-openapi.spec.v2";
const V2_PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

/// `/openapi/v3`: where the schemas of each version are.
pub(super) fn index(groups: &[Group], hash: impl Fn(&str) -> Option<String>) -> Value {
    let mut paths: Vec<(String, Value)> = Vec::new();
    for version in groups.iter().flat_map(|g| &g.versions) {
        let name = version.group_version();
        let place = if name.contains('/') { format!("apis/{name}") } else { format!("api/{name}") };
        if let Some(hash) = hash(&name) {
            paths.push((place.clone(), json!({"serverRelativeURL": url(&place, &hash)})));
        }
    }
    paths.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    json!({ "paths": Map::from_iter(paths) })
}

/// `/openapi/v3/apis/apps/v1`: the schemas themselves. Under the right hash they may be kept for a year; under a
/// wrong one the right one is named.
pub(super) fn document(place: &str, body: Bytes, hash: &str, request: &Parts) -> Response<Bytes> {
    if !accepts_json(&request.headers) {
        return not_acceptable();
    }
    let asked = request.uri.query().unwrap_or_default().split('&').find_map(|p| p.strip_prefix("hash="));
    let tag = header(&format!("\"{hash}\""));
    let mut answer = match asked {
        Some(other) if other != hash => {
            let mut moved = respond(StatusCode::MOVED_PERMANENTLY, Bytes::new());
            moved.headers_mut().insert(LOCATION, header(&url(place, hash)));
            moved
        }
        _ if is_known(&request.headers, &tag) => respond(StatusCode::NOT_MODIFIED, Bytes::new()),
        _ => {
            let mut whole = respond(StatusCode::OK, body);
            whole.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            whole
        }
    };
    let headers = answer.headers_mut();
    if asked == Some(hash) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, immutable"));
        headers.insert(EXPIRES, header(&in_a_year()));
    }
    headers.insert(ETAG, tag);
    headers.insert(VARY, HeaderValue::from_static("Accept"));
    answer
}

/// `/openapi/v2`: kubectl up to 1.28 wants it as protobuf. Nobody reads it as JSON any more; that one is empty.
pub(super) fn v2(groups: &[Group], headers: &HeaderMap) -> Response<Bytes> {
    let accept = headers.get(ACCEPT).and_then(|a| a.to_str().ok()).unwrap_or_default();
    if accept.contains(V2_ASKED) {
        let versions: Vec<String> = groups.iter().flat_map(|g| &g.versions).map(Version::group_version).collect();
        let tag = header(&format!("\"{}\"", schema::openapi::v2_hash(&versions)));
        let mut answer = if is_known(headers, &tag) {
            respond(StatusCode::NOT_MODIFIED, Bytes::new())
        } else {
            let mut whole = respond(StatusCode::OK, schema::openapi::v2(&versions).unwrap_or_default());
            whole.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(V2_PROTOBUF));
            whole
        };
        answer.headers_mut().insert(ETAG, tag);
        answer.headers_mut().insert(VARY, HeaderValue::from_static("Accept"));
        return answer;
    }
    let release = version::version()["gitVersion"].clone();
    found(&json!({
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": release},
        "paths": {},
        "definitions": {},
    }))
}

fn accepts_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|a| a.to_str().ok()).unwrap_or("*/*");
    accept.split(',').any(|one| {
        matches!(one.split(';').next().unwrap_or_default().trim(), "application/json" | "application/*" | "*/*" | "")
    })
}

fn url(place: &str, hash: &str) -> String {
    format!("/openapi/v3/{place}?hash={hash}")
}

fn in_a_year() -> String {
    DateTimePrinter::new().timestamp_to_rfc9110_string(&(Timestamp::now() + YEAR)).unwrap_or_default()
}

/// Hashes, dates and our own paths have no characters that a header cannot hold.
fn header(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}
