//! What is taken, and how the next free one is found.

use std::collections::{BTreeSet, HashSet};
use std::net::Ipv4Addr;

use rand::Rng;
use serde_json::Value;

use super::Cidr;
use crate::kinds::access::Look;

const PORTS: std::ops::RangeInclusive<u16> = 30000..=32767;
const TAKEN_PORT: &str = "provided port is already allocated";
const FOREIGN_PORT: &str = "provided port is not in the valid range. The range of valid ports is 30000-32767";

/// The addresses of one service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Its cluster IP.
    pub ip: Option<Ipv4Addr>,
    /// Its node ports.
    pub ports: BTreeSet<u16>,
}

impl Taken {
    /// What a stored service has.
    pub fn of(service: &Value) -> Self {
        let ports = service.items("spec.ports").iter().filter_map(|p| u16::try_from(p.int("nodePort")?).ok());
        Self { ip: service.text("spec.clusterIP").parse().ok(), ports: ports.filter(|p| *p != 0).collect() }
    }

    /// True for a service without addresses.
    pub fn is_empty(&self) -> bool {
        self.ip.is_none() && self.ports.is_empty()
    }

    /// What is here and not in `other`.
    pub fn without(&self, other: &Self) -> Self {
        Self { ip: self.ip.filter(|ip| other.ip != Some(*ip)), ports: &self.ports - &other.ports }
    }
}

/// All addresses, free and taken.
pub struct Pool {
    range: Cidr,
    ips: HashSet<Ipv4Addr>,
    ports: BTreeSet<u16>,
}

impl Pool {
    /// Everything is free.
    pub fn new(range: Cidr) -> Self {
        Self { range, ips: HashSet::new(), ports: BTreeSet::new() }
    }

    /// The range of cluster IPs.
    pub fn range(&self) -> Cidr {
        self.range
    }

    /// Marks the addresses of a stored service, whether they are in range or not.
    pub fn take(&mut self, taken: &Taken) {
        self.ips.extend(taken.ip);
        self.ports.extend(&taken.ports);
    }

    /// Frees addresses.
    pub fn give_back(&mut self, taken: &Taken) {
        if let Some(ip) = &taken.ip {
            self.ips.remove(ip);
        }
        for port in &taken.ports {
            self.ports.remove(port);
        }
    }

    /// Takes some free address: a random one, so that a service that is gone is not soon mistaken for another.
    /// The first one is only ever asked for by name.
    pub fn any_ip(&mut self) -> Option<Ipv4Addr> {
        let candidates = self.range.size() - 3;
        let start = rand::rng().random_range(0..candidates);
        let mut offsets = (0..candidates).map(|i| 2 + (start + i) % candidates);
        let ip = offsets.find_map(|n| Some(self.range.at(n)).filter(|ip| !self.ips.contains(ip)))?;
        self.ips.insert(ip);
        Some(ip)
    }

    /// Takes this very address.
    pub fn this_ip(&mut self, text: &str) -> Result<Ipv4Addr, String> {
        let foreign = || {
            let range = self.range;
            format!("the provided IP ({text}) is not in the valid range. The range of valid IPs is {range}")
        };
        let ip: Ipv4Addr = text.parse().map_err(|_| foreign())?;
        if !self.range.holds(ip) {
            return Err(foreign());
        }
        if self.ips.insert(ip) { Ok(ip) } else { Err("provided IP is already allocated".into()) }
    }

    /// Takes some free node port.
    pub fn any_port(&mut self) -> Option<u16> {
        let count = PORTS.end() - PORTS.start() + 1;
        let start = rand::rng().random_range(0..count);
        let mut ports = (0..count).map(|i| PORTS.start() + (start + i) % count);
        let port = ports.find(|port| !self.ports.contains(port))?;
        self.ports.insert(port);
        Some(port)
    }

    /// Takes this very node port.
    pub fn this_port(&mut self, port: i64) -> Result<u16, &'static str> {
        let port = u16::try_from(port).ok().filter(|port| PORTS.contains(port)).ok_or(FOREIGN_PORT)?;
        if self.ports.insert(port) { Ok(port) } else { Err(TAKEN_PORT) }
    }
}
