//! What the fabric knows of one plugged pod: its ports, its live connections, its budget.
//!
//! Everything a pod holds on the wire hangs off its [`Pod`] by a guard ([`Lease`] for a port, [`Attachment`] for a
//! connection), and [`Pod::close`] ends all of it at once, whoever still holds a socket.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use rustix::net::Shutdown;
use tokio::net::TcpStream;

use super::Limits;
use super::address::PodAddress;
use super::backlog::Backlog;
use super::descriptors::Share;
use super::error::SocketError;
use super::http::Endpoint;
use super::pipe::Pipe;
use super::ports::PortSpace;
use super::udp::Queue;

/// What holds a TCP port.
#[derive(Debug, Clone)]
pub(super) enum TcpSlot {
    /// Bound, not listening; or the local end of an outgoing connection.
    Held,
    Listening(Arc<Backlog>),
    Handler(Arc<Endpoint>),
}

#[derive(Debug)]
pub(super) struct Pod {
    pub address: PodAddress,
    pub tcp: Mutex<PortSpace<TcpSlot>>,
    pub udp: Mutex<PortSpace<Arc<Queue>>>,
    /// Every connection of which one end is the pod's, by the address of what carries it and the side.
    lines: Mutex<HashMap<(usize, bool), Line>>,
    sockets: Count,
    connections: Count,
    outside: Count,
    closed: AtomicBool,
    draining: AtomicBool,
}

#[derive(Debug)]
struct Count(Share);

impl Count {
    fn take(&self) -> Result<(), SocketError> {
        self.0.take().then_some(()).ok_or(SocketError::LimitReached)
    }

    fn give_back(&self) {
        self.0.give_back(1);
    }
}

impl Pod {
    pub fn new(address: PodAddress, limits: &Limits) -> Self {
        let count = |limit| Count(Share::new(limit));
        Self {
            address,
            tcp: Mutex::default(),
            udp: Mutex::default(),
            lines: Mutex::default(),
            sockets: count(limits.sockets),
            connections: count(limits.connections),
            outside: count(limits.outside),
            closed: AtomicBool::new(false),
            draining: AtomicBool::new(false),
        }
    }

    pub fn ip(&self) -> IpAddr {
        self.address.ip
    }

    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// From now on nobody else connects; what is connected stays.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Ends everything: waiting accepts and connects wake with an error, connections are reset, ports are free.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
        // Each list is taken out first: what is closed may come back for the lock.
        let slots = self.tcp.lock().clear();
        slots.into_iter().for_each(TcpSlot::close);
        let queues = self.udp.lock().clear();
        queues.iter().for_each(|queue| queue.close());
        let lines: Vec<_> = self.lines.lock().drain().collect();
        lines.iter().for_each(|(_, line)| line.cut());
    }

    /// Whether the address may be bound here, and as what (IPv4 in IPv6 becomes IPv4).
    pub fn bindable(&self, ip: IpAddr) -> Result<IpAddr, SocketError> {
        let ip = ip.to_canonical();
        let own = ip.is_unspecified() || ip.is_loopback() || ip == self.ip();
        own.then_some(ip).ok_or(SocketError::AddressNotBindable)
    }

    pub fn listening(&self, to: SocketAddr) -> Option<TcpSlot> {
        self.tcp.lock().receiver(to.ip(), to.port()).cloned()
    }

    /// The address from which this pod speaks to `remote`.
    pub fn source_for(&self, remote: IpAddr) -> IpAddr {
        if remote.is_loopback() { remote } else { self.ip() }
    }

    /// How many sockets and connections the pod holds.
    pub fn usage(&self) -> (u32, u32) {
        (self.sockets.0.used(), self.connections.0.used())
    }
}

impl TcpSlot {
    pub fn close(self) {
        match self {
            Self::Held => {}
            Self::Listening(backlog) => backlog.close(),
            Self::Handler(endpoint) => endpoint.close(),
        }
    }
}

/// A bound TCP port and one socket of the budget, until dropped.
#[derive(Debug)]
pub(super) struct Lease {
    pub pod: Arc<Pod>,
    pub local: SocketAddr,
}

impl Lease {
    pub fn tcp(pod: &Arc<Pod>, at: SocketAddr, slot: TcpSlot) -> Result<Self, SocketError> {
        let ip = pod.bindable(at.ip())?;
        pod.sockets.take()?;
        let bound = pod.tcp.lock().bind(ip, at.port(), slot);
        let port = bound.inspect_err(|_| pod.sockets.give_back())?;
        let lease = Self { pod: pod.clone(), local: SocketAddr::new(ip, port) };
        // `close` sets the flag before it clears the ports: one of the two sees the other.
        if pod.is_closed() { Err(SocketError::ConnectionAborted) } else { Ok(lease) }
    }

    /// Turns the port into something else, as `listen` does.
    pub fn become_slot(&self, slot: TcpSlot) -> Result<(), SocketError> {
        let mut ports = self.pod.tcp.lock();
        let held = ports.get_mut(self.local.ip(), self.local.port()).ok_or(SocketError::ConnectionAborted)?;
        *held = slot;
        Ok(())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // After `close` the port may be in other hands only if the pod is, which it never is again.
        let slot = self.pod.tcp.lock().release(self.local.ip(), self.local.port());
        self.pod.sockets.give_back();
        if let Some(slot) = slot {
            slot.close();
        }
    }
}

/// One socket of the budget that is no TCP port.
#[derive(Debug)]
pub(super) struct UdpLease {
    pub pod: Arc<Pod>,
    pub local: SocketAddr,
}

impl UdpLease {
    pub fn new(pod: &Arc<Pod>, at: SocketAddr, queue: Arc<Queue>) -> Result<Self, SocketError> {
        let ip = pod.bindable(at.ip())?;
        pod.sockets.take()?;
        let bound = pod.udp.lock().bind(ip, at.port(), queue);
        let port = bound.inspect_err(|_| pod.sockets.give_back())?;
        let lease = Self { pod: pod.clone(), local: SocketAddr::new(ip, port) };
        if pod.is_closed() { Err(SocketError::ConnectionAborted) } else { Ok(lease) }
    }
}

impl Drop for UdpLease {
    fn drop(&mut self) {
        self.pod.udp.lock().release(self.local.ip(), self.local.port());
        self.pod.sockets.give_back();
    }
}

/// A socket of the host that a pod holds, until dropped.
#[derive(Debug)]
pub(super) struct OutsideLease {
    pod: Arc<Pod>,
    all: Arc<Share>,
}

impl OutsideLease {
    /// One of the pod's, and of what all pods may have.
    pub fn take(pod: &Arc<Pod>, all: &Arc<Share>) -> Result<Self, SocketError> {
        pod.outside.take()?;
        if !all.take() {
            pod.outside.give_back();
            return Err(SocketError::LimitReached);
        }
        Ok(Self { pod: pod.clone(), all: all.clone() })
    }
}

impl Drop for OutsideLease {
    fn drop(&mut self) {
        self.pod.outside.give_back();
        self.all.give_back(1);
    }
}

/// One end of a connection as its pod counts it, until dropped.
#[derive(Debug)]
pub(super) struct Attachment {
    pod: Arc<Pod>,
    /// Held for its `Drop`.
    _outside: Option<OutsideLease>,
    key: Option<(usize, bool)>,
}

impl Attachment {
    /// Takes one connection of the budget.
    pub fn reserve(pod: &Arc<Pod>) -> Result<Self, SocketError> {
        if pod.is_closed() {
            return Err(SocketError::ConnectionAborted);
        }
        pod.connections.take()?;
        Ok(Self { pod: pod.clone(), _outside: None, key: None })
    }

    /// The connection is to be a socket of the host.
    pub fn go_outside(&mut self, all: &Arc<Share>) -> Result<(), SocketError> {
        self._outside = Some(OutsideLease::take(&self.pod, all)?);
        Ok(())
    }

    /// From now on the connection is cut when the pod goes.
    pub fn register(mut self, line: Line, accepted: bool) -> Self {
        let key = (line.address(), accepted);
        self.key = Some(key);
        self.pod.lines.lock().insert(key, line);
        // `close` sets the flag before it takes the lines: one of the two sees the other.
        if self.pod.is_closed() {
            self.pod.lines.lock().remove(&key).iter().for_each(Line::cut);
        }
        self
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        if let Some(key) = &self.key {
            self.pod.lines.lock().remove(key);
        }
        self.pod.connections.give_back();
    }
}

/// What carries a connection.
#[derive(Debug)]
pub(super) enum Line {
    Pipe(Weak<Pipe>),
    Host(Weak<TcpStream>),
}

impl Line {
    pub fn pipe(pipe: &Arc<Pipe>) -> Self {
        Self::Pipe(Arc::downgrade(pipe))
    }

    pub fn host(tcp: &Arc<TcpStream>) -> Self {
        Self::Host(Arc::downgrade(tcp))
    }

    fn address(&self) -> usize {
        match self {
            Self::Pipe(pipe) => pipe.as_ptr() as usize,
            Self::Host(tcp) => tcp.as_ptr() as usize,
        }
    }

    fn cut(&self) {
        match self {
            Self::Pipe(pipe) => pipe.upgrade().iter().for_each(|pipe| pipe.reset()),
            Self::Host(tcp) => {
                // It fails where the connection has ended by itself.
                let _ = tcp.upgrade().map(|tcp| rustix::net::shutdown(tcp, Shutdown::Both));
            }
        }
    }
}
