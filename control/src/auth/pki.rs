//! The cluster's own certificate authority, and what it has signed.
//!
//! ```text
//! pki/ca.crt  ca.key        made once, good for ten years; whoever has the key is the cluster
//!     server.crt  .key      for every name the API goes by; made anew when a name is missing
//!     admin.crt   .key      for the kubeconfig
//! ```
//!
//! Leaves are made anew at a start when less than a year of their three is left, so that a device that is
//! restarted now and then never meets the end of one. All certificates are valid from 2020 on: a small device
//! has no clock until it has a network.

mod sign;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use crate::private_file;

use super::certificate::{Facts, Subject};

pub use sign::{Signer, Unfit};

const FIRST_YEAR: i32 = 2020;
const AUTHORITY_YEARS: i32 = 10;
const LEAF_YEARS: i32 = 3;
const RENEW_SECONDS: i64 = 365 * 24 * 3600;

/// Why the certificates are not there.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// The file system refused.
    #[error("cannot use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The authority's files do not make one.
    #[error("{} and ca.key are not a certificate authority ({reason}); restore both, or remove the directory to start with a new one", path.display())]
    Authority {
        /// The certificate.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A certificate could not be made.
    #[error("cannot issue the certificate for {name}")]
    Issue {
        /// For whom.
        name: String,
        /// Why.
        source: rcgen::Error,
    },
}

/// A certificate and its key, as PEM.
#[derive(Clone)]
pub struct Identity {
    /// The certificate.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

/// The authority, and where its files are.
pub struct Pki {
    directory: Option<PathBuf>,
    issuer: Issuer<'static, KeyPair>,
    name: String,
    certificate: String,
}

impl std::fmt::Debug for Pki {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pki").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Pki {
    /// Opens the authority of a directory, or makes it; without a directory it lives as long as the process.
    ///
    /// # Errors
    ///
    /// When the files cannot be read or written, or do not fit together.
    pub fn open(directory: Option<&Path>) -> Result<Self, PkiError> {
        let kept = match directory {
            Some(directory) => read(directory, "ca")?,
            None => None,
        };
        match (kept, directory) {
            (Some(identity), Some(directory)) => Self::load(identity, directory),
            _ => Self::make(directory),
        }
    }

    /// The authority's certificate: what clients must trust.
    pub fn authority(&self) -> &str {
        &self.certificate
    }

    /// The same as DER.
    pub fn authority_der(&self) -> Vec<u8> {
        CertificateDer::from_pem_slice(self.certificate.as_bytes()).map(|der| der.to_vec()).unwrap_or_default()
    }

    /// The server's identity for these names and addresses.
    ///
    /// # Errors
    ///
    /// When it can neither be read nor made.
    pub fn server(&self, names: &[String]) -> Result<Identity, PkiError> {
        let names = names.iter().cloned().collect();
        self.kept("server", &Subject { user: "sampan-server".into(), groups: Vec::new(), names })
    }

    /// A client's identity, kept under a file name. One group is what a certificate of ours can name.
    ///
    /// # Errors
    ///
    /// When it can neither be read nor made.
    pub fn client(&self, file: &str, user: &str, group: &str) -> Result<Identity, PkiError> {
        let groups = vec![group.to_owned()];
        self.kept(file, &Subject { user: user.to_owned(), groups, names: BTreeSet::new() })
    }

    fn load(identity: Identity, directory: &Path) -> Result<Self, PkiError> {
        let damaged = |reason: String| PkiError::Authority { path: directory.join("ca.crt"), reason };
        let key = KeyPair::from_pem(&identity.key).map_err(|e| damaged(format!("the key: {e}")))?;
        let facts = facts(&identity).ok_or_else(|| damaged("no certificate".into()))?;
        if facts.public_key != key.public_key_raw() {
            return Err(damaged("the key is of another certificate".into()));
        }
        let issuer = Issuer::from_ca_cert_pem(&identity.certificate, key).map_err(|e| damaged(e.to_string()))?;
        Ok(Self {
            directory: Some(directory.into()),
            issuer,
            name: facts.subject.user,
            certificate: identity.certificate,
        })
    }

    fn make(directory: Option<&Path>) -> Result<Self, PkiError> {
        // The time makes authorities distinguishable: a certificate names the one that signed it.
        let name = format!("sampan-ca@{}", Timestamp::now().as_second());
        let failed = |source| PkiError::Issue { name: name.clone(), source };
        let key = KeyPair::generate().map_err(failed)?;
        let mut params =
            params(&Subject { user: name.clone(), ..Subject::default() }, AUTHORITY_YEARS).map_err(failed)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages =
            vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).map_err(failed)?.pem();
        let identity = Identity { certificate, key: key.serialize_pem() };
        if let Some(directory) = directory {
            write(directory, "ca", &identity)?;
        }
        Ok(Self {
            directory: directory.map(Into::into),
            issuer: Issuer::new(params, key),
            name,
            certificate: identity.certificate,
        })
    }

    /// The identity of a file while it will do, else a new one.
    fn kept(&self, file: &str, subject: &Subject) -> Result<Identity, PkiError> {
        let Some(directory) = &self.directory else { return self.issue(subject) };
        if let Some(identity) = read(directory, file)?
            && self.will_do(&identity, subject)
        {
            return Ok(identity);
        }
        let identity = self.issue(subject)?;
        write(directory, file, &identity)?;
        Ok(identity)
    }

    fn will_do(&self, identity: &Identity, subject: &Subject) -> bool {
        let (Some(facts), Ok(key)) = (facts(identity), KeyPair::from_pem(&identity.key)) else { return false };
        facts.subject == *subject
            && facts.issuer == self.name
            && facts.not_after - RENEW_SECONDS > Timestamp::now().as_second()
            && facts.public_key == key.public_key_raw()
    }

    fn issue(&self, subject: &Subject) -> Result<Identity, PkiError> {
        let failed = |source| PkiError::Issue { name: subject.user.clone(), source };
        let mut params = params(subject, LEAF_YEARS).map_err(failed)?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let usage = match subject.names.is_empty() {
            true => ExtendedKeyUsagePurpose::ClientAuth,
            false => ExtendedKeyUsagePurpose::ServerAuth,
        };
        params.extended_key_usages = vec![usage];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(failed)?.pem();
        Ok(Identity { certificate, key: key.serialize_pem() })
    }
}

/// The names that a server goes by: the machine's, the one it listens on, and those of the service `kubernetes`.
pub fn server_names(listen: IpAddr, service: IpAddr, cluster_domain: &str, more: &[String]) -> Vec<String> {
    let mut names: Vec<String> =
        ["localhost", "127.0.0.1", "::1", "kubernetes", "kubernetes.default"].map(Into::into).into();
    names.push("kubernetes.default.svc".into());
    names.push(format!("kubernetes.default.svc.{cluster_domain}"));
    names.push(service.to_string());
    if !listen.is_unspecified() {
        names.push(listen.to_string());
    }
    names.extend(more.iter().filter(|n| !n.is_empty()).cloned());
    names.sort_unstable();
    names.dedup();
    names
}

fn params(subject: &Subject, years: i32) -> Result<CertificateParams, rcgen::Error> {
    let names: Vec<String> = subject.names.iter().cloned().collect();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, subject.user.as_str());
    if let [group] = subject.groups.as_slice() {
        params.distinguished_name.push(DnType::OrganizationName, group.as_str());
    }
    let year = Timestamp::now().to_zoned(TimeZone::UTC).year();
    params.not_before = date_time_ymd(FIRST_YEAR, 1, 1);
    params.not_after = date_time_ymd(i32::from(year).max(FIRST_YEAR) + years, 12, 31);
    Ok(params)
}

fn facts(identity: &Identity) -> Option<Facts> {
    Facts::read(&CertificateDer::from_pem_slice(identity.certificate.as_bytes()).ok()?)
}

/// Nothing when neither file is there.
fn read(directory: &Path, name: &str) -> Result<Option<Identity>, PkiError> {
    let [certificate, key] = paths(directory, name).map(|path| match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(PkiError::File { path, source }),
    });
    match (certificate?, key?) {
        (None, None) => Ok(None),
        // One without the other is damage: of a leaf it is repaired, of the authority it is reported.
        (certificate, key) => {
            Ok(Some(Identity { certificate: certificate.unwrap_or_default(), key: key.unwrap_or_default() }))
        }
    }
}

/// The key first: a certificate without its key would look like damage after a crash between the two.
fn write(directory: &Path, name: &str, identity: &Identity) -> Result<(), PkiError> {
    let [certificate, key] = paths(directory, name);
    for (path, text) in [(key, &identity.key), (certificate, &identity.certificate)] {
        private_file::write(&path, text.as_bytes()).map_err(|source| PkiError::File { path, source })?;
    }
    Ok(())
}

fn paths(directory: &Path, name: &str) -> [PathBuf; 2] {
    ["crt", "key"].map(|kind| directory.join(format!("{name}.{kind}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(more: &[&str]) -> Vec<String> {
        let more: Vec<String> = more.iter().map(|&m| m.to_owned()).collect();
        server_names([0, 0, 0, 0].into(), [10, 43, 0, 1].into(), "cluster.local", &more)
    }

    #[test]
    fn files_are_kept_while_they_will_do() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pki");
        let first = Pki::open(Some(&path)).unwrap();
        let server = first.server(&names(&[])).unwrap();
        let admin = first.client("admin", "admin", "system:masters").unwrap();

        let again = Pki::open(Some(&path)).unwrap();
        assert_eq!(again.authority(), first.authority());
        assert_eq!(again.server(&names(&[])).unwrap().certificate, server.certificate);
        assert_eq!(again.client("admin", "admin", "system:masters").unwrap().key, admin.key);
        let renamed = again.server(&names(&["node-a"])).unwrap();
        assert_ne!(renamed.certificate, server.certificate);
        assert!(facts(&renamed).unwrap().subject.names.contains("node-a"));
        assert!(facts(&renamed).unwrap().subject.names.contains("10.43.0.1"));

        fs::remove_file(path.join("server.key")).unwrap();
        assert_ne!(again.server(&names(&["node-a"])).unwrap().certificate, renamed.certificate);
        fs::remove_file(path.join("ca.key")).unwrap();
        let error = Pki::open(Some(&path)).err().unwrap();
        assert!(error.to_string().contains("ca.crt"), "{error}");
    }

    #[test]
    fn leaves_of_another_authority_are_made_anew() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        let first = Pki::open(Some(path)).unwrap();
        let old = first.client("admin", "admin", "g").unwrap();
        let stranger = Pki { name: "sampan-ca@0".into(), ..first };
        assert_ne!(stranger.client("admin", "admin", "g").unwrap().certificate, old.certificate);
    }

    #[cfg(unix)]
    #[test]
    fn keys_are_for_the_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        Pki::open(Some(directory.path())).unwrap();
        let mode = fs::metadata(directory.path().join("ca.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_certificate_names_a_caller() {
        let pki = Pki::open(None).unwrap();
        let identity = pki.client("x", "system:node:a", "system:nodes").unwrap();
        let caller = facts(&identity).unwrap().into_caller();
        assert_eq!(caller.user, "system:node:a");
        assert_eq!(caller.groups, ["system:nodes", "system:authenticated"]);
        let (name, values) = &caller.extra[0];
        assert_eq!(name, "authentication.kubernetes.io/credential-id");
        assert!(values[0].strip_prefix("X509SHA256=").is_some_and(|digits| digits.len() == 64), "{values:?}");
    }
}
