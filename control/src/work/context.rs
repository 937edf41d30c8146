//! What every controller is given.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::Recorder;
use super::recorder::{self, Sink};
use crate::auth::{Pki, ServiceAccounts};
use crate::registry::{Api, Object, Registry};

/// Where pods and clients reach the API server: what the `kubernetes` service leads to.
#[derive(Clone, Debug)]
pub struct ApiEndpoint {
    /// The service's cluster IP: the first of the service range.
    pub cluster_ip: IpAddr,
    /// The server's address. On a single device it may be a loopback address, which users may not write.
    pub address: IpAddr,
    /// The server's port.
    pub port: u16,
}

/// The settings of the loops.
#[derive(Clone, Debug)]
pub struct Config {
    /// The cluster's CA, published in every namespace as the ConfigMap `kube-root-ca.crt`.
    pub root_certificate: String,
    /// The authorities of client certificates, published for servers that extend the API.
    pub client_authorities: String,
    /// What signs certificates; none where none are to be signed.
    pub authority: Option<Arc<Pki>>,
    /// What signs the tokens of service accounts; none where none are to be signed.
    pub accounts: Option<Arc<ServiceAccounts>>,
    /// The way to the API server; none where no `kubernetes` service is wanted.
    pub api: Option<ApiEndpoint>,
    /// Pod addresses come out of this network, as `10.42.0.0/16`.
    pub cluster_cidr: String,
    /// The prefix length of each node's share of it.
    pub node_mask: u8,
    /// Whether pods are bound to nodes here.
    pub scheduler: bool,
    /// A node that has not been heard of for so long is `Unknown`.
    pub node_grace: Duration,
    /// Pods of a node that is gone are deleted after so long.
    pub orphan_grace: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            root_certificate: String::new(),
            client_authorities: String::new(),
            authority: None,
            accounts: None,
            api: None,
            cluster_cidr: "10.42.0.0/16".to_owned(),
            node_mask: 18,
            scheduler: true,
            node_grace: Duration::from_secs(50),
            orphan_grace: Duration::from_secs(40),
        }
    }
}

/// The registry, the settings and the way to the event recorder.
#[derive(Clone)]
pub(crate) struct Context {
    pub registry: Registry,
    pub config: Arc<Config>,
    sink: Sink,
}

impl Context {
    /// A context, and the loop that writes its recorders' events.
    pub fn new(config: Config, registry: Registry) -> (Self, impl Future<Output = ()> + Send + use<>) {
        let (sink, events) = recorder::new(&registry);
        (Self { registry, config: Arc::new(config), sink }, events)
    }

    /// The verbs of a kind, for the controllers.
    pub fn api<K: Object>(&self) -> Api<K> {
        self.registry.api().managed_by("kube-controller-manager")
    }

    /// A recorder that reports as `component`.
    pub fn recorder(&self, component: &'static str) -> Recorder {
        Recorder::new(component, self.sink.clone())
    }
}
