//! From a place to a connection: resolve, dial, shake hands.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection as Connects};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower::Service;

use super::endpoint::{self, Behind, ServiceError};
use super::target::Place;
use crate::store::Store;

/// A stream of bytes to a server.
pub trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

/// The way to an address: pods are on a network within this process, and the host's sockets do not lead there.
pub type Dialer = Arc<dyn Fn(SocketAddr) -> BoxFuture<'static, io::Result<Box<dyn Connection>>> + Send + Sync>;

/// Why there is no connection, in the words of Go.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The service leads nowhere.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The name has no address.
    #[error("dial tcp: lookup {0}: no such host")]
    Lookup(String),
    /// The address does not answer.
    #[error("dial tcp {address}: connect: {}", words(source))]
    Connect {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The name is none that a certificate could have.
    #[error("{0:?} is no name of a server")]
    Name(String),
    /// The handshake failed.
    #[error("{}", handshake(.0))]
    Handshake(#[source] io::Error),
}

fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::HostUnreachable => "no route to host".to_owned(),
        io::ErrorKind::TimedOut => "connection timed out".to_owned(),
        _ => error.to_string(),
    }
}

fn handshake(error: &io::Error) -> String {
    use rustls::{CertificateError, Error};
    let inner = error.get_ref().and_then(|e| e.downcast_ref::<Error>());
    match inner {
        Some(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
            "tls: failed to verify certificate: x509: certificate signed by unknown authority".to_owned()
        }
        Some(Error::InvalidCertificate(why)) => format!("tls: failed to verify certificate: x509: {why}"),
        Some(Error::InvalidMessage(_)) => "http: server gave HTTP response to HTTPS client".to_owned(),
        _ => error.to_string(),
    }
}

/// Sockets of the host.
pub fn direct() -> Dialer {
    Arc::new(|address| {
        let dial = async move {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as Box<dyn Connection>)
        };
        dial.boxed()
    })
}

/// Connects to one place.
#[derive(Clone)]
pub struct Connector {
    store: Store,
    dialer: Dialer,
    place: Place,
    tls: TlsConnector,
}

impl Connector {
    pub fn new(store: Store, dialer: Dialer, place: Place, tls: TlsConnector) -> Self {
        Self { store, dialer, place, tls }
    }

    async fn connect(self) -> Result<Transport, DialError> {
        let name = self.place.server_name();
        let server = ServerName::try_from(name.clone()).map_err(|_| DialError::Name(name))?;
        let addresses = match &self.place {
            Place::Host { port, .. } => lookup(&self.place.server_name(), *port).await?,
            Place::Service { namespace, name, port } => match endpoint::find(&self.store, namespace, name, *port)? {
                Behind::Endpoint(address) => vec![address],
                Behind::Name(name, port) => lookup(&name, port).await?,
            },
        };
        let stream = self.dial(&addresses).await?;
        let stream = self.tls.connect(server, stream).await.map_err(DialError::Handshake)?;
        Ok(Transport(TokioIo::new(stream)))
    }

    /// The first address that answers.
    async fn dial(&self, addresses: &[SocketAddr]) -> Result<Box<dyn Connection>, DialError> {
        let mut last = DialError::Lookup(self.place.server_name());
        for address in addresses {
            match (self.dialer)(*address).await {
                Ok(stream) => return Ok(stream),
                Err(source) => last = DialError::Connect { address: *address, source },
            }
        }
        Err(last)
    }
}

async fn lookup(name: &str, port: u16) -> Result<Vec<SocketAddr>, DialError> {
    let found = tokio::net::lookup_host((name, port)).await;
    found.map(Iterator::collect).map_err(|_| DialError::Lookup(name.to_owned()))
}

impl Service<Uri> for Connector {
    type Response = Transport;
    type Error = DialError;
    type Future = BoxFuture<'static, Result<Transport, DialError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    /// The place is known already; the URI only repeats it.
    fn call(&mut self, _: Uri) -> Self::Future {
        self.clone().connect().boxed()
    }
}

/// An encrypted connection, as hyper wants it.
pub struct Transport(TokioIo<TlsStream<Box<dyn Connection>>>);

impl Connects for Transport {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Transport {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl Write for Transport {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
