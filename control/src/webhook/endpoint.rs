//! The address behind a service: one of its ready endpoints, as its EndpointSlices have them.

use std::net::SocketAddr;

use rand::seq::IndexedRandom as _;
use serde_json::Value;

use crate::store::{Key, Store};

const SLICES: &str = "endpointslices.discovery.k8s.io";

/// Why a service leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServiceError {
    /// There is no such service.
    #[error("service {0:?} not found")]
    Missing(String),
    /// It has no such port.
    #[error("no service port {port} found for service {name:?}")]
    Port {
        /// The service.
        name: String,
        /// The port that was asked for.
        port: u16,
    },
    /// Nobody is ready.
    #[error("no endpoints available for service {0:?}")]
    Nobody(String),
}

/// What a service's port leads to.
pub enum Behind {
    /// One of its endpoints.
    Endpoint(SocketAddr),
    /// Another name (`ExternalName`).
    Name(String, u16),
}

/// Finds what is behind a port of a service.
pub fn find(store: &Store, namespace: &str, name: &str, port: u16) -> Result<Behind, ServiceError> {
    let key = Key { resource: "services".into(), namespace: namespace.into(), name: name.into() };
    let service = store.get(&key).ok_or_else(|| ServiceError::Missing(name.to_owned()))?.value();
    if service.pointer("/spec/type").and_then(Value::as_str) == Some("ExternalName") {
        let name = service.pointer("/spec/externalName").and_then(Value::as_str).unwrap_or_default();
        return Ok(Behind::Name(name.to_owned(), port));
    }
    let no_port = || ServiceError::Port { name: name.to_owned(), port };
    let ports = service.pointer("/spec/ports").and_then(Value::as_array);
    let wanted = |p: &&Value| p.get("port").and_then(Value::as_u64) == Some(port.into());
    let named = ports.into_iter().flatten().find(wanted).ok_or_else(no_port)?;
    let port_name = named.get("name").and_then(Value::as_str).unwrap_or_default();
    let addresses = ready_endpoints(store, namespace, name, port_name);
    let chosen = addresses.choose(&mut rand::rng());
    chosen.copied().map(Behind::Endpoint).ok_or_else(|| ServiceError::Nobody(name.to_owned()))
}

/// The ready addresses behind a service, at its port of this name.
pub(crate) fn ready_endpoints(store: &Store, namespace: &str, service: &str, port: &str) -> Vec<SocketAddr> {
    let slices: Vec<_> = store.list(SLICES, Some(namespace)).entries.iter().map(|e| e.value()).collect();
    slices
        .iter()
        .filter(|s| s.pointer("/metadata/labels/kubernetes.io~1service-name").and_then(Value::as_str) == Some(service))
        .flat_map(|slice| ready(slice, port))
        .collect()
}

/// The ready addresses of a slice, with the port of this name.
fn ready(slice: &Value, port: &str) -> Vec<SocketAddr> {
    let list = |field: &str| slice.get(field).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let named = |p: &&Value| p.get("name").and_then(Value::as_str).unwrap_or_default() == port;
    let number = list("ports").iter().find(named).and_then(|p| p.get("port")).and_then(Value::as_u64);
    let Some(number) = number.and_then(|n| u16::try_from(n).ok()) else { return Vec::new() };
    let ready = |e: &&Value| e.pointer("/conditions/ready").and_then(Value::as_bool) != Some(false);
    let addresses = list("endpoints").iter().filter(ready).flat_map(|e| e.get("addresses").and_then(Value::as_array));
    let parsed = addresses.flatten().filter_map(|a| a.as_str()?.parse().ok());
    parsed.map(|ip| SocketAddr::new(ip, number)).collect()
}
