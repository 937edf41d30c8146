//! The host's sockets behind a pod's socket, one a family, opened when first needed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::OnceLock;
use std::task::{Context, Poll};

use bytes::Bytes;
use rustix::net::SendFlags;
use tokio::net::UdpSocket;

use super::{MAX_DATAGRAM, noop};
use crate::fabric::error::SocketError;
use crate::fabric::pod::OutsideLease;

#[derive(Debug, Default)]
pub(super) struct Outside {
    four: OnceLock<(UdpSocket, OutsideLease)>,
    six: OnceLock<(UdpSocket, OutsideLease)>,
}

impl Outside {
    /// Sends; `lease` is for the socket, where there is none yet.
    pub fn send(
        &self,
        data: &[u8],
        to: SocketAddr,
        lease: impl FnOnce() -> Result<OutsideLease, SocketError>,
    ) -> Result<(), SocketError> {
        let socket = self.socket(to, lease)?;
        // Not tokio's `try_send_to`: a socket as young as this has no readiness yet, though it can send.
        match rustix::net::sendto(socket, data, SendFlags::DONTWAIT | SendFlags::NOSIGNAL, &to) {
            Err(rustix::io::Errno::MSGSIZE) => Err(SocketError::DatagramTooLarge),
            // Lost, as a network loses them.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn socket(
        &self,
        to: SocketAddr,
        lease: impl FnOnce() -> Result<OutsideLease, SocketError>,
    ) -> Result<&UdpSocket, SocketError> {
        let (cell, any): (_, IpAddr) = match to {
            SocketAddr::V4(_) => (&self.four, Ipv4Addr::UNSPECIFIED.into()),
            SocketAddr::V6(_) => (&self.six, Ipv6Addr::UNSPECIFIED.into()),
        };
        if let Some((socket, _)) = cell.get() {
            return Ok(socket);
        }
        let lease = lease()?;
        let socket = std::net::UdpSocket::bind(SocketAddr::new(any, 0))?;
        socket.set_nonblocking(true)?;
        let socket = UdpSocket::from_std(socket)?;
        Ok(&cell.get_or_init(|| (socket, lease)).0)
    }

    pub fn receive(&self) -> Result<(Bytes, SocketAddr), SocketError> {
        for (socket, _) in [&self.four, &self.six].into_iter().filter_map(OnceLock::get) {
            while socket.poll_recv_ready(&mut noop()).is_ready() {
                let mut buffer = Vec::with_capacity(MAX_DATAGRAM);
                match socket.try_recv_buf_from(&mut buffer) {
                    // The host's loopback is no more a pod's peer than its goal.
                    Ok((_, from)) if from.ip().to_canonical().is_loopback() => {}
                    Ok((_, from)) => return Ok((Bytes::copy_from_slice(&buffer), from)),
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                    // An ICMP error of an earlier send.
                    Err(_) => {}
                }
            }
        }
        Err(SocketError::WouldBlock)
    }

    pub fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        for (socket, _) in [&self.four, &self.six].into_iter().filter_map(OnceLock::get) {
            if socket.poll_recv_ready(cx).is_ready() {
                return Poll::Ready(());
            }
        }
        Poll::Pending
    }
}
