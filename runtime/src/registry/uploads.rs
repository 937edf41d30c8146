//! Content on its way in: in one request, or in chunks.

use bytes::BytesMut;
use http::header::{CONTENT_RANGE, HeaderName, LOCATION, RANGE};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::BodyExt as _;
use netproxy::fabric::Body;

use super::failure::{Code, Failure};
use super::route::Name;
use super::{Query, answer, blocking};
use crate::image::{Digest, Store, Upload};

/// Bytes that are gathered before the disk is bothered.
const GATHERED: usize = 1 << 20;

const UPLOAD: HeaderName = HeaderName::from_static("docker-upload-uuid");

/// POST: begins one, unless all of the content comes at once (`digest`) or is here already (`mount`).
pub async fn begin(store: Store, name: &Name, query: &Query, body: Body) -> Result<Response<Body>, Failure> {
    if let Some(mount) = query.get("mount") {
        let digest = digest(mount)?;
        let (known, wanted) = (store.clone(), digest.clone());
        if blocking(move || known.blob(&wanted)).await?.is_some() {
            return Ok(created(name, &digest));
        }
    }
    let upload = blocking(move || store.begin_upload()).await?;
    match query.get("digest") {
        None => Ok(under_way(StatusCode::ACCEPTED, name, &upload)),
        Some(text) => {
            let digest = digest(text)?;
            let upload = receive(upload, body).await?;
            complete(upload, name, digest).await
        }
    }
}

/// GET: how far it is.
pub async fn state(store: Store, name: &Name, id: &str) -> Result<Response<Body>, Failure> {
    Ok(under_way(StatusCode::NO_CONTENT, name, &find(store, id).await?))
}

/// PATCH: the next chunk.
pub async fn append(
    store: Store,
    name: &Name,
    id: &str,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response<Body>, Failure> {
    let upload = find(store, id).await?;
    follows(&upload, headers)?;
    let upload = receive(upload, body).await?;
    Ok(under_way(StatusCode::ACCEPTED, name, &upload))
}

/// PUT: the last chunk, which may be empty, and what the whole is called.
pub async fn finish(
    store: Store,
    name: &Name,
    id: &str,
    query: &Query,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response<Body>, Failure> {
    let missing = || Failure::new(Code::DigestInvalid, "the parameter digest is missing");
    let digest = digest(query.get("digest").ok_or_else(missing)?)?;
    let upload = find(store, id).await?;
    follows(&upload, headers)?;
    let upload = receive(upload, body).await?;
    complete(upload, name, digest).await
}

/// DELETE: gives it up.
pub async fn cancel(store: Store, id: &str) -> Result<Response<Body>, Failure> {
    let upload = find(store, id).await?;
    blocking(move || upload.cancel()).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT, &[]))
}

async fn find(store: Store, id: &str) -> Result<Upload, Failure> {
    let wanted = id.to_owned();
    let found = blocking(move || store.upload(&wanted)).await?;
    found.ok_or_else(|| Failure::new(Code::BlobUploadUnknown, "blob upload unknown to registry"))
}

/// A chunk that says where it belongs must follow on what is here. (`0-99`, not `bytes 0-99/*`: the specification's own.)
fn follows(upload: &Upload, headers: &HeaderMap) -> Result<(), Failure> {
    let Some(range) = headers.get(CONTENT_RANGE).and_then(|range| range.to_str().ok()) else { return Ok(()) };
    let first = range.trim_start_matches("bytes ").split('-').next().and_then(|first| first.trim().parse::<u64>().ok());
    if first == Some(upload.size()) {
        return Ok(());
    }
    Err(Failure::new(Code::RangeInvalid, format!("the next byte is {}, the chunk is {range:?}", upload.size())))
}

/// Writes a body to the disk as it comes. What came before a connection broke stays, to be gone on with.
async fn receive(mut upload: Upload, mut body: Body) -> Result<Upload, Failure> {
    let mut gathered = BytesMut::new();
    loop {
        let frame = body.frame().await.transpose();
        let frame = frame.map_err(|error| Failure::new(Code::RangeInvalid, format!("the body broke off: {error}")))?;
        let ended = frame.is_none();
        if let Some(Ok(data)) = frame.map(http_body::Frame::into_data) {
            gathered.extend_from_slice(&data);
        }
        if gathered.len() >= GATHERED || ended && !gathered.is_empty() {
            let chunk = gathered.split().freeze();
            upload = blocking(move || upload.append(&chunk).map(|()| upload)).await?;
        }
        if ended {
            return Ok(upload);
        }
    }
}

async fn complete(upload: Upload, name: &Name, digest: Digest) -> Result<Response<Body>, Failure> {
    let expected = digest.clone();
    blocking(move || upload.finish(&expected)).await?;
    Ok(created(name, &digest))
}

fn digest(text: &str) -> Result<Digest, Failure> {
    text.parse::<Digest>().map_err(|error| Failure::new(Code::DigestInvalid, error.to_string()))
}

fn created(name: &Name, digest: &Digest) -> Response<Body> {
    let location = format!("/v2/{name}/blobs/{digest}");
    answer::empty(StatusCode::CREATED, &[(LOCATION, &location), (answer::DIGEST, digest)])
}

fn under_way(status: StatusCode, name: &Name, upload: &Upload) -> Response<Body> {
    let (id, last) = (upload.id(), upload.size().saturating_sub(1));
    let (location, range) = (format!("/v2/{name}/blobs/uploads/{id}"), format!("0-{last}"));
    answer::empty(status, &[(LOCATION, &location), (RANGE, &range), (UPLOAD, &id)])
}
