//! Where services lead: an immutable snapshot, built by [`crate::tables`], read by the fabric at every connect.
//!
//! Looking up an address and choosing an endpoint are O(1). The one thing that changes inside of a snapshot is each
//! port's cursor, and that goes on from the snapshot before, so that taking turns survives every update.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What carries the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// Streams.
    Tcp,
    /// Datagrams.
    Udp,
}

/// The name of a service.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServiceName {
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its own name.
    pub name: Arc<str>,
}

impl std::fmt::Display for ServiceName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// What the bytes at a port are, as far as the Service says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Spoken {
    /// HTTP of any version, in the clear.
    Http,
    /// Anything but HTTP in the clear; TLS is that, too.
    Bytes,
    /// The first bytes will tell.
    #[default]
    Unknown,
}

/// One port of a service and the endpoints behind it.
#[derive(Debug)]
pub struct ServicePort {
    /// Whose port.
    pub service: ServiceName,
    /// The uid of the service, for events.
    pub uid: String,
    /// The port's name, or empty.
    pub name: String,
    /// The service port.
    pub port: u16,
    /// TCP or UDP.
    pub protocol: Protocol,
    /// What is spoken there.
    pub spoken: Spoken,
    /// Endpoints to which new connections from inside of the cluster may go.
    pub(crate) endpoints: Vec<SocketAddr>,
    /// The same for connections from outside, where `externalTrafficPolicy` narrows them.
    pub(crate) external: Option<Vec<SocketAddr>>,
    pub(crate) cursor: Arc<AtomicUsize>,
}

impl ServicePort {
    /// The endpoints in no particular order.
    pub fn endpoints(&self) -> &[SocketAddr] {
        &self.endpoints
    }

    /// The endpoints for what comes from outside of the cluster.
    pub fn external_endpoints(&self) -> &[SocketAddr] {
        self.external.as_deref().unwrap_or(&self.endpoints)
    }

    /// The endpoint whose turn it is.
    pub fn pick(&self) -> Option<SocketAddr> {
        self.turns(false).next()
    }

    /// All endpoints, beginning with the one whose turn it is; each is there once.
    pub fn turns(&self, from_outside: bool) -> impl Iterator<Item = SocketAddr> + use<'_> {
        let endpoints = if from_outside { self.external_endpoints() } else { self.endpoints() };
        let start = self.cursor.fetch_add(1, Ordering::Relaxed);
        (0..endpoints.len()).map(move |step| endpoints[start.wrapping_add(step) % endpoints.len()])
    }
}

/// What a name in the cluster's domain stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// A service with cluster addresses.
    Cluster(Vec<IpAddr>),
    /// A headless service: its endpoints, and those of them that have a name of their own.
    Headless {
        /// Every ready endpoint.
        addresses: Vec<IpAddr>,
        /// Endpoints by host name.
        hosts: HashMap<String, Vec<IpAddr>>,
    },
    /// Another name.
    External(String),
}

/// The snapshot.
#[derive(Debug, Default)]
pub struct Routes {
    pub(crate) ports: HashMap<(Protocol, SocketAddr), Arc<ServicePort>>,
    pub(crate) node_ports: HashMap<(Protocol, u16), Arc<ServicePort>>,
    /// All cluster addresses: connects to other ports of theirs are refused.
    pub(crate) addresses: HashSet<IpAddr>,
    pub(crate) names: HashMap<Arc<str>, HashMap<Arc<str>, Named>>,
}

impl Routes {
    /// The service port at this address.
    pub fn service(&self, protocol: Protocol, at: SocketAddr) -> Option<&Arc<ServicePort>> {
        self.ports.get(&(protocol, at))
    }

    /// Whether a service has this address.
    pub fn is_service_address(&self, ip: IpAddr) -> bool {
        self.addresses.contains(&ip)
    }

    /// The service port behind a port of every node.
    pub fn node_port(&self, protocol: Protocol, port: u16) -> Option<&Arc<ServicePort>> {
        self.node_ports.get(&(protocol, port))
    }

    /// All node ports.
    pub fn node_ports(&self) -> impl Iterator<Item = (Protocol, u16, &Arc<ServicePort>)> {
        self.node_ports.iter().map(|((protocol, port), service)| (*protocol, *port, service))
    }

    /// What `name.namespace.svc` stands for; both in lower case.
    pub fn named(&self, namespace: &str, name: &str) -> Option<&Named> {
        self.names.get(namespace)?.get(name)
    }
}
