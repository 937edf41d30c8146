//! The administrator's kubeconfig, as far as a client needs it: where the API is, whom to trust, who one is.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;

/// The way to an API.
#[derive(Clone)]
pub struct Access {
    /// Where it listens.
    pub address: SocketAddr,
    /// With the client's certificate.
    pub tls: Arc<ClientConfig>,
}

impl Access {
    /// From a kubeconfig with inline data.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        let config: Value = serde_yaml::from_str(&text)?;
        let (cluster, user) = (&config["clusters"][0]["cluster"], &config["users"][0]["user"]);
        let server = cluster["server"].as_str().context("no server in the kubeconfig")?;
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&inline(cluster, "certificate-authority-data")?)?)?;
        let certificate = CertificateDer::from_pem_slice(&inline(user, "client-certificate-data")?)?;
        let key = PrivateKeyDer::from_pem_slice(&inline(user, "client-key-data")?)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![certificate], key)?;
        let address = server.strip_prefix("https://").context("the server's URL")?.parse()?;
        Ok(Self { address, tls: Arc::new(tls) })
    }
}

fn inline(section: &Value, field: &str) -> anyhow::Result<Vec<u8>> {
    let text = section[field].as_str().with_context(|| format!("no {field} in the kubeconfig"))?;
    STANDARD.decode(text).with_context(|| format!("{field} is not base64"))
}
