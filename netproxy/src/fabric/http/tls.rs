//! TLS of the guests' own requests to the world outside.

use std::io;
use std::sync::{Arc, LazyLock};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::fabric::stream::Stream;

/// Made at the first use: the roots take memory that a device without such requests need not spend.
static CONFIG: LazyLock<Result<Arc<ClientConfig>, rustls::Error>> = LazyLock::new(|| {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
});

pub(super) async fn connect(name: &str, stream: Stream) -> io::Result<TlsStream<Stream>> {
    let bare = name.trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(bare).map_err(io::Error::other)?;
    let config = CONFIG.as_ref().map_err(|error| io::Error::other(error.clone()))?;
    TlsConnector::from(config.clone()).connect(name, stream).await
}
