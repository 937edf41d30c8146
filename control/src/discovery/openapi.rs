//! The schemas: an index with the hash of each document, and documents that never change under their hash.
//!
//! Documents of built-in kinds are made once for the process; those with custom kinds once for each set of them, when
//! somebody asks. All are kept compressed, which is also how most clients take them.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, EXPIRES, LOCATION, VARY,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use jiff::fmt::rfc2822::DateTimePrinter;
use jiff::{SignedDuration, Timestamp};
use schema::ResourceRow;
use schema::openapi::{self, Custom, Form};
use serde_json::{Map, Value, json};

use super::{Group, Version, is_known, not_acceptable, respond};

/// How long a document under its hash may be kept.
const YEAR: SignedDuration = SignedDuration::from_hours(365 * 24);

/// The media type of the old format, as clients spell it when they ask, and as they want it answered.
const V2_ASKED: [&str; 2] = [
    "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
    "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
];

/// A custom kind's schema, as its definition has it (`openAPIV3Schema`), and where it is served.
#[derive(Clone)]
pub struct CustomSchema {
    /// Names, verbs and sub-resources.
    pub row: Arc<ResourceRow>,
    /// The definition's schema; what every object has is added to it.
    pub schema: Arc<Value>,
}

/// The documents of what is served.
pub(super) struct Schemas {
    /// Groups and versions of built-in kinds.
    versions: Vec<String>,
    /// Where each document is: `apis/apps/v1`, and what makes it.
    places: BTreeMap<String, Source>,
    custom: Vec<CustomSchema>,
    json: OnceLock<Option<Packed>>,
    protobuf: OnceLock<Option<Packed>>,
}

/// A document with its hash.
struct Packed {
    body: Bytes,
    hash: String,
}

enum Source {
    /// The table; the hash is known without the document.
    BuiltIn(String),
    /// The custom kinds of the group and version.
    Custom { hash: String, body: OnceLock<Option<Bytes>> },
}

impl Schemas {
    pub(super) fn new(groups: &[Group], custom: Vec<CustomSchema>) -> Self {
        let mut places = BTreeMap::new();
        let mut versions = Vec::new();
        let names: Vec<String> = groups.iter().map(|group| group.name.clone()).collect();
        for place in openapi::roots(&names) {
            places.extend(openapi::hash(&place).map(|hash| (place, Source::BuiltIn(hash))));
        }
        for version in groups.iter().flat_map(|g| &g.versions).map(Version::group_version) {
            let place = if version.contains('/') { format!("apis/{version}") } else { format!("api/{version}") };
            if let Some(hash) = openapi::hash(&place) {
                places.insert(place, Source::BuiltIn(hash));
                versions.push(version);
                continue;
            }
            let kinds = kinds(&custom, Some(&version));
            if !kinds.is_empty() {
                let source = Source::Custom { hash: openapi::custom_hash(&kinds), body: OnceLock::new() };
                places.insert(place, source);
            }
        }
        Self { versions, places, custom, json: OnceLock::new(), protobuf: OnceLock::new() }
    }

    /// `/openapi/v3`: where the schemas of each version are.
    pub(super) fn index(&self) -> Value {
        let places = self.places.iter().map(|(place, source)| {
            let url = url(place, source.hash());
            (place.clone(), json!({ "serverRelativeURL": url }))
        });
        json!({ "paths": places.collect::<Map<_, _>>() })
    }

    /// `/openapi/v3/apis/apps/v1`: the schemas of one version. Nothing where there is no such document.
    pub(super) fn v3(&self, place: &str, request: &Parts) -> Option<Response<Bytes>> {
        let source = self.places.get(place)?;
        let body = || match source {
            Source::BuiltIn(_) => openapi::v3_gzip(place),
            Source::Custom { body, .. } => body.get_or_init(|| self.custom_document(place)).clone(),
        };
        Some(document(place, body, source.hash(), request))
    }

    fn custom_document(&self, place: &str) -> Option<Bytes> {
        let version = place.strip_prefix("apis/").unwrap_or(place);
        openapi::custom_v3_gzip(&kinds(&self.custom, Some(version)))
    }

    /// `/openapi/v2`: everything in one document.
    pub(super) fn v2(&self, headers: &HeaderMap) -> Response<Bytes> {
        let Some((form, media)) = v2_form(headers) else { return not_acceptable() };
        let cell = match form {
            Form::Json => &self.json,
            Form::Protobuf => &self.protobuf,
        };
        let Some(packed) = cell.get_or_init(|| self.v2_document(form)) else {
            return respond(StatusCode::SERVICE_UNAVAILABLE, Bytes::new());
        };
        let tag = header(&format!("\"{}\"", packed.hash));
        let mut answer = if is_known(headers, &tag) {
            respond(StatusCode::NOT_MODIFIED, Bytes::new())
        } else {
            whole(packed.body.clone(), media, headers)
        };
        answer.headers_mut().insert(ETAG, tag);
        answer.headers_mut().append(VARY, HeaderValue::from_static("Accept"));
        answer
    }

    fn v2_document(&self, form: Form) -> Option<Packed> {
        let kinds = kinds(&self.custom, None);
        let hash = openapi::v2_hash(form, &self.versions, &kinds);
        Some(Packed { body: openapi::v2_gzip(form, &self.versions, &kinds)?, hash })
    }
}

impl Source {
    fn hash(&self) -> &str {
        match self {
            Self::BuiltIn(hash) | Self::Custom { hash, .. } => hash,
        }
    }
}

/// The custom kinds, of one group and version only where that is given.
fn kinds<'a>(custom: &'a [CustomSchema], version: Option<&str>) -> Vec<Custom<'a>> {
    let wanted = custom.iter().filter(|kind| version.is_none_or(|version| kind.row.group_version() == version));
    wanted.map(|kind| Custom { row: &kind.row, schema: &kind.schema }).collect()
}

/// The schemas themselves. Under the right hash they may be kept for a year; under a wrong one the right one is named.
pub(super) fn document(
    place: &str,
    body: impl FnOnce() -> Option<Bytes>,
    hash: &str,
    request: &Parts,
) -> Response<Bytes> {
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
        _ => match body() {
            Some(packed) => whole(packed, "application/json", &request.headers),
            None => return respond(StatusCode::SERVICE_UNAVAILABLE, Bytes::new()),
        },
    };
    let headers = answer.headers_mut();
    if asked == Some(hash) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, immutable"));
        headers.insert(EXPIRES, header(&in_a_year()));
    }
    headers.insert(ETAG, tag);
    headers.append(VARY, HeaderValue::from_static("Accept"));
    answer
}

/// A document, as it is kept or unpacked.
fn whole(packed: Bytes, media: &'static str, headers: &HeaderMap) -> Response<Bytes> {
    let zipped = accepts_gzip(headers);
    let body = if zipped { packed } else { openapi::inflate(&packed).unwrap_or_default() };
    let mut whole = respond(StatusCode::OK, body);
    whole.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media));
    whole.headers_mut().insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    if zipped {
        whole.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    whole
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let mut encodings =
        headers.get_all(ACCEPT_ENCODING).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(','));
    encodings.any(|one| {
        let mut words = one.split(';').map(str::trim);
        words.next() == Some("gzip") && words.all(|word| !matches!(word, "q=0" | "q=0.0"))
    })
}

/// The first form in the header that there is, and the media type to answer with.
fn v2_form(headers: &HeaderMap) -> Option<(Form, &'static str)> {
    let accept = headers.get(ACCEPT).and_then(|a| a.to_str().ok()).unwrap_or("*/*");
    accept.split(',').find_map(|one| match one.split(';').next().unwrap_or_default().trim() {
        asked if V2_ASKED.contains(&asked) => Some((Form::Protobuf, V2_ASKED[1])),
        asked => is_json(asked).then_some((Form::Json, "application/json")),
    })
}

fn accepts_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|a| a.to_str().ok()).unwrap_or("*/*");
    accept.split(',').any(|one| is_json(one.split(';').next().unwrap_or_default().trim()))
}

fn is_json(media: &str) -> bool {
    matches!(media, "application/json" | "application/*" | "*/*" | "")
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
