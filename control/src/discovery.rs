//! What the API says about itself: which groups, versions and resources there are, their schemas, the version.
//!
//! Clients ask before they do anything else, mostly in the aggregated form (one document for all groups, with an
//! ETag, so that asking again costs a 304), and fall back to one document a group. Everything follows from the rows
//! that are served; when those change, a new [`Discovery`] takes the place of the old one.

mod aggregated;
mod form;
mod openapi;
mod plain;
mod version;

use std::sync::OnceLock;

use bytes::Bytes;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use schema::ResourceRow;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use form::Form;

pub use openapi::CustomSchema;
pub use version::{VERSION, version};

/// All that is said about the served resources.
pub struct Discovery {
    groups: Vec<Group>,
    /// `10.0.0.1:6443`: where clients reach this server.
    address: String,
    /// The core group, and all others; each in both versions of the aggregated format.
    aggregated: [[OnceLock<Document>; 2]; 2],
    schemas: openapi::Schemas,
}

/// A group with its versions, the preferred one first.
struct Group {
    name: String,
    versions: Vec<Version>,
}

struct Version {
    name: String,
    resources: Vec<ResourceRow>,
}

impl Version {
    /// `apps/v1`, or `v1` for core.
    fn group_version(&self) -> String {
        self.resources.first().map_or_else(|| self.name.clone(), ResourceRow::group_version)
    }
}

/// A document with the tag of its content.
struct Document {
    body: Bytes,
    tag: HeaderValue,
}

impl Discovery {
    /// About these rows. Groups, versions and resources stay in their order, which is an order of preference.
    pub fn new<'a>(rows: impl IntoIterator<Item = &'a ResourceRow>, address: impl Into<String>) -> Self {
        let mut groups: Vec<Group> = Vec::new();
        for row in rows {
            let group = match groups.iter().position(|g| g.name == *row.group) {
                Some(at) => &mut groups[at],
                None => groups.push_mut(Group { name: row.group.to_string(), versions: Vec::new() }),
            };
            let version = match group.versions.iter().position(|v| v.name == *row.version) {
                Some(at) => &mut group.versions[at],
                None => group.versions.push_mut(Version { name: row.version.to_string(), resources: Vec::new() }),
            };
            version.resources.push(row.clone());
        }
        let schemas = openapi::Schemas::new(&groups, Vec::new());
        Self { groups, address: address.into(), aggregated: Default::default(), schemas }
    }

    /// With the schemas of the custom kinds among the rows: what OpenAPI tells of them in both of its versions.
    #[must_use]
    pub fn with_custom(mut self, schemas: Vec<CustomSchema>) -> Self {
        self.schemas = openapi::Schemas::new(&self.groups, schemas);
        self
    }

    /// Answers a request for one of the documents; nothing when the path is none of them.
    pub fn answer(&self, request: &Parts) -> Option<Response<Bytes>> {
        let path = request.uri.path();
        let words: Vec<&str> = path.split('/').filter(|w| !w.is_empty()).collect();
        let headers = &request.headers;
        let answer = match *words.as_slice() {
            [] => found(&self.paths()),
            ["version"] => found(&version()),
            ["api"] => self.negotiated(headers, true),
            ["apis"] => self.negotiated(headers, false),
            ["api", version] => found(&plain::resources(self.version("", version)?)),
            ["apis", group] => found(&plain::group(self.group(group)?)),
            ["apis", group, version] => found(&plain::resources(self.version(group, version)?)),
            ["openapi", "v2"] => self.schemas.v2(headers),
            ["openapi", "v3"] => found(&self.schemas.index()),
            ["openapi", "v3", ref place @ ..] => self.schemas.v3(&place.join("/"), request)?,
            _ => return None,
        };
        let readable = matches!(request.method, Method::GET | Method::HEAD);
        Some(if readable { answer } else { not_allowed() })
    }

    fn group(&self, name: &str) -> Option<&Group> {
        self.groups.iter().find(|g| g.name == name && !name.is_empty())
    }

    fn version(&self, group: &str, version: &str) -> Option<&Version> {
        self.groups.iter().find(|g| g.name == group)?.versions.iter().find(|v| v.name == version)
    }

    fn paths(&self) -> Value {
        let mut paths: Vec<String> =
            ["/api", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"]
                .map(Into::into)
                .into();
        for group in &self.groups {
            let root = if group.name.is_empty() { "/api".to_owned() } else { format!("/apis/{}", group.name) };
            paths.extend(group.versions.iter().map(|v| format!("{root}/{}", v.name)));
            paths.push(root);
        }
        paths.sort_unstable();
        paths.dedup();
        json!({ "paths": paths })
    }

    fn negotiated(&self, headers: &HeaderMap, core: bool) -> Response<Bytes> {
        let accept = headers.get(ACCEPT).and_then(|a| a.to_str().ok()).unwrap_or_default();
        let mut answer = match Form::of(accept) {
            Some(Form::Plain) if core => found(&plain::versions(&self.groups, &self.address)),
            Some(Form::Plain) => found(&plain::groups(&self.groups)),
            Some(form @ Form::Aggregated(at)) => {
                let cell = &self.aggregated[usize::from(core)][at as usize];
                let groups = self.groups.iter().filter(|g| g.name.is_empty() == core);
                let document = cell.get_or_init(|| Document::new(&aggregated::list(groups, at)));
                document.answer(headers, form.content_type())
            }
            None => not_acceptable(),
        };
        answer.headers_mut().insert(VARY, HeaderValue::from_static("Accept"));
        answer
    }
}

impl Document {
    fn new(value: &Value) -> Self {
        let body = line(value);
        let tag = format!("\"{:X}\"", Sha256::digest(&body));
        let tag = HeaderValue::from_str(&tag).expect("hexadecimal digits in quotes are a header's value");
        Self { body, tag }
    }

    fn answer(&self, headers: &HeaderMap, content_type: &'static str) -> Response<Bytes> {
        let mut answer = if is_known(headers, &self.tag) {
            respond(StatusCode::NOT_MODIFIED, Bytes::new())
        } else {
            let mut whole = respond(StatusCode::OK, self.body.clone());
            whole.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
            whole
        };
        answer.headers_mut().insert(ETAG, self.tag.clone());
        answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public"));
        answer
    }
}

/// Does the client have the document with this tag?
fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let tag = tag.to_str().unwrap_or_default();
    let mut known = headers.get_all(IF_NONE_MATCH).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(','));
    known.any(|k| matches!(k.trim(), "*") || k.trim().trim_start_matches("W/") == tag)
}

fn respond(status: StatusCode, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    response
}

fn found(value: &Value) -> Response<Bytes> {
    status_json(StatusCode::OK, value)
}

/// Go's encoder ends every document with a line feed.
fn line(value: &Value) -> Bytes {
    format!("{value}\n").into()
}

fn status_json(status: StatusCode, value: &Value) -> Response<Bytes> {
    let mut response = respond(status, line(value));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn not_allowed() -> Response<Bytes> {
    failure(
        StatusCode::METHOD_NOT_ALLOWED,
        "MethodNotAllowed",
        "the server does not allow this method on the requested resource",
    )
}

fn not_acceptable() -> Response<Bytes> {
    failure(
        StatusCode::NOT_ACCEPTABLE,
        "NotAcceptable",
        "406: Not Acceptable\n\nAvailable representations: application/json",
    )
}

fn failure(code: StatusCode, reason: &str, message: &str) -> Response<Bytes> {
    let status = json!({
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "details": {},
        "code": code.as_u16(),
    });
    status_json(code, &status)
}

#[cfg(test)]
mod tests;
