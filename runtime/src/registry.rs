//! The node's images for other programs: the OCI distribution API (`/v2/`), so that a device needs no other registry.
//!
//! ```text
//! skopeo, oras, docker, wkg ─► control: who may ─► route ─┬► blobs, uploads ─┬► image::Store ─► pods (`localhost/app:v1`)
//!                                                         └► manifests, lists ┘
//! ```
//!
//! The repository `app` is what pods call `localhost/app`. Content is shared by all repositories: a blob that any of them
//! has need not be sent again.
//!
//! # Guarantees
//! A blob is there only when it has the digest it is called by. A manifest is there only with its blobs. An upload that
//! broke off goes on where it was, after a restart too.

mod answer;
mod blobs;
mod failure;
mod lists;
mod manifests;
mod route;
mod uploads;

use std::convert::Infallible;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use netproxy::fabric::{Body, BoxError};

use crate::image::Store;
use failure::{Code, Failure};
use route::Route;

/// Answers requests below `/v2`. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Registry {
    store: Store,
}

impl Registry {
    /// The API of what is in `store`.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    async fn answer(&self, head: Parts, body: Body) -> Result<Response<Body>, Failure> {
        let query: Vec<(String, String)> =
            form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
        let query = Query(query);
        let (store, headers) = (self.store.clone(), &head.headers);
        match (head.method.clone(), Route::parse(head.uri.path())?) {
            (Method::GET | Method::HEAD, Route::Base) => Ok(answer::json(StatusCode::OK, &serde_json::json!({}))),
            (Method::GET, Route::Catalog) => lists::catalog(store, &query).await,
            (Method::GET, Route::Tags(name)) => lists::tags(store, &name, &query).await,
            (Method::GET, Route::Referrers(..)) => Ok(lists::referrers()),
            (Method::GET | Method::HEAD, Route::Manifest(name, target)) => manifests::get(store, &name, &target).await,
            (Method::PUT, Route::Manifest(name, target)) => manifests::put(store, &name, &target, headers, body).await,
            (Method::DELETE, Route::Manifest(name, target)) => manifests::delete(store, &name, &target).await,
            (Method::GET | Method::HEAD, Route::Blob(_, digest)) => blobs::get(store, &digest, headers).await,
            (Method::POST, Route::Uploads(name)) => uploads::begin(store, &name, &query, body).await,
            (Method::GET, Route::Upload(name, id)) => uploads::state(store, &name, &id).await,
            (Method::PATCH, Route::Upload(name, id)) => uploads::append(store, &name, &id, headers, body).await,
            (Method::PUT, Route::Upload(name, id)) => uploads::finish(store, &name, &id, &query, headers, body).await,
            (Method::DELETE, Route::Upload(_, id)) => uploads::cancel(store, &id).await,
            _ => Err(Failure::new(Code::Unsupported, "The operation is unsupported.")),
        }
    }
}

/// The parameters of a request.
struct Query(Vec<(String, String)>);

impl Query {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The disk is slow, and the threads of the API are few.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, crate::image::StoreError> + Send + 'static,
) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Failure::new(Code::Unknown, "the node is stopping"))?.map_err(Failure::from)
}

impl<B> tower::Service<Request<B>> for Registry
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let registry = self.clone();
        let (head, body) = request.into_parts();
        let body = body.map_err(Into::into).boxed_unsync();
        let bodiless = head.method == Method::HEAD;
        Box::pin(async move {
            let answered = registry.answer(head, body).await.unwrap_or_else(|failure| failure.response());
            Ok(if bodiless { answer::without_body(answered) } else { answered })
        })
    }
}

#[cfg(test)]
mod tests;
