//! Addresses and streams: the network of the pods on this node, inside this process.
//!
//! A pod is plugged in with [`Fabric::attach`] and speaks through its [`Plug`]. Where an address leads is decided once
//! per connect, in [`route`]: a listener of a pod (a pair of in-memory pipes, or for an HTTP handler a function call), a
//! listener of the host that was made known here, a service, or the world outside through a socket of the host.
//!
//! # Guarantees
//! - Dropping the last [`Plug`] of a pod frees its address and ports, wakes its accepts and resets its connections,
//!   whoever still holds sockets of it. Dropping a socket frees the socket.
//! - An idle connection costs a few hundred bytes, and neither a task nor a timer.
//! - A pod never reaches the loopback of the host, under no spelling of the address, and by a service only what was made
//!   known with [`Fabric::listen_host`].

mod address;
mod backlog;
mod connect;
pub mod descriptors;
mod error;
mod http;
mod pipe;
mod plug;
mod pod;
mod ports;
mod resolve;
mod route;
mod splice;
mod stream;
mod tcp;
mod udp;

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use parking_lot::RwLock;
use tokio::sync::{Semaphore, watch};

pub use self::address::{AddressPool, Cidr, CidrError, DnsConfig, PodAddress, PodIp, PoolError};
pub use self::backlog::Listener;
use self::backlog::{Backlog, Place as ListenerPlace};
pub use self::error::{AttachError, DialError, RequestError, ResolveError, SocketError};
pub use self::http::{Body, BoxError, HandlerError, HttpBinding, HttpHandler};
pub(crate) use self::http::{incoming, plain};
pub use self::plug::{Plug, Usage};
use self::pod::Pod;
pub use self::splice::splice;
pub use self::stream::{How, Stream};
pub use self::tcp::TcpBinding;
pub use self::udp::{MAX_DATAGRAM, UdpSocket};
use crate::routes::Routes;

/// What the fabric must know before the first pod comes.
#[derive(Debug, Clone)]
pub struct Config {
    /// The cluster's domain, `cluster.local`.
    pub cluster_domain: String,
    /// Where pods have their addresses. One that no pod has is unreachable, and never looked for outside.
    pub pod_cidrs: Vec<Cidr>,
    /// Where services have theirs.
    pub service_cidrs: Vec<Cidr>,
    /// The address from which the host speaks to pods, as the bridge's in a kernel's network.
    pub host_address: IpAddr,
    /// This node's own addresses, at which pods find node ports.
    pub node_addresses: Vec<IpAddr>,
    /// What one pod may hold.
    pub limits: Limits,
    /// How long a connect waits for room in a backlog, or for an answer from outside.
    pub connect_timeout: Duration,
    /// Whether pods reach the world outside at all.
    pub outside: bool,
    /// Certificate authorities (DER) that a pod's own HTTPS requests trust besides the public ones: a guest cannot name
    /// one, so without the cluster's the API is out of its reach.
    pub trusted: Vec<Vec<u8>>,
}

/// What one pod may hold at a time.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bound sockets, local ends of outgoing connections included.
    pub sockets: u32,
    /// Connections, incoming and outgoing.
    pub connections: u32,
    /// Sockets to the world outside, each a file descriptor of the host.
    pub outside: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { sockets: 4096, connections: 8192, outside: descriptors::outside_of_a_pod() }
    }
}

impl Default for Config {
    fn default() -> Self {
        let range = |base: Ipv4Addr| format!("{base}/16").parse().into_iter().collect();
        Self {
            cluster_domain: "cluster.local".to_owned(),
            pod_cidrs: range(Ipv4Addr::new(10, 42, 0, 0)),
            service_cidrs: range(Ipv4Addr::new(10, 43, 0, 0)),
            host_address: Ipv4Addr::new(10, 42, 0, 1).into(),
            node_addresses: Vec::new(),
            limits: Limits::default(),
            connect_timeout: Duration::from_secs(60),
            outside: true,
            trusted: Vec::new(),
        }
    }
}

/// Who opens a connection.
#[derive(Debug, Clone, Copy)]
pub enum Origin<'a> {
    /// The host: probes, node ports, the API's proxies.
    Host,
    /// A pod.
    Pod(&'a Plug),
}

impl<'a> Origin<'a> {
    fn pod(self) -> Option<&'a Arc<Pod>> {
        match self {
            Self::Host => None,
            Self::Pod(plug) => Some(plug.pod()),
        }
    }
}

/// The network of one node. A handle: clones are the same network.
#[derive(Clone)]
pub struct Fabric(Arc<Shared>);

struct Shared {
    config: Config,
    pods: RwLock<HashMap<IpAddr, Arc<Pod>>>,
    host_listeners: RwLock<HashMap<SocketAddr, Arc<Backlog>>>,
    routes: ArcSwap<Routes>,
    changed: watch::Sender<()>,
    /// The host as the pods see it: it holds the UDP ports of the node-port flows.
    host: Arc<Pod>,
    host_ports: AtomicU32,
    /// Sockets of all pods to the world outside.
    outside: Arc<descriptors::Share>,
    /// Look-ups of outside names under way; each may hold a thread.
    lookups: Semaphore,
    pool: http::Pool,
    tls: http::Tls,
}

impl std::fmt::Debug for Fabric {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fabric").field("pods", &self.0.pods.read().len()).finish_non_exhaustive()
    }
}

/// Outside names looked up at the same time; tokio's pool of blocking threads serves the whole process.
const LOOKUPS: usize = 32;

impl Fabric {
    /// An empty network.
    pub fn new(config: Config) -> Self {
        let unlimited = Limits { sockets: u32::MAX, connections: u32::MAX, outside: u32::MAX };
        let address = PodAddress {
            ip: config.host_address,
            namespace: String::new(),
            name: "host".to_owned(),
            hostname: String::new(),
            subdomain: None,
            dns: DnsConfig { cluster: false, ..DnsConfig::default() },
        };
        let host = Arc::new(Pod::new(address, &unlimited));
        Self(Arc::new(Shared {
            pods: RwLock::new(HashMap::from([(config.host_address, host.clone())])),
            host_listeners: RwLock::default(),
            routes: ArcSwap::default(),
            changed: watch::channel(()).0,
            host,
            host_ports: AtomicU32::new(0),
            outside: Arc::new(descriptors::Share::new(descriptors::outside())),
            lookups: Semaphore::new(LOOKUPS),
            pool: http::Pool::default(),
            tls: http::Tls::default(),
            config,
        }))
    }

    /// What it was made with.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// Plugs a pod in.
    pub fn attach(&self, address: PodAddress) -> Result<Plug, AttachError> {
        let ip = address.ip.to_canonical();
        if ip.is_loopback() || ip.is_unspecified() || ip.is_multicast() {
            return Err(AttachError::NotAPodAddress(ip));
        }
        let mut pods = self.0.pods.write();
        if pods.contains_key(&ip) {
            return Err(AttachError::AddressInUse(ip));
        }
        let pod = Arc::new(Pod::new(PodAddress { ip, ..address }, &self.0.config.limits));
        pods.insert(ip, pod.clone());
        Ok(Plug::new(self.clone(), pod))
    }

    fn detach(&self, pod: &Arc<Pod>) {
        self.0.pods.write().remove(&pod.ip());
        pod.close();
    }

    /// Makes a server of the host known at its real address, so that pods reach it without the host's network: the API
    /// server behind the service `kubernetes`.
    pub fn listen_host(&self, at: SocketAddr) -> Result<Listener, SocketError> {
        let mut listeners = self.0.host_listeners.write();
        if listeners.contains_key(&at) {
            return Err(SocketError::AddressInUse);
        }
        let backlog = Backlog::new(128);
        listeners.insert(at, backlog.clone());
        Ok(Listener { backlog, place: ListenerPlace::Host { fabric: self.clone(), at } })
    }

    fn forget_host_listener(&self, at: SocketAddr) {
        self.0.host_listeners.write().remove(&at);
    }

    /// A UDP socket of the host inside this network: it reaches pods and services, and they answer it.
    pub fn bind_host_udp(&self) -> Result<UdpSocket, SocketError> {
        UdpSocket::bind(self.clone(), &self.0.host, SocketAddr::new(self.0.config.host_address, 0))
    }

    /// Swaps in the new snapshot of services; connects from now on follow it.
    pub fn set_routes(&self, routes: Arc<Routes>) {
        self.0.routes.store(routes);
        self.0.changed.send_replace(());
    }

    /// The present snapshot of services.
    pub fn routes(&self) -> Guard<Arc<Routes>> {
        self.0.routes.load()
    }

    /// Tells of every [`Fabric::set_routes`].
    pub fn routes_changed(&self) -> watch::Receiver<()> {
        self.0.changed.subscribe()
    }

    /// The next source address for a connection of the host. Nothing is held: a pair of pipes needs no unique port.
    fn host_source(&self) -> SocketAddr {
        let range = u32::from(ports::EPHEMERAL.end() - ports::EPHEMERAL.start()) + 1;
        let step = self.0.host_ports.fetch_add(1, Ordering::Relaxed) % range;
        let port = ports::EPHEMERAL.start() + u16::try_from(step).unwrap_or(0);
        SocketAddr::new(self.0.config.host_address, port)
    }
}

#[cfg(test)]
mod tests;
