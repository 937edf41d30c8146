//! The handshake, and who showed which certificate in it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::auth::{Identity, Peer, Pki};

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The server's certificate or key is no PEM.
    #[error("cannot read the server's certificate or key")]
    Pem(#[source] rustls::pki_types::pem::Error),
    /// The authorities of clients cannot be read.
    #[error("cannot read the authorities of clients in {}", path.display())]
    Clients {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rustls::pki_types::pem::Error,
    },
    /// They are refused.
    #[error("cannot serve with the server's certificate")]
    Config(#[source] rustls::Error),
    /// The authority cannot be used to verify clients.
    #[error("cannot verify clients with the cluster's authority")]
    Verifier(#[source] rustls::server::VerifierBuilderError),
}

/// Everything a handshake needs.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    clients: Arc<dyn ClientCertVerifier>,
}

impl Tls {
    /// For a server with this identity, whose clients have certificates of the cluster's authority or of those in a file (PEM),
    /// or none.
    ///
    /// # Errors
    ///
    /// When the certificates cannot be used.
    pub fn new(pki: &Pki, identity: &Identity, clients: Option<&Path>) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(certificate(pki.authority())?).map_err(TlsError::Config)?;
        if let Some(path) = clients {
            trust(path, &mut roots)?;
        }
        let clients = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone())
            .allow_unauthenticated()
            .build()
            .map_err(TlsError::Verifier)?;
        let config = config(provider, clients.clone(), identity)?;
        Ok(Self { acceptor: Arc::new(config).into(), clients })
    }

    pub(super) async fn accept<IO>(&self, io: IO) -> io::Result<(TlsStream<IO>, Peer)>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let stream = self.acceptor.accept(io).await?;
        let peer = match stream.get_ref().1.peer_certificates() {
            Some([own, chain @ ..]) => self.peer(own, chain),
            _ => Peer::Unnamed,
        };
        Ok((stream, peer))
    }

    fn peer(&self, own: &CertificateDer<'_>, chain: &[CertificateDer<'_>]) -> Peer {
        match self.clients.verify_client_cert(own, chain, UnixTime::now()) {
            Ok(_) => Peer::of_certificate(own),
            Err(error) => {
                tracing::debug!(%error, "untrusted client certificate");
                Peer::Untrusted
            }
        }
    }
}

/// Adds the authorities of a file.
fn trust(path: &Path, roots: &mut RootCertStore) -> Result<(), TlsError> {
    let unreadable = |source| TlsError::Clients { path: path.into(), source };
    let before = roots.len();
    for certificate in CertificateDer::pem_file_iter(path).map_err(unreadable)? {
        roots.add(certificate.map_err(unreadable)?).map_err(TlsError::Config)?;
    }
    if roots.len() == before {
        return Err(unreadable(rustls::pki_types::pem::Error::NoItemsFound));
    }
    Ok(())
}

fn certificate(pem: &str) -> Result<CertificateDer<'static>, TlsError> {
    CertificateDer::from_pem_slice(pem.as_bytes()).map_err(TlsError::Pem)
}

fn config(
    provider: Arc<CryptoProvider>,
    clients: Arc<dyn ClientCertVerifier>,
    identity: &Identity,
) -> Result<ServerConfig, TlsError> {
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).map_err(TlsError::Pem)?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Config)?
        .with_client_cert_verifier(Arc::new(AnyOwner(clients)))
        .with_single_cert(vec![certificate(&identity.certificate)?], key)
        .map_err(TlsError::Config)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// Lets everybody finish the handshake who owns the certificate that he shows, whoever signed it.
///
/// Kubernetes answers bad credentials with a 401 that clients can explain, and a good token makes up for a
/// stranger's certificate; a failed handshake could do neither. Whether the certificate counts is decided in
/// [`Tls::peer`].
#[derive(Debug)]
struct AnyOwner(Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for AnyOwner {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        _own: &CertificateDer<'_>,
        _chain: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
