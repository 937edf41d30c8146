//! The file with which clients find the cluster and prove who they are.

use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::auth::Identity;
use crate::private_file;

/// All that a client needs.
pub struct Kubeconfig<'a> {
    /// `https://127.0.0.1:6443`
    pub server: &'a str,
    /// The authority's certificate, PEM.
    pub authority: &'a str,
    /// Who the client is.
    pub identity: &'a Identity,
}

impl Kubeconfig<'_> {
    /// The file's content. Everything is inside: it can be copied to where it is needed.
    pub fn to_yaml(&self) -> String {
        let yaml = serde_yaml::to_string(&self.value());
        yaml.expect("strings and maps are YAML")
    }

    /// Writes the file, for its owner only; readers never meet half of it.
    ///
    /// # Errors
    ///
    /// Whatever the file system says.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        private_file::write(path, self.to_yaml().as_bytes())
    }

    fn value(&self) -> Value {
        let base64 = |pem: &str| STANDARD.encode(pem);
        json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "sampan", "cluster": {
                "server": self.server,
                "certificate-authority-data": base64(self.authority),
            }}],
            "users": [{"name": "sampan-admin", "user": {
                "client-certificate-data": base64(&self.identity.certificate),
                "client-key-data": base64(&self.identity.key),
            }}],
            "contexts": [{"name": "sampan", "context": {"cluster": "sampan", "user": "sampan-admin"}}],
            "current-context": "sampan",
            "preferences": {},
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_can_read_it() {
        let identity = Identity { certificate: "CERT".into(), key: "KEY".into() };
        let config = Kubeconfig { server: "https://127.0.0.1:6443", authority: "CA", identity: &identity };
        let read: kube::config::Kubeconfig = serde_yaml::from_str(&config.to_yaml()).unwrap();
        assert_eq!(read.current_context.as_deref(), Some("sampan"));
        let cluster = read.clusters[0].cluster.as_ref().unwrap();
        assert_eq!(cluster.certificate_authority_data.as_deref(), Some("Q0E="));
    }
}
