//! Datagrams: bounded, counted, and lost without a word where a network would lose them.
//!
//! A datagram for a pod goes straight into the receiver's queue; one for a service goes to the endpoint that this
//! socket chose for it before, and the answer comes back in the service's name ([`nat`]); one for the world outside goes
//! through a socket of the host, opened at the first such send. Nothing here has a task of its own.

mod nat;
mod outside;
mod queue;

use std::net::SocketAddr;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use parking_lot::Mutex;

use self::nat::Nat;
use self::outside::Outside;
pub(super) use self::queue::Queue;
use super::Fabric;
use super::error::SocketError;
use super::pod::{OutsideLease, UdpLease};
use super::route::Place;
use crate::routes::Protocol;

/// What one datagram carries at most: IPv4's limit.
pub const MAX_DATAGRAM: usize = 65_507;

/// A bound UDP socket of a pod; dropping it frees the port.
#[derive(Debug)]
pub struct UdpSocket {
    fabric: Fabric,
    lease: UdpLease,
    queue: std::sync::Arc<Queue>,
    remote: Mutex<Option<SocketAddr>>,
    nat: Mutex<Nat>,
    outside: Outside,
}

impl UdpSocket {
    pub(super) fn bind(
        fabric: Fabric,
        pod: &std::sync::Arc<super::pod::Pod>,
        at: SocketAddr,
    ) -> Result<Self, SocketError> {
        let queue = Queue::new();
        let lease = UdpLease::new(pod, at, queue.clone())?;
        let (remote, nat, outside) = Default::default();
        Ok(Self { fabric, lease, queue, remote, nat, outside })
    }

    /// The address it is bound at.
    pub fn local_addr(&self) -> SocketAddr {
        self.lease.local
    }

    /// The address it is connected to.
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        *self.remote.lock()
    }

    /// Sends to, and receives from, this address only; `None` takes that back.
    pub fn connect(&self, remote: Option<SocketAddr>) -> Result<(), SocketError> {
        let usable = |to: SocketAddr| to.port() != 0 && !to.ip().is_unspecified();
        if remote.is_some_and(|to| !usable(to)) {
            return Err(SocketError::InvalidArgument);
        }
        *self.remote.lock() = remote.map(canonical);
        Ok(())
    }

    /// Sends one datagram, to `to` or to where the socket is connected. There is always room: what the receiver has no
    /// room for is lost and counted there, and what nobody receives is lost.
    pub fn try_send_to(&self, data: &[u8], to: Option<SocketAddr>) -> Result<(), SocketError> {
        let connected = *self.remote.lock();
        let to = match (to.map(canonical), connected) {
            (Some(to), Some(remote)) if to != remote => return Err(SocketError::InvalidArgument),
            (Some(to), _) => to,
            (None, remote) => remote.ok_or(SocketError::InvalidState)?,
        };
        if data.len() > MAX_DATAGRAM {
            return Err(SocketError::DatagramTooLarge);
        }
        if self.lease.pod.is_closed() {
            return Err(SocketError::ConnectionAborted);
        }
        match self.fabric.place(Some(&self.lease.pod), to, Protocol::Udp) {
            Ok(place) => self.deliver(place, to, data),
            Err(error @ SocketError::InvalidArgument) => Err(error),
            Err(_) => Ok(()),
        }
    }

    fn deliver(&self, place: Place, to: SocketAddr, data: &[u8]) -> Result<(), SocketError> {
        match place {
            Place::Pod(pod) => {
                let receiver = pod.udp.lock().receiver(to.ip(), to.port()).cloned();
                if let Some(queue) = receiver {
                    queue.push(self.source_for(to), Bytes::copy_from_slice(data));
                }
                Ok(())
            }
            Place::Service(service) => {
                let Some(endpoint) = self.nat.lock().endpoint(to, &service) else { return Ok(()) };
                match self.fabric.endpoint_place(Some(&self.lease.pod), endpoint) {
                    Ok(place) => self.deliver(place, endpoint, data),
                    Err(_) => Ok(()),
                }
            }
            Place::Outside => {
                let lease = || OutsideLease::take(&self.lease.pod, &self.fabric.0.outside);
                self.outside.send(data, to, lease)
            }
            Place::HostListener(_) => Ok(()),
        }
    }

    fn source_for(&self, to: SocketAddr) -> SocketAddr {
        let local = self.lease.local;
        let ip = if local.ip().is_unspecified() { self.lease.pod.source_for(to.ip()) } else { local.ip() };
        SocketAddr::new(ip, local.port())
    }

    /// The next datagram and who sent it, or [`SocketError::WouldBlock`].
    pub fn try_recv_from(&self) -> Result<(Bytes, SocketAddr), SocketError> {
        loop {
            let (data, from) = match self.queue.pop() {
                Some(datagram) => datagram,
                None if self.queue.is_closed() => return Err(SocketError::ConnectionAborted),
                None => self.outside.receive()?,
            };
            let from = self.nat.lock().seen_as(from);
            if self.remote.lock().is_none_or(|remote| remote == from) {
                return Ok((data, from));
            }
        }
    }

    /// Ready when [`UdpSocket::try_recv_from`] is worth a try.
    pub fn poll_receivable(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.queue.poll_ready(cx).is_ready() || self.outside.poll_ready(cx).is_ready() {
            return Poll::Ready(());
        }
        Poll::Pending
    }

    /// Waits for the next datagram.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn recv_from(&self) -> Result<(Bytes, SocketAddr), SocketError> {
        std::future::poll_fn(|cx| {
            loop {
                match self.try_recv_from() {
                    Err(SocketError::WouldBlock) => std::task::ready!(self.poll_receivable(cx)),
                    received => return Poll::Ready(received),
                }
            }
        })
        .await
    }

    /// How many datagrams this socket lost because nobody read them in time.
    pub fn lost(&self) -> u64 {
        self.queue.lost()
    }
}

impl Drop for UdpSocket {
    fn drop(&mut self) {
        self.queue.close();
    }
}

fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Polls once, without a task to wake.
fn noop() -> Context<'static> {
    Context::from_waker(Waker::noop())
}
