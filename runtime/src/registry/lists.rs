//! What there is: repositories and tags, a page at a time.

use std::collections::BTreeSet;

use http::header::LINK;
use http::{HeaderValue, Response, StatusCode};
use netproxy::fabric::Body;
use serde_json::json;

use super::failure::{Code, Failure};
use super::route::Name;
use super::{Query, answer, blocking};
use crate::image::Store;

/// Entries of a page, when the client does not say.
const PAGE: usize = 1000;

/// GET of the repositories.
pub async fn catalog(store: Store, query: &Query) -> Result<Response<Body>, Failure> {
    let all = blocking(move || store.repositories("localhost")).await?;
    let (page, link) = page("/v2/_catalog", all, query)?;
    Ok(linked(answer::json(StatusCode::OK, &json!({"repositories": page})), link))
}

/// GET of the tags of a repository.
pub async fn tags(store: Store, name: &Name, query: &Query) -> Result<Response<Body>, Failure> {
    let (repository, known) = (name.repository(), name.to_string());
    let (tags, exists) = blocking(move || {
        let tags = store.tags(&repository)?;
        let exists = !tags.is_empty() || store.repositories("localhost")?.contains(&known);
        Ok((tags, exists))
    })
    .await?;
    if !exists {
        return Err(Failure::new(Code::NameUnknown, "repository name not known to registry"));
    }
    let (page, link) = page(&format!("/v2/{name}/tags/list"), tags, query)?;
    Ok(linked(answer::json(StatusCode::OK, &json!({"name": name.to_string(), "tags": page})), link))
}

/// GET of what refers to a manifest. Nothing is indexed that way; the specification's answer to that is an empty index.
pub fn referrers() -> Response<Body> {
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [],
    });
    answer::bytes(StatusCode::OK, "application/vnd.oci.image.index.v1+json", index.to_string())
}

/// The entries after `last`, at most `n` of them, and where the others are.
fn page(path: &str, all: BTreeSet<String>, query: &Query) -> Result<(Vec<String>, Option<String>), Failure> {
    let wrong = |_| Failure::new(Code::Unsupported, "the parameter n is not a number");
    let most = query.get("n").map(str::parse::<usize>).transpose().map_err(wrong)?.unwrap_or(PAGE).min(PAGE);
    let last = query.get("last").unwrap_or_default();
    let mut rest = all.into_iter().filter(|entry| entry.as_str() > last);
    let page: Vec<String> = rest.by_ref().take(most).collect();
    let link = match (page.last(), rest.next()) {
        (Some(last), Some(_)) => Some(format!("<{path}?n={most}&last={last}>; rel=\"next\"")),
        _ => None,
    };
    Ok((page, link))
}

fn linked(mut response: Response<Body>, link: Option<String>) -> Response<Body> {
    if let Some(link) = link.and_then(|link| HeaderValue::from_str(&link).ok()) {
        response.headers_mut().insert(LINK, link);
    }
    response
}
