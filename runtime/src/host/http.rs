//! Outgoing `wasi:http`: one hook, from the guest's request to the pod's plug.
//!
//! The plug knows every name and address that sockets know, and calls a handler on this node as a function. What is
//! left to do here is timeouts, bounds ([on what is held](held) and on [what is under way](Counted)), the words for
//! errors, and [patience](Patient) with guests that are still sending when the response is there.

mod held;
pub(super) mod sized;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::uri::Scheme;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use netproxy::fabric::{BoxError, Plug, RequestError, ResolveError, SocketError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::component::ResourceTable;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use super::HEADERS;
use held::Held;

/// Requests of a container that are under way: not answered, or with an answer that is not read to its end.
pub(crate) const UNDER_WAY: usize = 1024;

/// The guest's way out.
pub(crate) struct Outgoing {
    plug: Plug,
    /// Of the container.
    under_way: Arc<Semaphore>,
    held: Held,
    /// Whether the instance holds no more than it may.
    within: bool,
}

impl Outgoing {
    pub(super) fn new(plug: Plug, under_way: Arc<Semaphore>) -> Outgoing {
        Outgoing { plug, under_way, held: Held::default(), within: true }
    }

    /// Looks at what has come since the last call.
    pub(super) fn look(&mut self, table: &mut ResourceTable) {
        self.within = self.held.is_within(table);
    }

    /// Whether the guest may write so many bytes more into headers and the like.
    pub(super) fn room(&mut self, table: &mut ResourceTable, bytes: usize) -> bool {
        self.held.room(table, bytes)
    }
}

/// wasmtime-wasi-http's own, for a guest that sets none.
const PATIENCE: Duration = Duration::from_secs(600);

type Done = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Response = Result<(http::Response<WasiBody>, Done), Error>;

impl WasiHttpHooks for Outgoing {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _fut: Done,
    ) -> Box<dyn Future<Output = Response> + Send> {
        let (plug, arrivals) = (self.plug.clone(), self.held.arrivals());
        let turn = self.under_way.clone().try_acquire_owned().ok().filter(|_| self.within);
        Box::new(async move {
            let turn = turn.ok_or(Error::ConnectionLimitReached)?;
            let response = send(&plug, request, options.and_then(|options| options.first_byte_timeout)).await?;
            bounded(response.headers(), &arrivals)?;
            let response = response.map(|body| Counted { body, turn: Some(turn), arrivals }.boxed_unsync());
            Ok((response, Box::new(async { Ok(()) }) as Done))
        })
    }
}

fn bounded(headers: &HeaderMap, arrivals: &AtomicUsize) -> Result<(), Error> {
    let size = held::size(headers);
    if size > HEADERS {
        return Err(Error::HttpResponseHeaderSectionSize(u32::try_from(size).ok()));
    }
    arrivals.fetch_add(size, Relaxed);
    Ok(())
}

/// A response's body, which keeps its request under way until it is at its end.
struct Counted {
    body: WasiBody,
    turn: Option<OwnedSemaphorePermit>,
    arrivals: Arc<AtomicUsize>,
}

impl Body for Counted {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => {
                if let Some(trailers) = frame.trailers_ref()
                    && let Err(error) = bounded(trailers, &self.arrivals)
                {
                    return Poll::Ready(Some(Err(error)));
                }
            }
            None | Some(Err(_)) => self.turn = None,
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

async fn send(
    plug: &Plug,
    request: http::Request<WasiBody>,
    first_byte: Option<Duration>,
) -> Result<http::Response<WasiBody>, Error> {
    let authority = request.uri().authority().ok_or(Error::HttpRequestUriInvalid)?.to_string();
    let tls = request.uri().scheme() == Some(&Scheme::HTTPS);
    let request = request.map(|body| Patient(Some(body)).map_err(BoxError::from).boxed_unsync());
    let answer = plug.request(&authority, tls, request);
    match tokio::time::timeout(first_byte.unwrap_or(PATIENCE), answer).await {
        Ok(Ok(response)) => Ok(response.map(|body| body.map_err(broken).boxed_unsync())),
        Ok(Err(error)) => Err(in_wasi_words(error)),
        Err(_) => Err(Error::ConnectionReadTimeout),
    }
}

fn broken(error: BoxError) -> Error {
    tracing::debug!(%error, "a response's body broke off");
    Error::HttpResponseIncomplete
}

fn in_wasi_words(error: RequestError) -> Error {
    match error {
        RequestError::Invalid(_) => Error::HttpRequestUriInvalid,
        RequestError::Resolve { source: ResolveError::Temporary, .. } => Error::DnsTimeout,
        RequestError::Resolve { source, .. } => Error::DnsError { rcode: Some(source.to_string()), info_code: None },
        RequestError::NoEndpoints => Error::DestinationUnavailable,
        RequestError::Connect { source, .. } => match source {
            SocketError::HostUnreachable => Error::DestinationIpUnroutable,
            SocketError::Timeout => Error::ConnectionTimeout,
            SocketError::LimitReached => Error::ConnectionLimitReached,
            _ => Error::ConnectionRefused,
        },
        RequestError::Tls { .. } => Error::TlsProtocolError,
        RequestError::Gone(_) => Error::ConnectionTerminated,
        RequestError::Exchange { source, .. } => Error::Hyper(source),
    }
}

/// A request's body that, when whoever should read it lets go, is read to its end all the same: a server may answer
/// before it has read everything, and a guest that is still writing must not take that for a broken connection.
struct Patient(Option<WasiBody>);

impl Body for Patient {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Some(body) = &mut self.0 else { return Poll::Ready(None) };
        let frame = std::task::ready!(Pin::new(body).poll_frame(cx));
        if !matches!(frame, Some(Ok(_))) {
            self.0 = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for Patient {
    fn drop(&mut self) {
        let Some(mut body) = self.0.take().filter(|body| !body.is_end_stream()) else { return };
        // Ends with the guest's side of the body, at the latest when its Store goes.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { while let Some(Ok(_)) = body.frame().await {} });
        }
    }
}
