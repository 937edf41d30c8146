//! The HTTP clients: one for each set of authorities that registries are believed by.

use std::collections::HashMap;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use parking_lot::Mutex;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::trust::Trust;
use super::{Error, Patience};

/// A redirection more is a loop.
const MAX_REDIRECTS: usize = 5;

/// Makes clients, and keeps them: connections are used again.
#[derive(Debug, Default)]
pub(in crate::image) struct Clients {
    patience: Patience,
    public: OnceLock<Arc<RootCertStore>>,
    /// By the file with the authorities.
    made: Mutex<HashMap<Option<PathBuf>, Made>>,
}

#[derive(Debug)]
struct Made {
    /// When the file was changed, as it was read.
    changed: Option<SystemTime>,
    client: reqwest::Client,
}

impl Clients {
    pub(in crate::image) fn new(patience: Patience) -> Self {
        Self { patience, ..Self::default() }
    }

    pub(super) fn patience(&self) -> Patience {
        self.patience
    }

    /// The client that believes the public authorities and those in `ca_file`. A file that was changed is read again.
    /// Reads files.
    pub(super) fn client(&self, ca_file: Option<&Path>) -> Result<reqwest::Client, Error> {
        let changed = ca_file.and_then(|path| std::fs::metadata(path).and_then(|found| found.modified()).ok());
        let key = ca_file.map(Path::to_owned);
        if let Some(made) = self.made.lock().get(&key).filter(|made| made.changed == changed) {
            return Ok(made.client.clone());
        }
        let client = self.make(ca_file)?;
        self.made.lock().insert(key, Made { changed, client: client.clone() });
        Ok(client)
    }

    fn make(&self, ca_file: Option<&Path>) -> Result<reqwest::Client, Error> {
        let (mut roots, mut named) = ((**self.public.get_or_init(|| Arc::new(public()))).clone(), Vec::new());
        if let Some(path) = ca_file {
            let refused = |reason| Error::Authorities { path: path.display().to_string(), reason };
            named = authorities(path).map_err(refused)?;
            for certificate in &named {
                roots.add(certificate.clone()).map_err(|error| refused(error.to_string()))?;
            }
        }
        let broken = |reason: String| Error::Login { host: "any registry".to_owned(), reason };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let trust = Trust::new(roots, named, provider.clone()).map_err(broken)?;
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| broken(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(trust))
            .with_no_client_auth();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(concat!("sampan/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(self.patience.connect)
            .read_timeout(self.patience.silence)
            .redirect(reqwest::redirect::Policy::custom(redirect))
            .referer(false)
            .http1_only();
        client.build().map_err(|error| broken(super::words(error)))
    }
}

/// Blobs are often elsewhere (the client leaves credentials behind when the host changes); never without the TLS that
/// there was.
fn redirect(attempt: reqwest::redirect::Attempt<'_>) -> reqwest::redirect::Action {
    let from_tls = attempt.previous().last().is_some_and(|url| url.scheme() == "https");
    if attempt.previous().len() > MAX_REDIRECTS {
        attempt.error("the registry redirects without end")
    } else if from_tls && attempt.url().scheme() != "https" {
        attempt.error("the registry redirects from TLS to plain HTTP")
    } else {
        attempt.follow()
    }
}

/// What the system believes; the browsers' authorities where it has no opinion.
fn public() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots
}

/// The certificates in a file.
pub(in crate::image) fn authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let found = CertificateDer::pem_reader_iter(BufReader::new(file)).collect::<Result<Vec<_>, _>>();
    match found {
        Ok(found) if found.is_empty() => Err("there is no certificate in it".to_owned()),
        Ok(found) => Ok(found),
        Err(error) => Err(error.to_string()),
    }
}
