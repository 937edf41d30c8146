//! HTTP on the fabric: handlers that are called instead of connected to, and requests that find their way to either.
//!
//! A port served by [`HttpHandler`] costs nothing while idle. A request that comes through the fabric's own
//! [`request`](super::Fabric::request) is a function call; a plain stream to the same port is served by hyper, which
//! calls the same function. What the caller sees does not differ.

mod body;
mod exchange;
mod headers;
mod pool;
mod serve;
mod tls;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use thiserror::Error;
use tokio_util::sync::CancellationToken;

pub(crate) use self::body::incoming;
pub(super) use self::pool::Pool;
pub(super) use self::tls::Tls;
use super::pod::Lease;

/// An error of somebody else's code.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A body of a request or a response.
pub type Body = UnsyncBoxBody<Bytes, BoxError>;

/// Answers HTTP requests that arrive at a port of a pod.
pub trait HttpHandler: Send + Sync + 'static {
    /// Answers one request. The URI is in origin form (`/path?query`), and there is a `Host`, whichever way the
    /// request came. Dropping the future means that the caller has gone.
    fn call(&self, request: Request<Body>) -> BoxFuture<'static, Result<Response<Body>, HandlerError>>;
}

/// A handler brought no response.
#[derive(Debug, Error)]
pub enum HandlerError {
    /// It is stopping and has not looked at the request, which may go to another endpoint.
    #[error("the handler is stopping")]
    Stopping(Box<Request<Body>>),
    /// It tried and failed, as a guest that traps does: the caller gets a 500.
    #[error("the handler failed")]
    Failed(#[source] BoxError),
}

/// A handler at its port.
pub(super) struct Endpoint {
    handler: Arc<dyn HttpHandler>,
    /// Tells the connections to finish what is under way.
    closing: CancellationToken,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("closing", &self.closing.is_cancelled()).finish_non_exhaustive()
    }
}

impl Endpoint {
    pub fn new(handler: Arc<dyn HttpHandler>) -> Self {
        Self { handler, closing: CancellationToken::new() }
    }

    pub fn close(&self) {
        self.closing.cancel();
    }

    /// Calls the handler; its failure becomes the response 500, and the only error is the request given back.
    async fn call(&self, request: Request<Body>) -> Result<Response<Body>, Box<Request<Body>>> {
        match self.handler.call(body::drained(request)).await {
            Ok(response) => Ok(response),
            Err(HandlerError::Stopping(request)) => Err(request),
            Err(HandlerError::Failed(error)) => {
                tracing::debug!(%error, "an HTTP handler failed");
                Ok(plain(StatusCode::INTERNAL_SERVER_ERROR, "the guest failed to answer\n"))
            }
        }
    }
}

/// A port served by a handler. Dropping it frees the port; requests under way are answered.
#[derive(Debug)]
pub struct HttpBinding {
    lease: Lease,
}

impl HttpBinding {
    pub(super) fn new(lease: Lease) -> Self {
        Self { lease }
    }

    /// The address, with the port that was found for port 0.
    pub fn local_addr(&self) -> SocketAddr {
        self.lease.local
    }
}

/// A response of a few words.
pub(crate) fn plain(status: StatusCode, words: &'static str) -> Response<Body> {
    let body = http_body_util::Full::new(Bytes::from_static(words.as_bytes()));
    let mut response = Response::new(Body::new(body.map_err(|never| match never {})));
    *response.status_mut() = status;
    let text = http::HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(http::header::CONTENT_TYPE, text);
    response
}
