//! Ports of services on the node itself.
//!
//! A port opens when its service appears in the routes and closes when it goes. What arrives is HTTP, where each *request*
//! goes to the endpoint whose turn it is; or bytes, where each connection does; or datagrams, where each client does.
//! Requests and responses pass unchanged, as they would through kube-proxy.

mod connection;
mod http;
mod listen;
mod plan;
mod report;
mod sniff;
mod udp;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use self::listen::Port;
pub(crate) use self::report::Reports;
use crate::fabric::Fabric;
use crate::routes::Protocol;

/// Where node ports are served.
#[derive(Debug, Clone)]
pub(crate) struct Bind {
    pub primary: IpAddr,
    pub others: Vec<IpAddr>,
}

impl Bind {
    /// Each address once; an unspecified one stands for all of its family.
    fn addresses(&self) -> Vec<IpAddr> {
        let mut addresses = vec![self.primary];
        for ip in &self.others {
            let covered = |had: &IpAddr| had == ip || (had.is_unspecified() && had.is_ipv4() == ip.is_ipv4());
            if !addresses.iter().any(covered) {
                addresses.push(*ip);
            }
        }
        addresses
    }
}

/// A node port: what carries it, and its number.
pub(crate) type Key = (Protocol, u16);

/// Keeps exactly the ports open that the routes name, until told to stop.
pub(crate) async fn keep_open(
    fabric: Fabric,
    bind: Bind,
    mut reports: Reports,
    opened: watch::Sender<BTreeSet<Key>>,
    shutdown: CancellationToken,
) {
    let mut changed = fabric.routes_changed();
    let addresses = bind.addresses();
    let mut open: BTreeMap<Key, Port> = BTreeMap::new();
    loop {
        let steps = plan::plan(open.keys().copied(), &fabric.routes());
        for key in steps.close {
            if let Some(port) = open.remove(&key) {
                port.close().await;
            }
        }
        for (key, service) in steps.serve {
            let port = open.entry(key).or_insert_with(|| Port::new(fabric.clone(), key, shutdown.child_token()));
            // What failed is tried again at every change: whoever had the port may be gone.
            reports.outcome(key, &service, port.listen(&addresses).await);
        }
        opened.send_replace(open.iter().filter(|(_, port)| port.is_open()).map(|(key, _)| *key).collect());
        tokio::select! {
            () = shutdown.cancelled() => return,
            changed = changed.changed() => if changed.is_err() { return },
        }
    }
}

#[cfg(test)]
mod tests;
