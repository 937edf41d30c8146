//! Which endpoint a socket talks to when it talks to a service, and in whose name the answers come.
//!
//! What conntrack does for kube-proxy, per socket: the choice sticks while the endpoint is ready, because the datagrams
//! of one conversation belong together.

use std::collections::HashMap;
use std::net::SocketAddr;

use crate::routes::ServicePort;

/// Services one socket talks to at the same time; beyond that all choices are forgotten and made again.
const MAX_SERVICES: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Nat {
    chosen: HashMap<SocketAddr, SocketAddr>,
    names: HashMap<SocketAddr, SocketAddr>,
}

impl Nat {
    /// The endpoint for datagrams to `service`; none when none is ready.
    pub fn endpoint(&mut self, to: SocketAddr, service: &ServicePort) -> Option<SocketAddr> {
        if let Some(endpoint) = self.chosen.get(&to) {
            if service.endpoints().contains(endpoint) {
                return Some(*endpoint);
            }
            self.names.remove(endpoint);
        }
        if self.chosen.len() >= MAX_SERVICES {
            *self = Self::default();
        }
        let endpoint = service.pick()?;
        self.chosen.insert(to, endpoint);
        self.names.insert(endpoint, to);
        Some(endpoint)
    }

    /// The address under which this socket knows `from`.
    pub fn seen_as(&self, from: SocketAddr) -> SocketAddr {
        self.names.get(&from).copied().unwrap_or(from)
    }
}
