//! A bound TCP socket: on its way to listen, or to connect from a port of its choice.

use std::net::SocketAddr;

use super::Fabric;
use super::backlog::{Backlog, Listener, Place};
use super::connect::{Caller, canonical};
use super::error::SocketError;
use super::pod::{Lease, TcpSlot};
use super::stream::Stream;

/// A port of a pod that is bound and does nothing yet; dropping it frees the port.
#[derive(Debug)]
pub struct TcpBinding {
    pub(super) fabric: Fabric,
    pub(super) lease: Lease,
}

impl TcpBinding {
    /// The address it is bound at, with the port that was found for port 0.
    pub fn local_addr(&self) -> SocketAddr {
        self.lease.local
    }

    /// Takes connections from now on; `backlog` of them wait at most, further ones wait for room.
    pub fn listen(self, backlog: usize) -> Result<Listener, SocketError> {
        let backlog = Backlog::new(backlog);
        self.lease.become_slot(TcpSlot::Listening(backlog.clone()))?;
        Ok(Listener { backlog, place: Place::Pod(self.lease) })
    }

    /// Connects from this port, which is free again when that fails or the stream is dropped. The future owns all
    /// that it needs.
    pub async fn connect(self, remote: SocketAddr) -> Result<Stream, SocketError> {
        let to = canonical(remote);
        let pod = self.lease.pod.clone();
        let caller = Caller::bound(self.lease, to.ip())?;
        self.fabric.connect(Some(&pod), caller, to).await
    }
}
