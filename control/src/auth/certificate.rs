//! What a certificate says.

use std::collections::BTreeSet;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::CertificateSigningRequestDer;
use rustls_pki_types::pem::PemObject as _;
use sha2::{Digest, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

use super::{CREDENTIAL_ID, Caller};

/// Whom a certificate is for. `O` are the groups and `CN` the user, as Kubernetes has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) user: String,
    pub(super) groups: Vec<String>,
    /// Host names and addresses that a server goes by.
    pub(super) names: BTreeSet<String>,
}

/// The facts that decide whether a certificate will still do.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) subject: Subject,
    /// The common name of the authority.
    pub(super) issuer: String,
    /// Seconds since 1970.
    pub(super) not_after: i64,
    /// As in the key pair.
    pub(super) public_key: Vec<u8>,
    /// SHA-256 of the whole, in hexadecimal digits: tells audit logs which certificate it was.
    fingerprint: String,
}

impl Facts {
    /// Reads DER; nothing when it cannot be understood.
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let alternatives = certificate.subject_alternative_name().ok().flatten();
        let names = alternatives.iter().flat_map(|e| &e.value.general_names).filter_map(name).collect();
        let subject = certificate.subject();
        Some(Self {
            subject: Subject {
                user: common_name(subject)?,
                groups: texts(subject.iter_organization()).collect(),
                names,
            },
            issuer: common_name(certificate.issuer())?,
            not_after: certificate.validity().not_after.timestamp(),
            public_key: certificate.public_key().subject_public_key.data.to_vec(),
            fingerprint: format!("{:x}", Sha256::digest(der)),
        })
    }

    /// The owner as a caller, if the certificate has been verified.
    pub(super) fn into_caller(self) -> Caller {
        let id = format!("X509SHA256={}", self.fingerprint);
        let extra = vec![(CREDENTIAL_ID.to_owned(), vec![id])];
        Caller { extra, ..Caller::authenticated(&self.subject.user, self.subject.groups) }
    }
}

/// The groups that a certificate request (PEM in base64) asks for; none where it cannot be read.
pub fn request_organizations(request: &str) -> Vec<String> {
    let pem = STANDARD.decode(request).unwrap_or_default();
    let Ok(der) = CertificateSigningRequestDer::from_pem_slice(&pem) else { return Vec::new() };
    let Ok((_, request)) = X509CertificationRequest::from_der(&der) else { return Vec::new() };
    texts(request.certification_request_info.subject.iter_organization()).collect()
}

fn common_name(name: &X509Name<'_>) -> Option<String> {
    texts(name.iter_common_name()).next()
}

fn texts<'a>(attributes: impl Iterator<Item = &'a AttributeTypeAndValue<'a>>) -> impl Iterator<Item = String> {
    attributes.filter_map(|a| a.as_str().ok().map(str::to_owned))
}

fn name(general: &GeneralName<'_>) -> Option<String> {
    match general {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|b| IpAddr::from(b).to_string()),
            _ => <[u8; 16]>::try_from(*bytes).ok().map(|b| IpAddr::from(b).to_string()),
        },
        _ => None,
    }
}
