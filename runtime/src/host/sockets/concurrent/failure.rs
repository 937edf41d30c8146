//! What went wrong, in the words of WASI 0.3.

use std::io::{self, ErrorKind};

use netproxy::fabric::{ResolveError, SocketError};
use wasmtime::component::ResourceTableError;

use super::bindings::wasi::sockets::ip_name_lookup::ErrorCode as LookupError;
use super::bindings::wasi::sockets::types::ErrorCode;

/// An error code for the guest, or a trap when it broke the rules of the interface.
#[derive(Debug)]
pub enum Failure {
    Code(ErrorCode),
    Trap(wasmtime::Error),
}

impl Failure {
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

impl From<wasmtime::Error> for Failure {
    fn from(error: wasmtime::Error) -> Failure {
        Failure::Trap(error)
    }
}

impl From<ResourceTableError> for Failure {
    fn from(error: ResourceTableError) -> Failure {
        match error {
            ResourceTableError::Full => Failure::Code(ErrorCode::OutOfMemory),
            error => Failure::Trap(error.into()),
        }
    }
}

impl From<SocketError> for Failure {
    fn from(error: SocketError) -> Failure {
        Failure::Code(of_socket(error))
    }
}

pub(super) fn of_socket(error: SocketError) -> ErrorCode {
    match error {
        SocketError::AddressInUse => ErrorCode::AddressInUse,
        SocketError::AddressNotBindable => ErrorCode::AddressNotBindable,
        SocketError::ConnectionRefused => ErrorCode::ConnectionRefused,
        SocketError::ConnectionReset => ErrorCode::ConnectionReset,
        SocketError::ConnectionAborted => ErrorCode::ConnectionAborted,
        SocketError::HostUnreachable => ErrorCode::RemoteUnreachable,
        SocketError::Timeout => ErrorCode::Timeout,
        SocketError::InvalidState => ErrorCode::InvalidState,
        SocketError::InvalidArgument => ErrorCode::InvalidArgument,
        SocketError::LimitReached => ErrorCode::Other(Some("the pod has as many sockets as it may have".into())),
        SocketError::WouldBlock => ErrorCode::Other(Some("the operation would block".into())),
        SocketError::DatagramTooLarge => ErrorCode::DatagramTooLarge,
        SocketError::Other(error) => of_io(&error),
    }
}

pub(super) fn of_io(error: &io::Error) -> ErrorCode {
    match error.kind() {
        ErrorKind::AddrInUse => ErrorCode::AddressInUse,
        ErrorKind::AddrNotAvailable => ErrorCode::AddressNotBindable,
        ErrorKind::BrokenPipe => ErrorCode::ConnectionBroken,
        ErrorKind::ConnectionReset => ErrorCode::ConnectionReset,
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
        _ => ErrorCode::Other(Some(error.to_string())),
    }
}

pub(super) fn of_lookup(error: ResolveError) -> LookupError {
    match error {
        ResolveError::InvalidName => LookupError::InvalidArgument,
        ResolveError::NotFound | ResolveError::NoData => LookupError::NameUnresolvable,
        ResolveError::Temporary => LookupError::TemporaryResolverFailure,
        ResolveError::Permanent => LookupError::PermanentResolverFailure,
    }
}
