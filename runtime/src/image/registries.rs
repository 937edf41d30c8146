//! Where the registries are: what the node's configuration says of each, and the endpoints that follow from it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use serde::Deserialize;

use super::aliases::{Aliases, InvalidAlias};
use super::reference::Reference;

/// What a node's configuration says of images.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Registries by their name in references (`docker.io`, `registry.local:5000`); `*` is for all that are not named.
    pub registries: BTreeMap<String, Registry>,
    /// What is run instead: names of images, or `prefix:*`, and the image for them.
    pub aliases: BTreeMap<String, String>,
}

/// One registry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Registry {
    /// Asked first, in this order: `https://mirror.local:5000`, `http://10.0.0.1/prefix`. The registry itself is last.
    pub mirrors: Vec<String>,
    /// It is spoken to without TLS.
    pub plain_http: bool,
    /// Authorities (PEM) that it may show a certificate of, besides the public ones.
    pub ca_file: Option<PathBuf>,
}

/// A configuration that can't be meant.
#[derive(Debug, thiserror::Error)]
pub enum InvalidConfig {
    /// Not the address of a mirror.
    #[error("registries: {registry}: the mirror {mirror:?} is not http://HOST[:PORT][/PATH] or https://…")]
    Mirror {
        /// Whose.
        registry: String,
        /// Which.
        mirror: String,
    },
    /// Not a name of a registry.
    #[error("registries: {0:?} is not the name of a registry, as registry.example.com:5000 is one")]
    Name(String),
    /// TLS and no TLS.
    #[error("registries: {0}: plainHttp and caFile are both given")]
    Contradiction(String),
    /// The authorities can't be read.
    #[error("registries: {registry}: read the authorities in {path}: {reason}", path = path.display())]
    Authorities {
        /// Whose.
        registry: String,
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Among the aliases.
    #[error(transparent)]
    Alias(#[from] InvalidAlias),
}

/// One place to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// `https://registry.example.com/v2`
    pub(super) base: String,
    /// What its credentials and its authorities go by.
    pub(super) host: String,
    /// For a mirror: the registry it stands for.
    pub(super) origin: Option<String>,
    pub(super) ca_file: Option<PathBuf>,
}

impl Config {
    /// Finds what cannot be meant before it is needed.
    pub(super) fn validate(&self) -> Result<Aliases, InvalidConfig> {
        for (name, registry) in &self.registries {
            if name != "*" && Reference::parse(&format!("{name}/x")).map_or(true, |found| found.registry() != name) {
                return Err(InvalidConfig::Name(name.clone()));
            }
            if registry.plain_http && registry.ca_file.is_some() {
                return Err(InvalidConfig::Contradiction(name.clone()));
            }
            if let Some(mirror) = registry.mirrors.iter().find(|mirror| address(mirror).is_none()) {
                return Err(InvalidConfig::Mirror { registry: name.clone(), mirror: mirror.clone() });
            }
        }
        Ok(Aliases::new(&self.aliases)?)
    }

    /// Whom to ask for an image, in order.
    pub(super) fn endpoints(&self, reference: &Reference) -> Vec<Endpoint> {
        let name = reference.registry();
        let registry = self.registries.get(name).or_else(|| self.registries.get("*"));
        let mirrors = registry.iter().flat_map(|registry| &registry.mirrors);
        let mirrors = mirrors.filter_map(|mirror| self.mirror(mirror, name));
        mirrors.chain([self.origin(name)]).collect()
    }

    fn mirror(&self, url: &str, origin: &str) -> Option<Endpoint> {
        let (scheme, host, path) = address(url)?;
        // As containerd has it, `/v2` is added unless it is there.
        let path = if format!("{path}/").starts_with("/v2/") { path.to_owned() } else { format!("{path}/v2") };
        Some(Endpoint {
            base: format!("{scheme}://{host}{path}"),
            host: host.to_owned(),
            origin: Some(origin.to_owned()),
            ca_file: self.ca_file(host),
        })
    }

    /// The registry itself.
    pub(super) fn origin(&self, name: &str) -> Endpoint {
        let host = if name == "docker.io" { "registry-1.docker.io" } else { name };
        let ca_file = self.ca_file(name);
        let plain = match self.registries.get(name) {
            Some(registry) => registry.plain_http || (is_loopback(name) && ca_file.is_none()),
            None => is_loopback(name),
        };
        let scheme = if plain { "http" } else { "https" };
        Endpoint { base: format!("{scheme}://{host}/v2"), host: name.to_owned(), origin: None, ca_file }
    }

    fn ca_file(&self, host: &str) -> Option<PathBuf> {
        self.registries.get(host).or_else(|| self.registries.get("*"))?.ca_file.clone()
    }
}

/// Registries on this machine itself need no TLS, as for Docker.
fn is_loopback(name: &str) -> bool {
    let host = name.rsplit_once(':').map_or(name, |(host, _)| host);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Scheme, host and path of a mirror.
fn address(url: &str) -> Option<(&'static str, &str, &str)> {
    let (scheme, rest) = match url.split_once("://")? {
        ("http", rest) => ("http", rest),
        ("https", rest) => ("https", rest),
        _ => return None,
    };
    let rest = rest.trim_end_matches('/');
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let valid = !host.is_empty() && host.parse::<http::uri::Authority>().is_ok() && !host.contains('@');
    let plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte));
    (valid && plain).then_some((scheme, host, path))
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    fn config(registries: serde_json::Value) -> Config {
        Config { registries: from_value(registries).expect("registries"), ..Config::default() }
    }

    fn bases(config: &Config, image: &str) -> Vec<String> {
        let reference = Reference::parse(image).expect("a name");
        config.endpoints(&reference).into_iter().map(|endpoint| endpoint.base).collect()
    }

    #[test]
    fn mirrors_come_first_and_the_registry_last() {
        let config = config(json!({
            "docker.io": {"mirrors": ["https://mirror.local:5000/", "http://10.0.0.1/v2/hub"]},
            "plain.local": {"plainHttp": true},
            "*": {"mirrors": ["https://all.local/cache"]},
        }));
        config.validate().expect("valid");
        let hub = ["https://mirror.local:5000/v2", "http://10.0.0.1/v2/hub", "https://registry-1.docker.io/v2"];
        assert_eq!(bases(&config, "nginx"), hub);
        assert_eq!(bases(&config, "plain.local/x"), ["http://plain.local/v2"]);
        assert_eq!(bases(&config, "ghcr.io/a/b"), ["https://all.local/cache/v2", "https://ghcr.io/v2"]);
    }

    #[test]
    fn this_machine_needs_no_tls_unless_it_has_it() {
        let plain = Config::default();
        assert_eq!(bases(&plain, "localhost:5000/x"), ["http://localhost:5000/v2"]);
        assert_eq!(bases(&plain, "127.0.0.1:5000/x"), ["http://127.0.0.1:5000/v2"]);
        assert_eq!(bases(&plain, "192.0.2.1:5000/x"), ["https://192.0.2.1:5000/v2"]);
        let tls = config(json!({"127.0.0.1:5000": {"caFile": "/ca.pem"}}));
        assert_eq!(bases(&tls, "127.0.0.1:5000/x"), ["https://127.0.0.1:5000/v2"]);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let refused = |registries| config(registries).validate().expect_err("refused").to_string();
        assert!(refused(json!({"x": {"mirrors": ["ftp://y"]}})).contains("not the name of a registry"));
        assert!(refused(json!({"x.io": {"mirrors": ["ftp://y"]}})).contains("the mirror \"ftp://y\""));
        assert!(refused(json!({"x.io": {"mirrors": ["http://user@y"]}})).contains("the mirror"));
        assert!(refused(json!({"x.io": {"plainHttp": true, "caFile": "/x"}})).contains("both"));
    }
}
