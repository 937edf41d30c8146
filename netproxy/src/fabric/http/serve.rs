//! Streams to a handler's port: hyper reads the requests and calls the handler.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;

use super::{Body, Endpoint, body, headers};
use crate::fabric::stream::Stream;

/// The handler has gone: the connection closes without an answer, and the client knows that nothing was done.
#[derive(Debug)]
struct Gone;

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the handler is gone")
    }
}

impl std::error::Error for Gone {}

impl Endpoint {
    /// Serves a connection in a task of its own, which ends with the connection: when the client closes it, when the
    /// pod goes (the stream is reset), or, after the requests under way, when the port is given up.
    pub fn serve(self: Arc<Self>, stream: Stream) {
        tokio::spawn(async move {
            let closing = self.closing.clone();
            let local = stream.local_addr();
            let service = service_fn(move |request| answer(self.clone(), local, request));
            let mut builder = auto::Builder::new(TokioExecutor::new());
            builder.http1().auto_date_header(false).half_close(true);
            builder.http2().auto_date_header(false);
            let connection = builder.serve_connection(TokioIo::new(stream), service);
            tokio::pin!(connection);
            tokio::select! {
                _ = connection.as_mut() => return,
                () = closing.cancelled() => connection.as_mut().graceful_shutdown(),
            }
            // A client that breaks off is no event here.
            drop(connection.await);
        });
    }
}

async fn answer(
    endpoint: Arc<Endpoint>,
    local: SocketAddr,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Gone> {
    if headers::to_origin_form(&mut request).is_err() {
        return Ok(super::plain(http::StatusCode::BAD_REQUEST, "bad request\n"));
    }
    headers::ensure_host(&mut request, local);
    headers::strip(request.headers_mut());
    endpoint.call(request.map(body::incoming)).await.map_err(|_| Gone)
}
