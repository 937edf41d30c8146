//! Opening a connection to wherever the address leads.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Fabric;
use super::backlog::Backlog;
use super::error::{DialError, SocketError};
use super::pod::{Attachment, Lease, Line, Pod, TcpSlot};
use super::route::Place;
use super::stream::Stream;
use super::{Origin, pipe};
use crate::routes::{Protocol, ServicePort};

/// How many endpoints of a service a connect tries: one that just went refuses at once, and its successor is there.
const TRIES: usize = 4;

/// The side that connects, until it is connected: everything is freed when the attempt fails.
#[derive(Debug)]
pub(super) struct Caller {
    local: SocketAddr,
    attachment: Option<Attachment>,
    lease: Option<Lease>,
}

impl Caller {
    fn host(fabric: &Fabric) -> Self {
        Self { local: fabric.host_source(), attachment: None, lease: None }
    }

    pub fn pod(pod: &Arc<Pod>, to: IpAddr) -> Result<Self, SocketError> {
        let at = SocketAddr::new(pod.source_for(to), 0);
        Self::bound(Lease::tcp(pod, at, TcpSlot::Held)?, to)
    }

    pub fn bound(lease: Lease, to: IpAddr) -> Result<Self, SocketError> {
        let attachment = Some(Attachment::reserve(&lease.pod)?);
        let ip = if lease.local.ip().is_unspecified() { lease.pod.source_for(to) } else { lease.local.ip() };
        Ok(Self { local: SocketAddr::new(ip, lease.local.port()), attachment, lease: Some(lease) })
    }

    /// The caller's end of a pipe to `to`.
    fn into_stream(self, end: pipe::End, to: SocketAddr) -> Stream {
        let attachment = self.attachment.map(|attachment| attachment.register(Line::pipe(end.pipe()), false));
        Stream::piped(end, (self.local, to), (attachment, self.lease))
    }
}

impl Fabric {
    /// Connects from the host or a pod.
    ///
    /// # Errors
    /// [`SocketError::ConnectionRefused`] where nobody listens, and for services without endpoints;
    /// [`SocketError::HostUnreachable`] for addresses that no pod has; [`SocketError::Timeout`] when a backlog has no
    /// room for long.
    pub async fn dial(&self, from: Origin<'_>, to: SocketAddr) -> Result<Stream, DialError> {
        let to = canonical(to);
        let pod = from.pod();
        let dialed = async {
            let caller = match pod {
                Some(pod) => Caller::pod(pod, to.ip())?,
                None => Caller::host(self),
            };
            self.connect(pod, caller, to).await
        };
        dialed.await.map_err(|source| DialError { to, source })
    }

    /// Connects the host to what a pod of this node would reach as `localhost`: also what listens on the pod's loopback
    /// alone, and while the pod is on its way out.
    ///
    /// # Errors
    /// [`SocketError::HostUnreachable`] where no pod of this node has the address, else as [`Fabric::dial`].
    pub async fn dial_localhost(&self, pod: IpAddr, port: u16) -> Result<Stream, SocketError> {
        let Some(Place::Pod(pod)) = self.inside(SocketAddr::new(pod.to_canonical(), port)) else {
            return Err(SocketError::HostUnreachable);
        };
        let mut last = SocketError::ConnectionRefused;
        for ip in [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into(), pod.ip()] {
            let at = SocketAddr::new(ip, port);
            match self.connect_pod(Some(&pod), &mut Some(Caller::host(self)), &pod, at, at).await {
                Err(SocketError::ConnectionRefused) => {}
                Err(other) => last = other,
                Ok(stream) => return Ok(stream),
            }
        }
        Err(last)
    }

    /// Connects the host to an endpoint of a service, past all services.
    pub(crate) async fn dial_endpoint(&self, endpoint: SocketAddr) -> Result<Stream, SocketError> {
        let place = self.endpoint_place(None, endpoint)?;
        let mut caller = Some(Caller::host(self));
        self.connect_place(None, &mut caller, place, endpoint, endpoint).await
    }

    /// Connects `caller` to `to`, which is canonical.
    pub(super) async fn connect(
        &self,
        from: Option<&Arc<Pod>>,
        caller: Caller,
        to: SocketAddr,
    ) -> Result<Stream, SocketError> {
        let mut caller = Some(caller);
        match self.place(from, to, Protocol::Tcp)? {
            Place::Service(service) => self.connect_service(from, &mut caller, &service, to).await,
            place => self.connect_place(from, &mut caller, place, to, to).await,
        }
    }

    async fn connect_service(
        &self,
        from: Option<&Arc<Pod>>,
        caller: &mut Option<Caller>,
        service: &ServicePort,
        to: SocketAddr,
    ) -> Result<Stream, SocketError> {
        let mut last = SocketError::ConnectionRefused;
        for endpoint in service.turns(false).take(TRIES) {
            let tried = match self.endpoint_place(from, endpoint) {
                Ok(place) => self.connect_place(from, caller, place, endpoint, to).await,
                Err(error) => Err(error),
            };
            match tried {
                Err(error) if error.nothing_sent() && caller.is_some() => last = error,
                settled => return settled,
            }
        }
        Err(last)
    }

    /// Connects to `at` in `place`; the stream will call its peer `named`. The caller is taken only on success.
    async fn connect_place(
        &self,
        from: Option<&Arc<Pod>>,
        caller: &mut Option<Caller>,
        place: Place,
        at: SocketAddr,
        named: SocketAddr,
    ) -> Result<Stream, SocketError> {
        match place {
            Place::Pod(target) => self.connect_pod(from, caller, &target, at, named).await,
            Place::HostListener(backlog) => self.connect_backlog(caller, &backlog, None, at, named).await,
            Place::Outside => self.connect_outside(caller, at).await,
            // `endpoint_place` never answers this, and `connect` has its own arm for it.
            Place::Service(_) => Err(SocketError::HostUnreachable),
        }
    }

    async fn connect_pod(
        &self,
        from: Option<&Arc<Pod>>,
        caller: &mut Option<Caller>,
        target: &Arc<Pod>,
        at: SocketAddr,
        named: SocketAddr,
    ) -> Result<Stream, SocketError> {
        let itself = from.is_some_and(|pod| Arc::ptr_eq(pod, target));
        if target.is_draining() && !itself {
            return Err(SocketError::ConnectionRefused);
        }
        match target.listening(at) {
            None | Some(TcpSlot::Held) => Err(SocketError::ConnectionRefused),
            Some(TcpSlot::Listening(backlog)) => self.connect_backlog(caller, &backlog, Some(target), at, named).await,
            Some(TcpSlot::Handler(endpoint)) => {
                let (near, far) = open(caller, Some(target), at, named)?;
                endpoint.serve(far);
                Ok(near)
            }
        }
    }

    async fn connect_backlog(
        &self,
        caller: &mut Option<Caller>,
        backlog: &Backlog,
        target: Option<&Arc<Pod>>,
        at: SocketAddr,
        named: SocketAddr,
    ) -> Result<Stream, SocketError> {
        if timeout(self.config().connect_timeout, backlog.reserve()).await.map_err(|_| SocketError::Timeout)?.is_err() {
            return Err(SocketError::ConnectionRefused);
        }
        let (near, far) = open(caller, target, at, named).inspect_err(|_| backlog.unreserve())?;
        backlog.push(far)?;
        Ok(near)
    }

    pub(super) async fn connect_outside(
        &self,
        caller: &mut Option<Caller>,
        at: SocketAddr,
    ) -> Result<Stream, SocketError> {
        if let Some(attachment) = caller.as_mut().and_then(|caller| caller.attachment.as_mut()) {
            attachment.go_outside(&self.0.outside)?;
        }
        let connecting = timeout(self.config().connect_timeout, TcpStream::connect(at));
        let tcp = connecting.await.map_err(|_| SocketError::Timeout)??;
        // Latency as inside; a failure here would show at the first write anyway.
        drop(tcp.set_nodelay(true));
        let (caller, tcp) = (caller.take().ok_or(SocketError::InvalidState)?, Arc::new(tcp));
        let attachment = caller.attachment.map(|attachment| attachment.register(Line::host(&tcp), false));
        Ok(Stream::outside(tcp, (caller.local, at), (attachment, caller.lease)))
    }

    /// Whether connections wait to be accepted at this endpoint.
    pub(super) fn is_backed_up(&self, at: SocketAddr) -> bool {
        match self.endpoint_place(None, at) {
            Ok(Place::Pod(pod)) => matches!(pod.listening(at), Some(TcpSlot::Listening(backlog)) if backlog.len() > 0),
            _ => false,
        }
    }
}

/// Both streams of a new pipe: the caller's, which knows its peer as `named`, and the target's at `at`.
fn open(
    caller: &mut Option<Caller>,
    target: Option<&Arc<Pod>>,
    at: SocketAddr,
    named: SocketAddr,
) -> Result<(Stream, Stream), SocketError> {
    // A pod that may have no more connections is, for the others, one that does not answer.
    let accepted = target.map(Attachment::reserve).transpose().map_err(|_| SocketError::ConnectionRefused)?;
    let caller = caller.take().ok_or(SocketError::InvalidState)?;
    let (near, far) = pipe::pair();
    let attachment = accepted.map(|attachment| attachment.register(Line::pipe(far.pipe()), true));
    let far = Stream::piped(far, (at, caller.local), (attachment, None));
    Ok((caller.into_stream(near, named), far))
}

pub(super) fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
