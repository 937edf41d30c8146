//! Manifests: what makes an image of its blobs, and a name of an image.

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::BodyExt as _;
use netproxy::fabric::Body;

use super::failure::{Code, Failure};
use super::route::Name;
use super::{answer, blocking};
use crate::image::Store;
use crate::image::manifest::MAX_MANIFEST;

/// GET and HEAD.
pub async fn get(store: Store, name: &Name, target: &str) -> Result<Response<Body>, Failure> {
    let reference = name.image(target)?;
    let found = blocking(move || store.manifest(&reference)).await?;
    let stored = found.ok_or_else(|| unknown(name, target))?;
    let mut response = answer::bytes(StatusCode::OK, &stored.media_type, stored.bytes);
    if let Ok(digest) = stored.digest.parse() {
        response.headers_mut().insert(answer::DIGEST, digest);
    }
    Ok(response)
}

/// PUT.
pub async fn put(
    store: Store,
    name: &Name,
    target: &str,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response<Body>, Failure> {
    let reference = name.image(target)?;
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let bytes = bounded(body).await?;
    let digest = blocking(move || store.put_manifest(&reference, &media_type, &bytes)).await?;
    let location = format!("/v2/{name}/manifests/{digest}");
    Ok(answer::empty(StatusCode::CREATED, &[(LOCATION, &location), (answer::DIGEST, &digest)]))
}

/// DELETE: of a tag, or of a digest with the tags that point at it.
pub async fn delete(store: Store, name: &Name, target: &str) -> Result<Response<Body>, Failure> {
    let (reference, repository) = (name.image(target)?, name.repository());
    let removed = blocking(move || {
        let mut names = vec![reference.to_string()];
        if reference.digest().is_some() {
            names.extend(store.names_of(&repository, reference.target())?);
        }
        names.iter().try_fold(false, |removed, name| Ok(store.remove(name)? || removed))
    });
    match removed.await? {
        true => Ok(answer::empty(StatusCode::ACCEPTED, &[])),
        false => Err(unknown(name, target)),
    }
}

async fn bounded(mut body: Body) -> Result<Bytes, Failure> {
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame =
            frame.map_err(|error| Failure::new(Code::ManifestInvalid, format!("the body broke off: {error}")))?;
        if let Ok(data) = frame.into_data() {
            bytes.extend_from_slice(&data);
        }
        if bytes.len() as u64 > MAX_MANIFEST {
            return Err(Failure::new(Code::SizeInvalid, format!("a manifest has at most {MAX_MANIFEST} bytes")));
        }
    }
    Ok(bytes.freeze())
}

fn unknown(name: &Name, target: &str) -> Failure {
    Failure::new(Code::ManifestUnknown, format!("{name} has no manifest {target}"))
}
