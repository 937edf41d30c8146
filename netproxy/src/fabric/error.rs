//! What can go wrong on the wire, in the words a guest understands.
//!
//! [`SocketError`] has one variant for each `error-code` of `wasi:sockets` that the fabric can cause, so that the
//! adapter above is a plain `match`. The other errors wrap it with what only their caller knew.

use std::io;
use std::net::{IpAddr, SocketAddr};

use thiserror::Error;

/// Why a socket operation failed.
#[derive(Debug, Error)]
pub enum SocketError {
    /// Another binding of this pod holds the port.
    #[error("address already in use")]
    AddressInUse,
    /// The address does not belong to this pod.
    #[error("cannot assign requested address")]
    AddressNotBindable,
    /// The address lives, and nobody listens at the port.
    #[error("connection refused")]
    ConnectionRefused,
    /// The other side is gone, with bytes under way.
    #[error("connection reset by peer")]
    ConnectionReset,
    /// This side was closed underneath its user, most often because the pod went.
    #[error("connection aborted")]
    ConnectionAborted,
    /// No pod has the address, or policy forbids it.
    #[error("host unreachable")]
    HostUnreachable,
    /// Nobody answered in time.
    #[error("timed out")]
    Timeout,
    /// The socket is not in the state for this.
    #[error("invalid state")]
    InvalidState,
    /// The address makes no sense here.
    #[error("invalid argument")]
    InvalidArgument,
    /// The pod has as many sockets, connections or ports as it may have.
    #[error("limit of the pod's sockets reached")]
    LimitReached,
    /// Nothing to do now; wait for readiness.
    #[error("would block")]
    WouldBlock,
    /// More than a datagram holds.
    #[error("message too long")]
    DatagramTooLarge,
    /// The host's own network stack said something else.
    #[error(transparent)]
    Other(io::Error),
}

impl From<io::Error> for SocketError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::AddrInUse => Self::AddressInUse,
            io::ErrorKind::AddrNotAvailable => Self::AddressNotBindable,
            io::ErrorKind::ConnectionRefused => Self::ConnectionRefused,
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Self::ConnectionReset,
            io::ErrorKind::ConnectionAborted => Self::ConnectionAborted,
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown => {
                Self::HostUnreachable
            }
            io::ErrorKind::TimedOut => Self::Timeout,
            io::ErrorKind::NotConnected => Self::InvalidState,
            io::ErrorKind::InvalidInput => Self::InvalidArgument,
            io::ErrorKind::WouldBlock => Self::WouldBlock,
            _ => Self::Other(error),
        }
    }
}

impl From<SocketError> for io::Error {
    fn from(error: SocketError) -> Self {
        let kind = match error {
            SocketError::AddressInUse => io::ErrorKind::AddrInUse,
            SocketError::AddressNotBindable => io::ErrorKind::AddrNotAvailable,
            SocketError::ConnectionRefused => io::ErrorKind::ConnectionRefused,
            SocketError::ConnectionReset => io::ErrorKind::ConnectionReset,
            SocketError::ConnectionAborted => io::ErrorKind::ConnectionAborted,
            SocketError::HostUnreachable => io::ErrorKind::HostUnreachable,
            SocketError::Timeout => io::ErrorKind::TimedOut,
            SocketError::InvalidState => io::ErrorKind::NotConnected,
            SocketError::InvalidArgument | SocketError::DatagramTooLarge => io::ErrorKind::InvalidInput,
            SocketError::LimitReached => io::ErrorKind::QuotaExceeded,
            SocketError::WouldBlock => return io::ErrorKind::WouldBlock.into(),
            SocketError::Other(error) => return error,
        };
        io::Error::new(kind, error)
    }
}

impl SocketError {
    /// Whether nothing reached the other side, so that another endpoint of the same service may be tried.
    pub(crate) fn nothing_sent(&self) -> bool {
        matches!(self, Self::ConnectionRefused | Self::HostUnreachable | Self::Timeout)
    }
}

/// A pod could not be plugged in.
#[derive(Debug, Error)]
pub enum AttachError {
    /// Another live pod has the address.
    #[error("the address {0} belongs to another pod")]
    AddressInUse(IpAddr),
    /// Loopback, multicast or unspecified.
    #[error("{0} cannot be the address of a pod")]
    NotAPodAddress(IpAddr),
}

/// A connection from the host could not be made.
#[derive(Debug, Error)]
#[error("dial {to}: {source}")]
pub struct DialError {
    /// Where to.
    pub to: SocketAddr,
    /// Why not.
    pub source: SocketError,
}

/// A name did not become addresses.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ResolveError {
    /// Nobody could have this name.
    #[error("invalid name")]
    InvalidName,
    /// There is no such name (NXDOMAIN).
    #[error("name does not exist")]
    NotFound,
    /// The name exists, and has no address.
    #[error("name has no address")]
    NoData,
    /// The resolver of the host did not answer; a later try may succeed.
    #[error("temporary failure in name resolution")]
    Temporary,
    /// The resolver of the host refused for good.
    #[error("permanent failure in name resolution")]
    Permanent,
}

/// An HTTP request brought no response.
#[derive(Debug, Error)]
pub enum RequestError {
    /// The authority or the request made no sense.
    #[error("invalid request: {0}")]
    Invalid(&'static str),
    /// The name of the authority did not resolve.
    #[error("resolve {name}: {source}")]
    Resolve {
        /// The host part of the authority.
        name: String,
        /// Why not.
        source: ResolveError,
    },
    /// The service has no endpoint that is ready.
    #[error("no endpoint is ready")]
    NoEndpoints,
    /// No connection was made.
    #[error("connect {to}: {source}")]
    Connect {
        /// Where to.
        to: SocketAddr,
        /// Why not.
        source: SocketError,
    },
    /// The TLS handshake failed.
    #[error("TLS handshake with {name}: {source}")]
    Tls {
        /// The server's name.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// The handler went away before it answered.
    #[error("the handler at {0} is gone")]
    Gone(SocketAddr),
    /// The exchange broke before the head of the response was there.
    #[error("HTTP exchange with {to}: {source}")]
    Exchange {
        /// Where to.
        to: SocketAddr,
        /// Why.
        source: hyper::Error,
    },
}
