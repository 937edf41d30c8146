//! What went wrong, in WASI's words.

use std::io::ErrorKind;

use netproxy::fabric::{ResolveError, SocketError};
use wasmtime::component::ResourceTableError;

use super::bindings::wasi::sockets::network::ErrorCode;

/// An error code for the guest, or a trap when it broke the rules of the interface.
#[derive(Debug)]
pub enum Failure {
    Code(ErrorCode),
    Trap(wasmtime::Error),
}

impl Failure {
    pub(super) fn trap(message: &'static str) -> Failure {
        Failure::Trap(wasmtime::Error::msg(message))
    }

    pub(super) fn code(self) -> wasmtime::Result<ErrorCode> {
        match self {
            Failure::Code(code) => Ok(code),
            Failure::Trap(error) => Err(error),
        }
    }
}

impl From<ErrorCode> for Failure {
    fn from(code: ErrorCode) -> Failure {
        Failure::Code(code)
    }
}

impl From<ResourceTableError> for Failure {
    fn from(error: ResourceTableError) -> Failure {
        match error {
            ResourceTableError::Full => Failure::Code(ErrorCode::NewSocketLimit),
            error => Failure::Trap(error.into()),
        }
    }
}

impl From<SocketError> for Failure {
    fn from(error: SocketError) -> Failure {
        Failure::Code(match error {
            SocketError::AddressInUse => ErrorCode::AddressInUse,
            SocketError::AddressNotBindable => ErrorCode::AddressNotBindable,
            SocketError::ConnectionRefused => ErrorCode::ConnectionRefused,
            SocketError::ConnectionReset => ErrorCode::ConnectionReset,
            SocketError::ConnectionAborted => ErrorCode::ConnectionAborted,
            SocketError::HostUnreachable => ErrorCode::RemoteUnreachable,
            SocketError::Timeout => ErrorCode::Timeout,
            SocketError::InvalidState => ErrorCode::InvalidState,
            SocketError::InvalidArgument => ErrorCode::InvalidArgument,
            SocketError::LimitReached => ErrorCode::NewSocketLimit,
            SocketError::WouldBlock => ErrorCode::WouldBlock,
            SocketError::DatagramTooLarge => ErrorCode::DatagramTooLarge,
            SocketError::Other(error) => of_kind(error.kind()),
        })
    }
}

impl From<ResolveError> for Failure {
    fn from(error: ResolveError) -> Failure {
        Failure::Code(match error {
            ResolveError::InvalidName => ErrorCode::InvalidArgument,
            ResolveError::NotFound | ResolveError::NoData => ErrorCode::NameUnresolvable,
            ResolveError::Temporary => ErrorCode::TemporaryResolverFailure,
            ResolveError::Permanent => ErrorCode::PermanentResolverFailure,
        })
    }
}

pub(super) fn of_kind(kind: ErrorKind) -> ErrorCode {
    match kind {
        ErrorKind::AddrInUse => ErrorCode::AddressInUse,
        ErrorKind::AddrNotAvailable => ErrorCode::AddressNotBindable,
        ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => ErrorCode::ConnectionReset,
        ErrorKind::ConnectionAborted => ErrorCode::ConnectionAborted,
        ErrorKind::ConnectionRefused => ErrorCode::ConnectionRefused,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => {
            ErrorCode::RemoteUnreachable
        }
        ErrorKind::InvalidInput => ErrorCode::InvalidArgument,
        ErrorKind::NotConnected => ErrorCode::InvalidState,
        ErrorKind::OutOfMemory => ErrorCode::OutOfMemory,
        ErrorKind::PermissionDenied => ErrorCode::AccessDenied,
        ErrorKind::TimedOut => ErrorCode::Timeout,
        ErrorKind::Unsupported => ErrorCode::NotSupported,
        ErrorKind::WouldBlock => ErrorCode::WouldBlock,
        _ => ErrorCode::Unknown,
    }
}
