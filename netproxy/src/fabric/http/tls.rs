//! TLS of the guests' own requests.

use std::io;
use std::sync::{Arc, OnceLock};

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::fabric::Fabric;
use crate::fabric::stream::Stream;

/// Made at the first use: the roots take memory that a device without such requests need not spend.
#[derive(Default)]
pub(in crate::fabric) struct Tls(OnceLock<Result<Arc<ClientConfig>, rustls::Error>>);

impl Fabric {
    /// What TLS clients among the guests trust: the public authorities and the configured ones.
    ///
    /// # Errors
    /// A configured authority that is no certificate.
    pub fn client_tls(&self) -> Result<Arc<ClientConfig>, rustls::Error> {
        self.0.tls.0.get_or_init(|| configure(&self.config().trusted)).clone()
    }

    /// Shakes hands as a client of `name`.
    pub(super) async fn tls(&self, name: &str, stream: Stream) -> io::Result<TlsStream<Stream>> {
        let bare = name.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(bare).map_err(io::Error::other)?;
        let config = self.client_tls().map_err(io::Error::other)?;
        TlsConnector::from(config).connect(name, stream).await
    }
}

fn configure(trusted: &[Vec<u8>]) -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for authority in trusted {
        roots.add(CertificateDer::from(authority.as_slice()))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}
