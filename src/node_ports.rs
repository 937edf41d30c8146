//! Which node ports can be reached, for whoever wants to tell people of one.

use std::collections::BTreeSet;

use netproxy::fabric::Fabric;
use netproxy::routes::Protocol;
use tokio::sync::watch;

/// The node ports of this process.
#[derive(Clone)]
pub struct NodePorts {
    fabric: Fabric,
    /// None where no proxy runs here.
    open: Option<watch::Receiver<BTreeSet<(Protocol, u16)>>>,
}

impl NodePorts {
    pub(crate) fn new(fabric: Fabric, open: Option<watch::Receiver<BTreeSet<(Protocol, u16)>>>) -> Self {
        Self { fabric, open }
    }

    /// Waits until a node port is open on this host and leads to a ready pod.
    pub async fn serves(&self, protocol: Protocol, port: u16) {
        let Some(mut open) = self.open.clone() else { return };
        if open.wait_for(|ports| ports.contains(&(protocol, port))).await.is_err() {
            return;
        }
        let mut changed = self.fabric.routes_changed();
        while !self.leads_somewhere(protocol, port) && changed.changed().await.is_ok() {}
    }

    fn leads_somewhere(&self, protocol: Protocol, port: u16) -> bool {
        let routes = self.fabric.routes();
        routes.node_port(protocol, port).is_some_and(|service| !service.external_endpoints().is_empty())
    }
}
