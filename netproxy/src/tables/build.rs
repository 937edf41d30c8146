//! The pure function: what the objects say, as a snapshot of routes.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Service, ServicePort as PortSpec, ServiceSpec};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointSlice};

use crate::routes::{Named, Protocol, Routes, ServiceName, ServicePort, Spoken};

/// The label with which a slice names its service.
const OWNER: &str = "kubernetes.io/service-name";

/// Builds the snapshot as the node `node` sees it. The cursors of ports that were there in `previous` go on.
pub fn build<'a>(
    services: impl IntoIterator<Item = &'a Service>,
    slices: impl IntoIterator<Item = &'a EndpointSlice>,
    node: &str,
    previous: &Routes,
) -> Routes {
    let slices = by_service(slices);
    let mut routes = Routes::default();
    for service in services {
        let (Some(spec), Some(name)) = (&service.spec, name_of(service)) else { continue };
        let key = (&*name.namespace, &*name.name);
        let view = View { spec, slices: slices.get(&key).map_or(&[], Vec::as_slice), node };
        let cluster_ips = view.cluster_ips();
        for spec in spec.ports.iter().flatten() {
            add_port(&mut routes, previous, &view, service, &name, spec, &cluster_ips);
        }
        routes.addresses.extend(&cluster_ips);
        let named = view.named(cluster_ips);
        routes.names.entry(name.namespace).or_default().insert(name.name, named);
    }
    routes
}

fn by_service<'a>(
    slices: impl IntoIterator<Item = &'a EndpointSlice>,
) -> HashMap<(&'a str, &'a str), Vec<&'a EndpointSlice>> {
    let mut owned: HashMap<_, Vec<_>> = HashMap::new();
    for slice in slices {
        let owner = slice.metadata.labels.as_ref().and_then(|labels| labels.get(OWNER));
        if let (Some(namespace), Some(owner)) = (&slice.metadata.namespace, owner) {
            owned.entry((namespace.as_str(), owner.as_str())).or_default().push(slice);
        }
    }
    owned
}

fn name_of(service: &Service) -> Option<ServiceName> {
    let (namespace, name) = (service.metadata.namespace.as_deref()?, service.metadata.name.as_deref()?);
    Some(ServiceName { namespace: namespace.into(), name: name.into() })
}

fn add_port(
    routes: &mut Routes,
    previous: &Routes,
    view: &View<'_>,
    service: &Service,
    name: &ServiceName,
    spec: &PortSpec,
    cluster_ips: &[IpAddr],
) {
    let (Some(protocol), Some(port)) = (protocol(spec.protocol.as_deref()), number(spec.port)) else { return };
    let node_port = spec.node_port.and_then(number);
    let external_ips = view.external_ips();
    let ips = cluster_ips.iter().chain(&external_ips);
    let addresses: Vec<_> = ips.map(|ip| (protocol, SocketAddr::new(*ip, port))).collect();
    let before = addresses.iter().find_map(|key| previous.ports.get(key));
    let before = before.or_else(|| previous.node_ports.get(&(protocol, node_port?)));
    let cursor = before.filter(|before| before.service == *name).map(|before| before.cursor.clone());
    let port_name = spec.name.clone().unwrap_or_default();
    let built = Arc::new(ServicePort {
        service: name.clone(),
        uid: service.metadata.uid.clone().unwrap_or_default(),
        endpoints: view.endpoints(&port_name, protocol, is_local(view.spec.internal_traffic_policy.as_deref())),
        external: is_local(view.spec.external_traffic_policy.as_deref())
            .then(|| view.endpoints(&port_name, protocol, true)),
        spoken: spoken(spec.app_protocol.as_deref(), &port_name),
        name: port_name,
        port,
        protocol,
        cursor: cursor.unwrap_or_default(),
    });
    for key in addresses {
        // Who was there first keeps the address: an `externalIP` does not take a cluster IP away.
        if let Entry::Vacant(entry) = routes.ports.entry(key) {
            entry.insert(built.clone());
        }
    }
    if let Some(node_port) = node_port {
        routes.node_ports.entry((protocol, node_port)).or_insert(built);
    }
}

/// One service with its slices, seen from one node.
struct View<'a> {
    spec: &'a ServiceSpec,
    slices: &'a [&'a EndpointSlice],
    node: &'a str,
}

impl View<'_> {
    /// The service's own addresses; none for headless ones and ExternalName.
    fn cluster_ips(&self) -> Vec<IpAddr> {
        if self.spec.type_.as_deref() == Some("ExternalName") {
            return Vec::new();
        }
        let primary = self.spec.cluster_ip.iter();
        let others = self.spec.cluster_ips.iter().flatten().filter(|ip| Some(*ip) != self.spec.cluster_ip.as_ref());
        // "None" and the empty string are no addresses.
        primary.chain(others).filter_map(|ip| ip.parse().ok()).collect()
    }

    fn external_ips(&self) -> Vec<IpAddr> {
        self.spec.external_ips.iter().flatten().filter_map(|ip| ip.parse().ok()).collect()
    }

    /// Where new connections to the port go: to the endpoints that are ready, or, while all of them leave, to those
    /// that still serve.
    fn endpoints(&self, port: &str, protocol: Protocol, local: bool) -> Vec<SocketAddr> {
        let of = |wanted: fn(&Endpoint) -> bool| {
            let mut found: Vec<SocketAddr> = Vec::new();
            for slice in self.slices {
                let Some(number) = port_in(slice, port, protocol) else { continue };
                let endpoints = slice.endpoints.iter().filter(|endpoint| wanted(endpoint));
                let endpoints = endpoints.filter(|endpoint| !local || endpoint.node_name.as_deref() == Some(self.node));
                found.extend(endpoints.filter_map(address).map(|ip| SocketAddr::new(ip, number)));
            }
            // An endpoint may be in two slices for a moment; and the order of slices means nothing.
            found.sort_unstable();
            found.dedup();
            found
        };
        let ready = of(is_ready);
        if ready.is_empty() { of(serves_while_leaving) } else { ready }
    }

    fn named(&self, cluster_ips: Vec<IpAddr>) -> Named {
        match (self.spec.type_.as_deref(), &self.spec.external_name) {
            (Some("ExternalName"), Some(name)) => return Named::External(name.clone()),
            _ if !cluster_ips.is_empty() => return Named::Cluster(cluster_ips),
            _ => {}
        }
        let mut addresses = Vec::new();
        let mut hosts: HashMap<String, Vec<IpAddr>> = HashMap::new();
        for endpoint in self.slices.iter().flat_map(|slice| &slice.endpoints).filter(|endpoint| is_ready(endpoint)) {
            let Some(ip) = address(endpoint) else { continue };
            addresses.push(ip);
            if let Some(host) = &endpoint.hostname {
                let ips = hosts.entry(host.to_ascii_lowercase()).or_default();
                if !ips.contains(&ip) {
                    ips.push(ip);
                }
            }
        }
        addresses.sort_unstable();
        addresses.dedup();
        Named::Headless { addresses, hosts }
    }
}

fn port_in(slice: &EndpointSlice, name: &str, protocol_: Protocol) -> Option<u16> {
    let mut ports = slice.ports.iter().flatten();
    let port = ports.find(|port| {
        port.name.as_deref().unwrap_or_default() == name && protocol(port.protocol.as_deref()) == Some(protocol_)
    });
    port?.port.and_then(number)
}

fn address(endpoint: &Endpoint) -> Option<IpAddr> {
    // The addresses of one endpoint are interchangeable, and in practice one.
    endpoint.addresses.first()?.parse().ok()
}

fn is_ready(endpoint: &Endpoint) -> bool {
    endpoint.conditions.as_ref().and_then(|conditions| conditions.ready).unwrap_or(true)
}

fn serves_while_leaving(endpoint: &Endpoint) -> bool {
    let Some(conditions) = &endpoint.conditions else { return false };
    conditions.serving.unwrap_or(is_ready(endpoint)) && conditions.terminating == Some(true)
}

fn protocol(text: Option<&str>) -> Option<Protocol> {
    match text {
        None | Some("TCP") => Some(Protocol::Tcp),
        Some("UDP") => Some(Protocol::Udp),
        Some(_) => None,
    }
}

fn number(port: i32) -> Option<u16> {
    u16::try_from(port).ok().filter(|port| *port != 0)
}

fn is_local(policy: Option<&str>) -> bool {
    policy == Some("Local")
}

/// What is spoken, by `appProtocol`, else by the name of the port as Istio and others read it.
fn spoken(app_protocol: Option<&str>, port_name: &str) -> Spoken {
    let word = app_protocol.map(|word| word.strip_prefix("kubernetes.io/").unwrap_or(word));
    match word.unwrap_or_else(|| port_name.split('-').next().unwrap_or_default()) {
        "http" | "http2" | "h2c" | "grpc" | "ws" => Spoken::Http,
        "https" | "tls" | "wss" | "tcp" | "mysql" | "mongo" | "redis" | "postgres" | "ssh" => Spoken::Bytes,
        _ => Spoken::Unknown,
    }
}

#[cfg(test)]
mod tests;
