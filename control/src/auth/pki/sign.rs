//! Certificates for others: what a CertificateSigningRequest asks for, if its signer's rules allow it.
//!
//! The rules are upstream's (KEP-1513): which subject and which usages a signer certifies is part of its name.

use std::time::Duration;

use jiff::Timestamp;
use rcgen::{
    CertificateParams, CertificateSigningRequestParams, DnType, DnValue, ExtendedKeyUsagePurpose, IsCa,
    KeyUsagePurpose, SanType, SerialNumber, date_time_ymd,
};

use super::Pki;

/// A certificate is good for so many seconds where nobody asks for less: a year, as upstream has it.
const LIFETIME: i64 = 365 * 24 * 3600;
/// Clocks may differ by so many seconds.
const BACKDATED: i64 = 5 * 60;

/// Whose certificates a signer makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signer {
    /// Clients of the API.
    Client,
    /// Kubelets as clients of the API.
    KubeletClient,
    /// Kubelets as servers.
    KubeletServing,
}

/// Why a request is not signed: the message of its `Failed` condition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It cannot be read, or its signature does not fit.
    #[error("unable to parse csr: {0}")]
    Unreadable(String),
    /// A usage that this signer does not certify.
    #[error("usages did not match {0:?}")]
    Usages(&'static [&'static str]),
    /// A usage without which the certificate is of no use.
    #[error("requested usages must include {0:?}")]
    Lacking(&'static str),
    /// A kubelet's certificate has one group.
    #[error("organization needs to be set to [system:nodes]")]
    Organization,
    /// And a name of a certain form.
    #[error("subject common name does not begin with \"system:node:\"")]
    CommonName,
    /// A server needs a name to go by.
    #[error("DNS or IP subjectAltName is required")]
    NoNames,
    /// A client has none.
    #[error("subjectAltNames are not allowed")]
    Names,
    /// The certificate could not be made.
    #[error("unable to sign: {0}")]
    Failed(String),
}

impl Signer {
    /// The signer of this name; none for those of others.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "kubernetes.io/kube-apiserver-client" => Some(Self::Client),
            "kubernetes.io/kube-apiserver-client-kubelet" => Some(Self::KubeletClient),
            "kubernetes.io/kubelet-serving" => Some(Self::KubeletServing),
            _ => None,
        }
    }

    fn usages(self) -> &'static [&'static str] {
        match self {
            Self::Client | Self::KubeletClient => &["key encipherment", "digital signature", "client auth"],
            Self::KubeletServing => &["key encipherment", "digital signature", "server auth"],
        }
    }

    fn purpose(self) -> (&'static str, ExtendedKeyUsagePurpose) {
        match self {
            Self::Client | Self::KubeletClient => ("client auth", ExtendedKeyUsagePurpose::ClientAuth),
            Self::KubeletServing => ("server auth", ExtendedKeyUsagePurpose::ServerAuth),
        }
    }

    /// Checks what is asked for.
    fn check(self, asked: &CertificateParams, usages: &[String]) -> Result<(), Unfit> {
        let (needed, _) = self.purpose();
        if usages.iter().any(|usage| !self.usages().contains(&usage.as_str())) {
            return Err(Unfit::Usages(self.usages()));
        }
        if !usages.iter().any(|usage| usage == needed) {
            return Err(Unfit::Lacking(needed));
        }
        if self == Self::Client {
            return Ok(());
        }
        let named = |kind: &DnType| asked.distinguished_name.get(kind).map(text).unwrap_or_default();
        if named(&DnType::OrganizationName) != "system:nodes" {
            return Err(Unfit::Organization);
        }
        if !named(&DnType::CommonName).starts_with("system:node:") {
            return Err(Unfit::CommonName);
        }
        let is_host = |name: &SanType| matches!(name, SanType::DnsName(_) | SanType::IpAddress(_));
        match (self, asked.subject_alt_names.iter().any(is_host)) {
            (Self::KubeletServing, false) => Err(Unfit::NoNames),
            (Self::KubeletClient, _) if !asked.subject_alt_names.is_empty() => Err(Unfit::Names),
            _ => Ok(()),
        }
    }
}

impl Pki {
    /// Signs the request (PEM) of a CertificateSigningRequest; `seconds` is how long its owner wants it at most.
    ///
    /// # Errors
    /// What the signer's rules forbid, and what cannot be read.
    pub fn sign(&self, signer: Signer, pem: &str, usages: &[String], seconds: Option<i64>) -> Result<String, Unfit> {
        let request =
            CertificateSigningRequestParams::from_pem(pem).map_err(|error| Unfit::Unreadable(error.to_string()))?;
        signer.check(&request.params, usages)?;
        let (mut params, public_key) = (request.params, request.public_key);
        let now = Timestamp::now().as_second();
        let lifetime = seconds.unwrap_or(LIFETIME).clamp(0, LIFETIME);
        let at = |seconds: i64| date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds.unsigned_abs());
        params.not_before = at(now - BACKDATED);
        params.not_after = at(now + lifetime);
        params.is_ca = IsCa::ExplicitNoCa;
        params.serial_number = Some(SerialNumber::from(rand::random::<[u8; 16]>().to_vec()));
        params.key_usages = usages.iter().filter_map(|usage| key_usage(usage)).collect();
        params.extended_key_usages = vec![signer.purpose().1];
        params.use_authority_key_identifier_extension = true;
        let signed = params.signed_by(&public_key, &self.issuer);
        signed.map(|certificate| certificate.pem()).map_err(|error| Unfit::Failed(error.to_string()))
    }
}

fn key_usage(usage: &str) -> Option<KeyUsagePurpose> {
    match usage {
        "digital signature" => Some(KeyUsagePurpose::DigitalSignature),
        "key encipherment" => Some(KeyUsagePurpose::KeyEncipherment),
        _ => None,
    }
}

fn text(value: &DnValue) -> &str {
    match value {
        DnValue::Utf8String(text) => text,
        DnValue::PrintableString(text) => text.as_str(),
        DnValue::Ia5String(text) => text.as_str(),
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{DistinguishedName, KeyPair};
    use rustls_pki_types::CertificateDer;
    use rustls_pki_types::pem::PemObject as _;

    use super::*;
    use crate::auth::certificate::Facts;

    fn request(user: &str, group: &str, names: &[&str]) -> String {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, user);
        params.distinguished_name.push(DnType::OrganizationName, group);
        params.serialize_request(&KeyPair::generate().unwrap()).unwrap().pem().unwrap()
    }

    fn usages(list: &[&str]) -> Vec<String> {
        list.iter().map(|usage| (*usage).to_owned()).collect()
    }

    #[test]
    fn a_client_gets_the_name_that_it_asks_for() {
        let pki = Pki::open(None).unwrap();
        let client = usages(&["client auth", "digital signature"]);
        let pem = pki.sign(Signer::Client, &request("amy", "dev", &[]), &client, Some(600)).unwrap();
        let facts = Facts::read(&CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
        assert_eq!((&*facts.subject.user, &*facts.subject.groups), ("amy", &["dev".to_owned()][..]));
        let left = facts.not_after - Timestamp::now().as_second();
        assert!((590..=600).contains(&left), "{left}");
    }

    #[test]
    fn each_signer_has_its_rules() {
        let pki = Pki::open(None).unwrap();
        let sign = |signer, pem: &str, list: &[&str]| pki.sign(signer, pem, &usages(list), None).map(drop);
        let node = request("system:node:a", "system:nodes", &[]);
        let server = request("system:node:a", "system:nodes", &["a", "192.0.2.1"]);
        let amy = request("amy", "dev", &[]);
        let serving = &["server auth", "digital signature"];
        assert_eq!(sign(Signer::KubeletClient, &node, &["client auth"]), Ok(()));
        assert_eq!(sign(Signer::KubeletClient, &server, &["client auth"]), Err(Unfit::Names));
        assert_eq!(sign(Signer::KubeletClient, &amy, &["client auth"]), Err(Unfit::Organization));
        assert_eq!(sign(Signer::KubeletServing, &server, serving), Ok(()));
        assert_eq!(sign(Signer::KubeletServing, &node, serving), Err(Unfit::NoNames));
        assert_eq!(
            sign(Signer::KubeletServing, &request("x", "system:nodes", &["a"]), serving),
            Err(Unfit::CommonName)
        );
        assert!(matches!(sign(Signer::Client, &amy, serving), Err(Unfit::Usages(_))));
        assert_eq!(sign(Signer::Client, &amy, &["digital signature"]), Err(Unfit::Lacking("client auth")));
        assert!(matches!(sign(Signer::Client, "nothing", &["client auth"]), Err(Unfit::Unreadable(_))));
    }
}
