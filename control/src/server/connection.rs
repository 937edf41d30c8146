//! One connection, from its first byte to its last.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::OwnedSemaphorePermit;
use tokio_rustls::server::TlsStream;
use tower::ServiceExt as _;

use crate::audit::Source;
use crate::auth::Peer;
use crate::http::is_registry;
use crate::status::Status;

use super::wire::Wire;
use super::{Api, Limits, Shared};

/// How often an HTTP/2 client that says nothing is asked whether it is there, and for how long.
const PING: Duration = Duration::from_secs(30);
const PONG: Duration = Duration::from_secs(20);

/// The first byte of a TLS handshake.
const HANDSHAKE: u8 = 0x16;

/// How many bytes tell a method of HTTP.
const METHOD: usize = 5;

const PLAIN_HTTP: &[u8] = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";

/// A connection's place among those that there may be: held by whoever goes on with it when it was upgraded.
#[derive(Clone)]
struct Place(#[expect(dead_code, reason = "it is there to be dropped")] Arc<OwnedSemaphorePermit>);

pub(super) async fn serve<S, B, IO>(
    shared: Arc<Shared<S>>,
    io: IO,
    source: Option<Source>,
    permit: OwnedSemaphorePermit,
) where
    S: Api<B>,
    B: http_body::Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let limits = shared.limits;
    let (endless, place) = (Arc::default(), Place(Arc::new(permit)));
    let handshake = tokio::time::timeout(limits.handshake, accept(&shared, io, &endless));
    let accepted = handshake.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
    let (stream, peer) = match accepted {
        Ok(accepted) => accepted,
        // Port scanners, health checks that only connect, clients that do not trust the authority.
        Err(error) => return tracing::debug!(%error, "TLS handshake failed"),
    };
    let peer = Arc::new(peer);
    let service = service_fn(|request| answer(shared.clone(), peer.clone(), source, place.clone(), request));
    let builder = builder(&limits);
    // Which protocol it is shows in the first bytes; nothing else would bound the wait for them.
    let stream = TokioIo::new(Wire::new(stream).first_within(limits.header));
    let mut connection = pin!(builder.serve_connection_with_upgrades(stream, service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shared.stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    match ended {
        // Or upgraded, and now somebody else's.
        Ok(()) => endless.store(true, Ordering::Relaxed),
        Err(error) => tracing::debug!(%error, "connection failed"),
    }
}

/// The handshake; whoever speaks HTTP without it is told so, as Go's servers do.
async fn accept<S, IO>(
    shared: &Shared<S>,
    mut io: IO,
    endless: &Arc<AtomicBool>,
) -> io::Result<(TlsStream<Wire<IO>>, Peer)>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let mut start = BytesMut::with_capacity(METHOD);
    while start.len() < METHOD && !start.starts_with(&[HANDSHAKE]) {
        let missing = METHOD - start.len();
        if io.read_buf(&mut (&mut start).limit(missing)).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    if is_http(&start) {
        io.write_all(PLAIN_HTTP).await?;
        io.shutdown().await?;
        return Err(io::Error::new(io::ErrorKind::InvalidData, "plain HTTP"));
    }
    let wire = Wire::new(io).after(start.freeze()).stalls_at_most(shared.limits.stall, endless);
    shared.tls.accept(wire).await
}

/// What Go's servers take for HTTP: the first bytes of a method.
fn is_http(start: &[u8]) -> bool {
    [b"GET /", b"HEAD ", b"POST ", b"PUT /", b"OPTIO"].iter().any(|method| start.starts_with(*method))
}

fn builder(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header)
        .max_buf_size(limits.header_bytes as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(limits.header_bytes)
        .max_concurrent_streams(limits.streams)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PONG);
    builder
}

/// Finds out who asks, and passes the request on; or refuses it.
async fn answer<S, B>(
    shared: Arc<Shared<S>>,
    peer: Arc<Peer>,
    source: Option<Source>,
    place: Place,
    mut request: Request<Incoming>,
) -> Result<Response<Either<B, Full<Bytes>>>, Infallible>
where
    S: Api<B>,
{
    let caller = match is_registry(request.uri().path()) {
        true => shared.authenticator.registry_caller(&peer, request.headers()),
        false => shared.authenticator.caller(&peer, request.headers()),
    };
    let caller = match caller {
        Ok(caller) => caller,
        Err(status) => return Ok(refusal(&status).map(Either::Right)),
    };
    // Nobody further in needs the secret.
    request.headers_mut().remove(AUTHORIZATION);
    request.extensions_mut().insert(caller);
    request.extensions_mut().insert(place);
    if let Some(source) = source {
        request.extensions_mut().insert(source);
    }
    let response = shared.service.clone().oneshot(request).await?;
    Ok(response.map(Either::Left))
}

fn refusal(status: &Status) -> Response<Full<Bytes>> {
    let body = json!({
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": status.message(),
        "reason": status.reason(),
        "code": status.code(),
    });
    let mut response = Response::new(Full::new(body.to_string().into()));
    *response.status_mut() = StatusCode::from_u16(status.code()).unwrap_or(StatusCode::UNAUTHORIZED);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    response
}
