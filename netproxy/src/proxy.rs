//! The service proxy of a node: the tables and the node ports, until shutdown.

use std::collections::BTreeSet;
use std::net::IpAddr;

use kube::Client;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::fabric::Fabric;
use crate::node_port;
use crate::routes::Protocol;
use crate::tables;

/// What the proxy must know.
#[derive(Debug, Clone)]
pub struct Config {
    /// The node's name, for the `Local` traffic policies and for events.
    pub node_name: String,
    /// The node's addresses, on which node ports are served besides `node_port_bind`.
    pub node_addresses: Vec<IpAddr>,
    /// The address on which node ports are served; an unspecified one serves on all.
    pub node_port_bind: IpAddr,
    /// Whether node ports are served at all.
    pub node_ports: bool,
}

impl Config {
    /// Puts the proxy together. Nothing can fail yet: which ports to open only the API says.
    pub fn build(self, client: Client, fabric: Fabric) -> Proxy {
        Proxy { config: self, client, fabric, open: watch::channel(BTreeSet::new()).0 }
    }
}

/// Keeps a fabric's routes current and serves the node ports.
#[derive(Clone)]
pub struct Proxy {
    config: Config,
    client: Client,
    fabric: Fabric,
    open: watch::Sender<BTreeSet<(Protocol, u16)>>,
}

impl Proxy {
    /// The node ports that are open, for whoever waits for one before telling people of it.
    pub fn open_ports(&self) -> watch::Receiver<BTreeSet<(Protocol, u16)>> {
        self.open.subscribe()
    }

    /// Runs until told to stop; then node ports close and what is under way is cut.
    ///
    /// An API that does not answer is no error: the routes stay as they are, and the watches try again.
    pub async fn run(self, shutdown: CancellationToken) {
        let Self { config, client, fabric, open } = self;
        let tables = tables::keep_current(client.clone(), fabric.clone(), config.node_name.clone(), shutdown.clone());
        let ports = async {
            if config.node_ports {
                let bind = node_port::Bind { primary: config.node_port_bind, others: config.node_addresses };
                let reports = node_port::Reports::new(client, &config.node_name);
                node_port::keep_open(fabric, bind, reports, open, shutdown).await;
            }
        };
        futures::join!(tables, ports);
    }
}
