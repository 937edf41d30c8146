//! Which certificates a webhook's server may show.
//!
//! A bundle often holds nothing but the server's own certificate, and that one often says of itself that it is an authority:
//! Go's verifier takes it, and so must this one. Who is in the bundle word for word needs nobody to vouch for it.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_rustls::TlsConnector;

/// Why a bundle cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// There is no certificate in it.
    #[error("unable to load root certificates: unable to parse bytes as PEM block")]
    Pem,
    /// A certificate in it is none.
    #[error("unable to load root certificates: {0}")]
    Certificate(#[source] Error),
    /// The verifier refuses it.
    #[error("unable to load root certificates: {0}")]
    Verifier(#[source] rustls::client::VerifierBuilderError),
    /// TLS refuses the settings.
    #[error("cannot set up TLS: {0}")]
    Settings(#[source] Error),
}

/// TLS that trusts the authorities of `bundle` (PEM), or where it is empty the public ones.
pub fn connector(bundle: &[u8]) -> Result<TlsConnector, TrustError> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Verifier::new(bundle, &provider)?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TrustError::Settings)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(Arc::new(config).into())
}

#[derive(Debug)]
struct Verifier {
    web: Arc<WebPkiServerVerifier>,
    /// The certificates of the bundle, word for word.
    pinned: Vec<CertificateDer<'static>>,
}

impl Verifier {
    fn new(bundle: &[u8], provider: &Arc<CryptoProvider>) -> Result<Self, TrustError> {
        let pinned: Vec<_> = CertificateDer::pem_slice_iter(bundle).filter_map(Result::ok).collect();
        let mut roots = RootCertStore::empty();
        match (bundle.is_empty(), pinned.is_empty()) {
            (true, _) => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            (false, true) => return Err(TrustError::Pem),
            (false, false) => {
                pinned.iter().try_for_each(|c| roots.add(c.clone())).map_err(TrustError::Certificate)?;
            }
        }
        let web = WebPkiServerVerifier::builder_with_provider(roots.into(), provider.clone());
        Ok(Self { web: web.build().map_err(TrustError::Verifier)?, pinned })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.web.verify_server_cert(leaf, intermediates, name, ocsp, now);
        match verified {
            Err(refused) if !self.pinned.iter().any(|c| c == leaf) => Err(refused),
            Err(_) => {
                verify_server_name(&ParsedCertificate::try_from(leaf)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.web.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.web.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.web.supported_verify_schemes()
    }
}
