//! A request finds its endpoint, and another one when the first is gone before it answered.
//!
//! What may be tried again, in falling order of frequency: a connect that failed (nothing was sent); a request that hyper
//! gives back unsent, because a waiting connection had closed; a request that a stopping handler gives back; and, after
//! a reset without a byte of response, a request that is empty and idempotent.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http::uri::Authority;
use http::{HeaderValue, Request, Response, Version, header};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::pool::{Key, Lent, Sender1, Sender2};
use super::{Body, Endpoint, body, headers};
use crate::fabric::connect::{Caller, canonical};
use crate::fabric::error::{RequestError, SocketError};
use crate::fabric::pod::{Pod, TcpSlot};
use crate::fabric::route::Place;
use crate::fabric::stream::Stream;
use crate::fabric::{Fabric, Origin, Plug};
use crate::routes::{Protocol, ServicePort};

/// How many endpoints one request may visit.
const TRIES: usize = 8;

/// No response; with the request, when it may be sent elsewhere.
struct Failure {
    error: RequestError,
    request: Option<Box<Request<Body>>>,
}

impl Failure {
    fn again(error: RequestError, request: Request<Body>) -> Self {
        Self { error, request: Some(Box::new(request)) }
    }
}

type Tried = Result<Response<Body>, Failure>;

impl Fabric {
    /// Sends a request to an address: a function call where a handler serves it, HTTP over a stream elsewhere. For the
    /// address of a service, endpoints that are gone are passed over.
    pub async fn request(
        &self,
        from: Origin<'_>,
        to: SocketAddr,
        mut request: Request<Body>,
    ) -> Result<Response<Body>, RequestError> {
        headers::to_origin_form(&mut request)?;
        self.request_to(from.pod(), canonical(to), request).await.map_err(|failure| failure.error)
    }

    /// Sends a request of the host to one of the endpoints of a service, in turn.
    pub(crate) async fn balance(
        &self,
        service: &ServicePort,
        mut request: Request<Body>,
    ) -> Result<Response<Body>, RequestError> {
        headers::to_origin_form(&mut request)?;
        self.request_service(None, service, true, request).await.map_err(|failure| failure.error)
    }

    async fn request_to(&self, from: Option<&Arc<Pod>>, to: SocketAddr, request: Request<Body>) -> Tried {
        match self.place(from, to, Protocol::Tcp) {
            Ok(Place::Service(service)) => self.request_service(from, &service, false, request).await,
            Ok(place) => self.request_place(from, place, to, request).await,
            Err(source) => Err(Failure::again(RequestError::Connect { to, source }, request)),
        }
    }

    async fn request_service(
        &self,
        from: Option<&Arc<Pod>>,
        service: &ServicePort,
        from_outside: bool,
        mut request: Request<Body>,
    ) -> Tried {
        let mut last = RequestError::NoEndpoints;
        for endpoint in service.turns(from_outside).take(TRIES) {
            let tried = match self.endpoint_place(from, endpoint) {
                // The host's API, which speaks TLS; for a pod its own loopback is at this address.
                Ok(Place::HostListener(_)) if endpoint.ip().is_loopback() => {
                    let source = SocketError::HostUnreachable;
                    Err(Failure::again(RequestError::Connect { to: endpoint, source }, request))
                }
                Ok(place) => self.request_place(from, place, endpoint, request).await,
                Err(source) => Err(Failure::again(RequestError::Connect { to: endpoint, source }, request)),
            };
            match tried {
                Err(Failure { error, request: Some(back) }) => (last, request) = (error, *back),
                settled => return settled,
            }
        }
        Err(Failure::again(last, request))
    }

    async fn request_place(
        &self,
        from: Option<&Arc<Pod>>,
        place: Place,
        to: SocketAddr,
        mut request: Request<Body>,
    ) -> Tried {
        headers::ensure_host(&mut request, to);
        match handler_at(from, &place, to) {
            Some(endpoint) => call(&endpoint, to, request).await,
            None if request.version() == Version::HTTP_2 => self.over_http2(from, to, request).await,
            None => self.over_http1(from, to, request).await,
        }
    }

    async fn over_http1(&self, from: Option<&Arc<Pod>>, to: SocketAddr, mut request: Request<Body>) -> Tried {
        let key: Key = (from.map(|pod| pod.ip()), to);
        headers::strip_request(&mut request);
        *request.version_mut() = Version::HTTP_11;
        let alone = headers::wants_upgrade(&request);
        loop {
            let waiting = if alone { None } else { self.waiting(key) };
            let used = waiting.is_some();
            let mut lent = match waiting {
                Some(lent) => lent,
                None => match self.connect_http1(from, to).await {
                    Ok(sender) => Lent { fabric: self.clone(), key, sender },
                    Err(error) => return Err(Failure::again(error, request)),
                },
            };
            if lent.sender.ready().await.is_err() && used {
                continue;
            }
            let spare = headers::spare(&request);
            let mut refused = match lent.sender.try_send_request(request).await {
                Ok(mut response) => {
                    headers::strip_response(&mut response);
                    return Ok(body::lent(response, lent));
                }
                Err(refused) => refused,
            };
            let back = refused.take_message().or(spare);
            match back {
                // The connection closed while it waited; that says nothing of the endpoint.
                Some(back) if used => request = back,
                back => {
                    let error = RequestError::Exchange { to, source: refused.into_error() };
                    return Err(Failure { error, request: back.map(Box::new) });
                }
            }
        }
    }

    async fn connect_http1(&self, from: Option<&Arc<Pod>>, to: SocketAddr) -> Result<Sender1, RequestError> {
        let stream = self.stream_to(from, to).await?;
        handshake(stream, to).await
    }

    async fn over_http2(&self, from: Option<&Arc<Pod>>, to: SocketAddr, mut request: Request<Body>) -> Tried {
        let key: Key = (from.map(|pod| pod.ip()), to);
        headers::strip(request.headers_mut());
        if let Err(error) = headers::to_absolute_form(&mut request) {
            return Err(Failure { error, request: None });
        }
        let mut sender = match self.shared(key) {
            Some(sender) => sender,
            None => match self.connect_http2(from, to).await {
                Ok(sender) => {
                    self.share(key, sender.clone());
                    sender
                }
                Err(error) => return Err(Failure::again(error, request)),
            },
        };
        let spare = headers::spare(&request);
        match sender.try_send_request(request).await {
            Ok(response) => Ok(response.map(body::incoming)),
            Err(mut refused) => {
                let request = refused.take_message().or(spare).map(Box::new);
                Err(Failure { error: RequestError::Exchange { to, source: refused.into_error() }, request })
            }
        }
    }

    async fn connect_http2(&self, from: Option<&Arc<Pod>>, to: SocketAddr) -> Result<Sender2, RequestError> {
        let stream = self.stream_to(from, to).await?;
        let shaken = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
        let (sender, connection) = shaken.map_err(|source| RequestError::Exchange { to, source })?;
        // Ends when the last sender is dropped and the last response read.
        tokio::spawn(async move { drop(connection.await) });
        Ok(sender)
    }

    /// A stream to an address that is no service's.
    async fn stream_to(&self, from: Option<&Arc<Pod>>, to: SocketAddr) -> Result<Stream, RequestError> {
        let connected = match from {
            Some(pod) => match Caller::pod(pod, to.ip()) {
                Ok(caller) => self.connect(from, caller, to).await,
                Err(error) => Err(error),
            },
            None => self.dial_endpoint(to).await,
        };
        connected.map_err(|source| RequestError::Connect { to, source })
    }
}

impl Plug {
    /// Sends a request to `host[:port]`, as `wasi:http` outgoing does. The name resolves as everywhere in the pod.
    pub async fn request(
        &self,
        authority: &str,
        tls: bool,
        mut request: Request<Body>,
    ) -> Result<Response<Body>, RequestError> {
        let authority: Authority = authority.parse().map_err(|_| RequestError::Invalid("no such authority"))?;
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let name = authority.host();
        headers::to_origin_form(&mut request)?;
        if !request.headers().contains_key(header::HOST) {
            let host = HeaderValue::from_str(authority.as_str());
            let host = host.map_err(|_| RequestError::Invalid("the authority is no header"))?;
            request.headers_mut().insert(header::HOST, host);
        }
        let resolved = self.resolve(name).await;
        let addresses = resolved.map_err(|source| RequestError::Resolve { name: name.to_owned(), source })?;
        if tls {
            self.request_tls(name, &addresses, port, request).await
        } else {
            self.try_each(&addresses, port, request).await
        }
    }

    async fn try_each(
        &self,
        addresses: &[IpAddr],
        port: u16,
        mut request: Request<Body>,
    ) -> Result<Response<Body>, RequestError> {
        let mut last = RequestError::NoEndpoints;
        for ip in addresses {
            let to = canonical(SocketAddr::new(*ip, port));
            match self.fabric().request_to(Some(self.pod()), to, request).await {
                Err(Failure { error, request: Some(back) }) => (last, request) = (error, *back),
                settled => return settled.map_err(|failure| failure.error),
            }
        }
        Err(last)
    }

    async fn request_tls(
        &self,
        name: &str,
        addresses: &[IpAddr],
        port: u16,
        mut request: Request<Body>,
    ) -> Result<Response<Body>, RequestError> {
        let mut last = RequestError::NoEndpoints;
        for ip in addresses {
            let to = SocketAddr::new(*ip, port);
            let stream = match self.connect(to).await {
                Ok(stream) => stream,
                Err(source) => {
                    last = RequestError::Connect { to, source };
                    continue;
                }
            };
            let shaken = self.fabric().tls(name, stream).await;
            let stream = shaken.map_err(|source| RequestError::Tls { name: name.to_owned(), source })?;
            let mut sender = handshake(stream, to).await?;
            headers::strip(request.headers_mut());
            *request.version_mut() = Version::HTTP_11;
            let response = sender.send_request(request).await;
            return response
                .map(|response| response.map(body::incoming))
                .map_err(|source| RequestError::Exchange { to, source });
        }
        Err(last)
    }
}

async fn handshake<S>(stream: S, to: SocketAddr) -> Result<Sender1, RequestError>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let shaken = http1::handshake(TokioIo::new(stream)).await;
    let (sender, connection) = shaken.map_err(|source| RequestError::Exchange { to, source })?;
    // Ends when the sender is dropped and the exchange under way is over; it also sends the rest of a body whose response
    // came early.
    tokio::spawn(async move { drop(connection.with_upgrades().await) });
    Ok(sender)
}

/// The handler that serves this address, if it is one and takes requests of this caller.
fn handler_at(from: Option<&Arc<Pod>>, place: &Place, to: SocketAddr) -> Option<Arc<Endpoint>> {
    let Place::Pod(pod) = place else { return None };
    let itself = from.is_some_and(|from| Arc::ptr_eq(from, pod));
    match pod.listening(to)? {
        TcpSlot::Handler(endpoint) if itself || !pod.is_draining() => Some(endpoint),
        _ => None,
    }
}

async fn call(endpoint: &Endpoint, to: SocketAddr, mut request: Request<Body>) -> Tried {
    headers::strip(request.headers_mut());
    let answered = endpoint.call(request).await;
    answered.map_err(|request| Failure { error: RequestError::Gone(to), request: Some(request) })
}

impl RequestError {
    /// Whether the time ran out.
    pub(crate) fn is_timeout(&self) -> bool {
        matches!(self, Self::Connect { source: SocketError::Timeout, .. })
    }
}
