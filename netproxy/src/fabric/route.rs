//! Where does this address go?
//!
//! The order matters: what lives inside comes before services, services before the node's own addresses, and only what
//! is nobody's goes outside. An endpoint of a service is looked up the same way but for services, so that nothing
//! loops, and never on a loopback, whatever its EndpointSlice says. The one exception is a server of the host that was
//! made known there, the API: its connections never touch the host's network, and it is where pods must get to.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::Fabric;
use super::backlog::Backlog;
use super::error::SocketError;
use super::pod::Pod;
use crate::routes::{Protocol, ServicePort};

/// The answer.
#[derive(Debug)]
pub(super) enum Place {
    /// A pod on this node, the caller itself included.
    Pod(Arc<Pod>),
    /// A server of the host that was made known to the fabric.
    HostListener(Arc<Backlog>),
    /// One of the endpoints of a service.
    Service(Arc<ServicePort>),
    /// A socket of the host.
    Outside,
}

impl Fabric {
    /// Where `to` (in canonical form) leads for this pod, or for the host.
    pub(super) fn place(
        &self,
        from: Option<&Arc<Pod>>,
        to: SocketAddr,
        protocol: Protocol,
    ) -> Result<Place, SocketError> {
        if to.port() == 0 || to.ip().is_unspecified() {
            return Err(SocketError::InvalidArgument);
        }
        if to.ip().is_loopback() {
            return Ok(from.map_or(Place::Outside, |pod| Place::Pod(pod.clone())));
        }
        if let Some(place) = self.inside(to) {
            return Ok(place);
        }
        let routes = self.routes();
        if let Some(service) = routes.service(protocol, to) {
            return Ok(Place::Service(service.clone()));
        }
        if routes.is_service_address(to.ip()) {
            return Err(SocketError::ConnectionRefused);
        }
        if self.config().node_addresses.contains(&to.ip())
            && let Some(service) = routes.node_port(protocol, to.port())
        {
            return Ok(Place::Service(service.clone()));
        }
        self.outside(from, to.ip())
    }

    /// Where an endpoint of a service is.
    pub(super) fn endpoint_place(&self, from: Option<&Arc<Pod>>, endpoint: SocketAddr) -> Result<Place, SocketError> {
        let ip = endpoint.ip().to_canonical();
        if ip.is_loopback() || ip.is_unspecified() {
            let known = self.host_listener(SocketAddr::new(ip, endpoint.port()));
            return known.ok_or(SocketError::HostUnreachable);
        }
        self.inside(endpoint).map_or_else(|| self.outside(from, ip), Ok)
    }

    pub(super) fn inside(&self, to: SocketAddr) -> Option<Place> {
        if let Some(pod) = self.0.pods.read().get(&to.ip()) {
            return Some(Place::Pod(pod.clone()));
        }
        self.host_listener(to)
    }

    fn host_listener(&self, at: SocketAddr) -> Option<Place> {
        self.0.host_listeners.read().get(&at).map(|backlog| Place::HostListener(backlog.clone()))
    }

    fn outside(&self, from: Option<&Arc<Pod>>, ip: IpAddr) -> Result<Place, SocketError> {
        let config = self.config();
        let ours = config.pod_cidrs.iter().chain(&config.service_cidrs).any(|range| range.contains(ip));
        if ours || is_nowhere(ip) || (from.is_some() && !config.outside) {
            return Err(SocketError::HostUnreachable);
        }
        Ok(Place::Outside)
    }
}

/// Addresses that lead nowhere, or that a kernel takes for its own: `0.0.0.0/8`, IPv4 hidden in IPv6 (`::127.0.0.1`),
/// multicast and broadcast.
fn is_nowhere(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.octets()[0] == 0 || ip.is_loopback() || ip.is_multicast() || ip.is_broadcast(),
        IpAddr::V6(ip) => ip.to_ipv4().is_some() || ip.is_multicast(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fabric::{Config, PodAddress};

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn fabric() -> Fabric {
        Fabric::new(Config { node_addresses: vec!["192.0.2.7".parse().unwrap()], ..Config::default() })
    }

    #[test]
    fn a_pod_never_reaches_the_loopback_of_the_host() {
        let fabric = fabric();
        let plug = fabric.attach(PodAddress::for_test("10.42.0.5")).unwrap();
        for own in ["127.0.0.1:80", "127.9.9.9:80", "[::1]:80"] {
            let place = fabric.place(Some(plug.pod()), at(own), Protocol::Tcp).unwrap();
            assert!(matches!(place, Place::Pod(pod) if Arc::ptr_eq(&pod, plug.pod())), "{own}");
        }
        for refused in ["0.0.0.0:80", "[::]:80", "0.1.2.3:80", "[::127.0.0.1]:80", "10.42.9.9:80", "10.43.0.9:80"] {
            assert!(fabric.place(Some(plug.pod()), at(refused), Protocol::Tcp).is_err(), "{refused}");
        }
        for endpoint in ["127.0.0.1:80", "[::1]:80", "[::ffff:127.0.0.1]:80", "0.0.0.0:80"] {
            for from in [None, Some(plug.pod())] {
                assert!(fabric.endpoint_place(from, at(endpoint)).is_err(), "{endpoint}");
            }
        }
        assert!(matches!(fabric.place(Some(plug.pod()), at("192.0.2.1:80"), Protocol::Tcp), Ok(Place::Outside)));
    }
}
