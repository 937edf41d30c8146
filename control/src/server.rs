//! The API on the wire: TLS, HTTP/1.1 with upgrades and HTTP/2, from a socket or from a stream within the process.
//!
//! ```text
//! TcpListener ──┐
//! serve_stream ─┴► permit ─► TLS handshake (who is it?) ─► hyper ─► Caller into the request ─► service
//! ```
//!
//! Every wait for a client has a bound: the handshake, the header of a request, its body, an HTTP/2 ping, and how long it may
//! not read what it asked for. When as many
//! connections are open as may be, further ones wait in the kernel's queue.
//!
//! # Shutdown
//!
//! The listener closes, connections finish the requests that they are at, and what is still open after the grace
//! period is dropped. Watches end with the store, not here.

mod connection;
mod tls;
mod wire;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

use crate::audit::Source;
use crate::auth::Authenticator;

pub use tls::{Tls, TlsError};

/// How long accepting pauses when the process is out of file descriptors: time for one to come back.
const PAUSE: Duration = Duration::from_millis(100);

/// Bounds on what clients can make the server hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at a time.
    pub connections: usize,
    /// For the TLS handshake.
    pub handshake: Duration,
    /// For the header of a request to arrive.
    pub header: Duration,
    /// For a client to read what it asked for: how long nothing of it is taken.
    pub stall: Duration,
    /// For the header of a request, in bytes.
    pub header_bytes: u32,
    /// Requests at a time on one HTTP/2 connection; watches count.
    pub streams: u32,
    /// For open requests to end at shutdown.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            handshake: Duration::from_secs(10),
            header: Duration::from_secs(30),
            stall: Duration::from_secs(120),
            header_bytes: 256 << 10,
            streams: 1000,
            grace: Duration::from_secs(5),
        }
    }
}

/// What answers requests. It finds who is asking as an [`crate::auth::Caller`] in the request's extensions.
pub trait Api<B>:
    Service<Request<Incoming>, Response = Response<B>, Error = Infallible, Future: Send> + Clone + Send + Sync + 'static
{
}

impl<S, B> Api<B> for S where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// A bound listener that serves nothing yet.
pub struct Server<S> {
    listener: TcpListener,
    address: SocketAddr,
    streams: Streams<S>,
}

/// Serves single connections; clones share the limits and the shutdown of their server.
pub struct Streams<S>(Arc<Shared<S>>);

struct Shared<S> {
    service: S,
    tls: Tls,
    authenticator: Authenticator,
    limits: Limits,
    permits: Arc<Semaphore>,
    tasks: TaskTracker,
    /// Finish what you are at.
    stop: CancellationToken,
    /// Never mind.
    abort: CancellationToken,
}

impl<S> Server<S> {
    /// Takes the address. Port 0 takes a free one, which [`Server::address`] tells.
    ///
    /// # Errors
    ///
    /// When the address cannot be had.
    pub async fn bind(
        listen: SocketAddr,
        tls: Tls,
        authenticator: Authenticator,
        limits: Limits,
        service: S,
    ) -> io::Result<Self> {
        Self::over(TcpListener::bind(listen).await?, tls, authenticator, limits, service)
    }

    /// The same over a listener that is bound already.
    ///
    /// # Errors
    ///
    /// When the listener cannot tell its address.
    pub fn over(
        listener: TcpListener,
        tls: Tls,
        authenticator: Authenticator,
        limits: Limits,
        service: S,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let shared = Shared {
            service,
            tls,
            authenticator,
            permits: Arc::new(Semaphore::new(limits.connections)),
            limits,
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            abort: CancellationToken::new(),
        };
        Ok(Self { listener, address, streams: Streams(Arc::new(shared)) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// For connections that come from elsewhere.
    pub fn streams(&self) -> Streams<S> {
        self.streams.clone()
    }

    /// Serves until `shutdown`, then ends as described above.
    pub async fn run<B>(self, shutdown: CancellationToken)
    where
        S: Api<B>,
        B: http_body::Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
    {
        let Self { listener, streams, .. } = self;
        tokio::select! {
            () = accept(&listener, &streams) => {}
            () = shutdown.cancelled() => {}
        }
        drop(listener);
        streams.end().await;
    }
}

impl<S> Streams<S> {
    /// Serves one connection, TLS and all, in a task of its own. At the limit it waits for another to end.
    pub async fn serve_stream<B, IO>(&self, io: IO)
    where
        S: Api<B>,
        B: http_body::Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        if let Some(permit) = self.permit().await {
            self.spawn(io, None, permit);
        }
    }

    /// Nothing when the server is at its end.
    async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        tokio::select! {
            permit = self.0.permits.clone().acquire_owned() => permit.ok(),
            () = self.0.stop.cancelled() => None,
        }
    }

    fn spawn<B, IO>(&self, io: IO, source: Option<Source>, permit: OwnedSemaphorePermit)
    where
        S: Api<B>,
        B: http_body::Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let shared = self.0.clone();
        self.0.tasks.spawn(async move {
            let abort = shared.abort.clone();
            abort.run_until_cancelled(connection::serve(shared, io, source, permit)).await;
        });
    }

    async fn end(&self) {
        let shared = &self.0;
        shared.stop.cancel();
        shared.tasks.close();
        if tokio::time::timeout(shared.limits.grace, shared.tasks.wait()).await.is_err() {
            shared.abort.cancel();
            shared.tasks.wait().await;
        }
    }
}

impl<S> Clone for Streams<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

async fn accept<S, B>(listener: &TcpListener, streams: &Streams<S>)
where
    S: Api<B>,
    B: http_body::Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    while let Some(permit) = streams.permit().await {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // A request is answered in one write; Nagle's algorithm would only hold watch events back.
                let _ = stream.set_nodelay(true);
                streams.spawn(stream, Some(Source(peer.ip())), permit);
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

#[cfg(test)]
mod tests;
