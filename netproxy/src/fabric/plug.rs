//! A pod's end of the network.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::Fabric;
use super::connect::{Caller, canonical};
use super::error::{ResolveError, SocketError};
use super::http::{Endpoint, HttpBinding, HttpHandler};
use super::pod::{Lease, Pod, TcpSlot};
use super::stream::Stream;
use super::tcp::TcpBinding;
use super::udp::UdpSocket;

/// Plugs a pod into the fabric. All containers of the pod share clones of one; with the last one the pod leaves the
/// network, and everything that it held there is free.
#[derive(Debug, Clone)]
pub struct Plug(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    fabric: Fabric,
    pod: Arc<Pod>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.fabric.detach(&self.pod);
    }
}

/// What a pod holds on the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Bound sockets.
    pub sockets: u32,
    /// Connections.
    pub connections: u32,
}

impl Plug {
    pub(super) fn new(fabric: Fabric, pod: Arc<Pod>) -> Self {
        Self(Arc::new(Inner { fabric, pod }))
    }

    pub(super) fn pod(&self) -> &Arc<Pod> {
        &self.0.pod
    }

    /// The pod's address.
    pub fn address(&self) -> IpAddr {
        self.0.pod.ip()
    }

    /// The network it is plugged into.
    pub fn fabric(&self) -> &Fabric {
        &self.0.fabric
    }

    /// What the pod holds now.
    pub fn usage(&self) -> Usage {
        let (sockets, connections) = self.0.pod.usage();
        Usage { sockets, connections }
    }

    /// The pod stops: others are refused from now on; what is connected goes on, and the pod may still call.
    pub fn drain(&self) {
        self.0.pod.drain();
    }

    /// Binds a TCP socket: at the pod's address, a loopback address or a wildcard; port 0 finds a free one.
    pub fn bind_tcp(&self, addr: SocketAddr) -> Result<TcpBinding, SocketError> {
        let lease = Lease::tcp(self.pod(), addr, TcpSlot::Held)?;
        Ok(TcpBinding { fabric: self.0.fabric.clone(), lease })
    }

    /// Connects from an ephemeral port, which is free again when that fails or the stream is dropped.
    pub async fn connect(&self, remote: SocketAddr) -> Result<Stream, SocketError> {
        let to = canonical(remote);
        let caller = Caller::pod(self.pod(), to.ip())?;
        self.0.fabric.connect(Some(self.pod()), caller, to).await
    }

    /// Binds a UDP socket, as [`Plug::bind_tcp`] does.
    pub fn bind_udp(&self, addr: SocketAddr) -> Result<UdpSocket, SocketError> {
        UdpSocket::bind(self.0.fabric.clone(), self.pod(), addr)
    }

    /// The addresses of a name, as the pod's resolver would find them; an address stands for itself.
    pub async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, ResolveError> {
        self.0.fabric.resolve(&self.0.pod.address, name).await
    }

    /// Serves HTTP at a port of the pod (on all its addresses) by calling `handler`, until the binding is dropped.
    pub fn serve_http(&self, port: u16, handler: Arc<dyn HttpHandler>) -> Result<HttpBinding, SocketError> {
        let any = SocketAddr::new(std::net::Ipv4Addr::UNSPECIFIED.into(), port);
        let endpoint = Arc::new(Endpoint::new(handler));
        Ok(HttpBinding::new(Lease::tcp(self.pod(), any, TcpSlot::Handler(endpoint))?))
    }
}
