//! Which server a webhook is, as the API's `clientConfig` says it.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Uri;
use serde_json::Value;

/// Why a `clientConfig` is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Neither a URL nor a service is named.
    #[error("webhook configuration must have either service or URL")]
    Nowhere,
    /// The URL cannot be used.
    #[error("unable to parse webhook URL {0:?}")]
    Url(String),
    /// The authority is not base64.
    #[error("the caBundle is not base64")]
    Authority,
}

/// A webhook's server, and whom to trust that it is this one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientConfig {
    /// Where it is.
    pub place: Place,
    /// The path, with its slash; with a query where the URL has one.
    pub path: Arc<str>,
    /// PEM; empty for the public authorities.
    pub ca_bundle: Arc<[u8]>,
}

/// Where a webhook's server is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// A host of the world.
    Host {
        /// A name or an address.
        name: Arc<str>,
        /// The port.
        port: u16,
    },
    /// A service of the cluster.
    Service {
        /// Its namespace.
        namespace: Arc<str>,
        /// Its name.
        name: Arc<str>,
        /// The service's port.
        port: u16,
    },
}

impl Place {
    /// The name that the server's certificate must have.
    pub fn server_name(&self) -> String {
        match self {
            Self::Host { name, .. } => name.trim_start_matches('[').trim_end_matches(']').to_owned(),
            Self::Service { namespace, name, .. } => format!("{name}.{namespace}.svc"),
        }
    }

    /// As the URL has it.
    fn authority(&self) -> String {
        match self {
            Self::Host { name, port: 443 } => name.to_string(),
            Self::Host { name, port } => format!("{name}:{port}"),
            Self::Service { namespace, name, port } => format!("{name}.{namespace}.svc:{port}"),
        }
    }
}

impl ClientConfig {
    /// Reads a `clientConfig` of an admission webhook or of a CustomResourceDefinition.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn parse(config: &Value) -> Result<Self, ConfigError> {
        let text = |at: &str| config.pointer(at).and_then(Value::as_str).unwrap_or_default();
        let ca_bundle = STANDARD.decode(text("/caBundle")).map_err(|_| ConfigError::Authority)?.into();
        let (place, path) = if config.get("service").is_some_and(Value::is_object) {
            let port = config.pointer("/service/port").and_then(Value::as_u64);
            let port = port.and_then(|p| u16::try_from(p).ok()).unwrap_or(443);
            let (namespace, name) = (text("/service/namespace").into(), text("/service/name").into());
            (Place::Service { namespace, name, port }, text("/service/path").to_owned())
        } else if config.get("url").is_some_and(Value::is_string) {
            of_url(text("/url"))?
        } else {
            return Err(ConfigError::Nowhere);
        };
        let path = if path.starts_with('/') { path } else { format!("/{path}") };
        Ok(Self { place, path: path.into(), ca_bundle })
    }

    /// The URL that is called, with the time that the server has.
    pub(super) fn url(&self, timeout: Duration) -> String {
        let joint = if self.path.contains('?') { '&' } else { '?' };
        format!("https://{}{}{joint}timeout={}s", self.place.authority(), self.path, timeout.as_secs())
    }
}

fn of_url(url: &str) -> Result<(Place, String), ConfigError> {
    let bad = || ConfigError::Url(url.to_owned());
    let uri: Uri = url.parse().map_err(|_| bad())?;
    if uri.scheme_str() != Some("https") {
        return Err(bad());
    }
    let name = uri.host().filter(|h| !h.is_empty()).ok_or_else(bad)?;
    let path = uri.path_and_query().map_or("/", |p| p.as_str());
    Ok((Place::Host { name: name.into(), port: uri.port_u16().unwrap_or(443) }, path.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn services_and_urls_become_urls() {
        let url = |config: Value| ClientConfig::parse(&config).map(|c| c.url(Duration::from_secs(10)));
        let service = json!({"service": {"namespace": "ns", "name": "hook", "path": "/convert"}});
        assert_eq!(url(service).as_deref(), Ok("https://hook.ns.svc:443/convert?timeout=10s"));
        let with_port = json!({"service": {"namespace": "ns", "name": "hook", "port": 9443}});
        assert_eq!(url(with_port).as_deref(), Ok("https://hook.ns.svc:9443/?timeout=10s"));
        let plain = json!({"url": "https://[::1]:8443/a?b=c"});
        assert_eq!(url(plain).as_deref(), Ok("https://[::1]:8443/a?b=c&timeout=10s"));
        assert_eq!(url(json!({})), Err(ConfigError::Nowhere));
        assert!(url(json!({"url": "http://x/"})).is_err());
        assert_eq!(url(json!({"url": "https://x", "caBundle": "*"})), Err(ConfigError::Authority));
    }
}
