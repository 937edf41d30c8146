//! The other side: a connection for each request, which lasts as long as its answer.

use std::net::SocketAddr;
use std::sync::Arc;

use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio_rustls::TlsConnector;

use crate::http::Body;
use crate::webhook::{Client, Connection, DialError};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    /// No connection.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// TLS cannot be set up.
    #[error("cannot set up TLS: {0}")]
    Tls(#[source] rustls::Error),
    /// It broke before there was an answer.
    #[error("{0}")]
    Exchange(#[source] hyper::Error),
}

/// Sends a request there.
pub async fn send(
    dialer: &Client,
    address: SocketAddr,
    tls: bool,
    request: Request<Body>,
) -> Result<Response<Body>, BackendError> {
    let stream = dialer.dial(address).await?;
    let stream = if tls { encrypted(stream, address).await? } else { stream };
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(BackendError::Exchange)?;
    // Ends with the answer's body, with an upgrade, or when nobody waits for either any more.
    tokio::spawn(connection.with_upgrades());
    let response = sender.send_request(request).await.map_err(BackendError::Exchange)?;
    Ok(response.map(|body| body.map_err(Into::into).boxed_unsync()))
}

async fn encrypted(stream: Box<dyn Connection>, address: SocketAddr) -> Result<Box<dyn Connection>, BackendError> {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(BackendError::Tls)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyServer(provider)))
        .with_no_client_auth();
    let name = ServerName::from(address.ip());
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(DialError::Handshake)?;
    Ok(Box::new(stream))
}

/// Takes any certificate: a pod is known by its address, which is within this process.
#[derive(Debug)]
struct AnyServer(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertifiedKey, generate_simple_self_signed};
    use rustls::ServerConfig;
    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    use super::*;
    use crate::http::respond;
    use crate::store::{Config, Store};

    /// Serves one request, with a certificate that nobody signed and for another name.
    async fn serve_once(listener: TcpListener) -> std::io::Result<()> {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["elsewhere.example".to_owned()]).expect("a certificate");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .expect("a usable certificate");
        let (stream, _) = listener.accept().await?;
        let mut stream = TlsAcceptor::from(Arc::new(config)).accept(stream).await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        assert!(head.starts_with(b"GET /metrics HTTP/1.1\r\n"), "{}", String::from_utf8_lossy(&head));
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").await
    }

    async fn asked(tls: bool) -> Result<Response<Body>, BackendError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let server = tokio::spawn(serve_once(listener));
        let dialer = Client::new(Store::open(Config::default()).expect("a store"));
        let request = Request::get("/metrics").header("host", "pod").body(respond::full("")).expect("a request");
        let answer = send(&dialer, address, tls, request).await;
        // Without TLS its handshake fails, which is what is tested.
        let _ = server.await.expect("it did not panic");
        answer
    }

    #[tokio::test]
    async fn https_takes_any_certificate() {
        let answer = asked(true).await.expect("an answer");
        assert_eq!(answer.into_body().collect().await.expect("a body").to_bytes(), "hello");
    }

    #[tokio::test]
    async fn http_does_not_speak_to_a_server_of_https() {
        assert!(asked(false).await.is_err());
    }
}
