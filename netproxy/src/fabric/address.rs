//! Addresses: of a pod, of a range, and the pool that lends them.

use std::collections::HashSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::sync::Arc;

use parking_lot::Mutex;
use thiserror::Error;

/// A pod as the network knows it.
#[derive(Debug, Clone)]
pub struct PodAddress {
    /// The pod's address.
    pub ip: IpAddr,
    /// The namespace, in which short names resolve.
    pub namespace: String,
    /// The pod's name, for messages.
    pub name: String,
    /// The pod's own name for itself; resolves to its address.
    pub hostname: String,
    /// The headless service under which the pod has a name, when it has.
    pub subdomain: Option<String>,
    /// How names resolve in the pod.
    pub dns: DnsConfig,
}

#[cfg(test)]
impl PodAddress {
    /// A pod `web-1` in `default` at this address.
    pub fn for_test(ip: &str) -> Self {
        Self {
            ip: ip.parse().unwrap(),
            namespace: "default".to_owned(),
            name: "web-1".to_owned(),
            hostname: "web-1".to_owned(),
            subdomain: None,
            dns: DnsConfig::default(),
        }
    }
}

/// What a pod's `/etc/resolv.conf` and `/etc/hosts` would say.
#[derive(Debug, Clone)]
pub struct DnsConfig {
    /// Whether cluster names resolve at all: true for `ClusterFirst` and `ClusterFirstWithHostNet`.
    pub cluster: bool,
    /// Search domains besides the cluster's.
    pub search: Vec<String>,
    /// A name with fewer dots is tried with the search domains first.
    pub ndots: u8,
    /// `hostAliases`.
    pub hosts: Vec<(IpAddr, Vec<String>)>,
}

impl Default for DnsConfig {
    fn default() -> Self {
        Self { cluster: true, search: Vec::new(), ndots: 5, hosts: Vec::new() }
    }
}

/// A range of addresses, `10.42.0.0/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    base: IpAddr,
    prefix: u8,
}

/// The text is not a range of addresses.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{0:?} is not a CIDR such as 10.42.0.0/16")]
pub struct CidrError(String);

impl FromStr for Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, CidrError> {
        let parse = || {
            let (base, prefix) = text.split_once('/')?;
            let (base, prefix): (IpAddr, u8) = (base.parse().ok()?, prefix.parse().ok()?);
            let bits = if base.is_ipv4() { 32 } else { 128 };
            (prefix <= bits).then(|| Self { base: mask(base, prefix), prefix })
        };
        parse().ok_or_else(|| CidrError(text.to_owned()))
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix)
    }
}

impl Cidr {
    /// Whether the address is in the range.
    pub fn contains(&self, ip: IpAddr) -> bool {
        self.base.is_ipv4() == ip.is_ipv4() && mask(ip, self.prefix) == self.base
    }

    /// Whether any address is in both ranges. Of two that overlap, one holds the first address of the other.
    pub fn overlaps(&self, other: Self) -> bool {
        self.contains(other.base) || other.contains(self.base)
    }

    /// The address at `offset` from the first one; none outside of the range.
    pub fn nth(&self, offset: u64) -> Option<IpAddr> {
        let ip = match self.base {
            IpAddr::V4(base) => IpAddr::V4(Ipv4Addr::from(base.to_bits().checked_add(u32::try_from(offset).ok()?)?)),
            IpAddr::V6(base) => IpAddr::V6(Ipv6Addr::from(base.to_bits().checked_add(u128::from(offset))?)),
        };
        self.contains(ip).then_some(ip)
    }

    /// How many addresses there are, as far as a `u64` counts.
    fn size(&self) -> u64 {
        let bits = if self.base.is_ipv4() { 32 } else { 128 } - u32::from(self.prefix);
        1u64.checked_shl(bits).unwrap_or(u64::MAX)
    }
}

fn mask(ip: IpAddr, prefix: u8) -> IpAddr {
    let shift = |bits: u32| bits - u32::from(prefix);
    match ip {
        IpAddr::V4(ip) => Ipv4Addr::from(ip.to_bits() & u32::MAX.checked_shl(shift(32)).unwrap_or(0)).into(),
        IpAddr::V6(ip) => Ipv6Addr::from(ip.to_bits() & u128::MAX.checked_shl(shift(128)).unwrap_or(0)).into(),
    }
}

/// Lends the addresses of a range to pods.
///
/// The first two addresses (network and the host's own) and the last (broadcast) are never lent. The pool goes round,
/// so that an address rests as long as possible before another pod gets it: a client that still knows the old pod is
/// told that nobody is there, and does not reach a stranger.
#[derive(Debug, Clone)]
pub struct AddressPool(Arc<Mutex<Pool>>);

#[derive(Debug)]
struct Pool {
    cidr: Cidr,
    lent: HashSet<IpAddr>,
    next: u64,
}

/// The pool cannot lend.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PoolError {
    /// All are lent.
    #[error("no address is left in {0}")]
    Exhausted(Cidr),
    /// This very address is lent, or not of this range.
    #[error("the address {0} is not free")]
    NotFree(IpAddr),
}

impl AddressPool {
    /// A pool of this range, all free.
    pub fn new(cidr: Cidr) -> Self {
        Self(Arc::new(Mutex::new(Pool { cidr, lent: HashSet::new(), next: 2 })))
    }

    /// The range.
    pub fn cidr(&self) -> Cidr {
        self.0.lock().cidr
    }

    /// Lends the next free address.
    pub fn lease(&self) -> Result<PodIp, PoolError> {
        let mut pool = self.0.lock();
        let last = pool.cidr.size().saturating_sub(2);
        for _ in 2..=last {
            let offset = if pool.next > last { 2 } else { pool.next };
            pool.next = offset + 1;
            let Some(ip) = pool.cidr.nth(offset) else { break };
            if pool.lent.insert(ip) {
                return Ok(PodIp { ip, pool: self.clone() });
            }
        }
        Err(PoolError::Exhausted(pool.cidr))
    }

    /// Lends this very address, for a pod that had it before.
    pub fn claim(&self, ip: IpAddr) -> Result<PodIp, PoolError> {
        let mut pool = self.0.lock();
        if pool.cidr.contains(ip) && pool.lent.insert(ip) {
            return Ok(PodIp { ip, pool: self.clone() });
        }
        Err(PoolError::NotFree(ip))
    }
}

/// A lent address; goes back when dropped.
#[derive(Debug)]
pub struct PodIp {
    ip: IpAddr,
    pool: AddressPool,
}

impl PodIp {
    /// The address.
    pub fn ip(&self) -> IpAddr {
        self.ip
    }
}

impl Drop for PodIp {
    fn drop(&mut self) {
        self.pool.0.lock().lent.remove(&self.ip);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let range: Cidr = "10.42.7.9/16".parse().unwrap();
        assert_eq!(range.to_string(), "10.42.0.0/16");
        assert!(range.contains("10.42.255.255".parse().unwrap()));
        assert!(!range.contains("10.43.0.0".parse().unwrap()));
        assert_eq!(range.nth(65_536), None);
        assert!("fd00::/64".parse::<Cidr>().unwrap().contains("fd00::5".parse().unwrap()));
        assert!("0.0.0.0/0".parse::<Cidr>().unwrap().contains("9.9.9.9".parse().unwrap()));
        let overlap =
            |other: &str| range.overlaps(other.parse().unwrap()) && other.parse::<Cidr>().unwrap().overlaps(range);
        assert!(overlap("10.42.9.0/24") && overlap("10.0.0.0/8") && overlap("10.42.0.0/16"));
        assert!(!range.overlaps("10.43.0.0/16".parse().unwrap()) && !range.overlaps("fd00::/64".parse().unwrap()));
        for bad in ["10.42.0.0", "10.42.0.0/33", "x/8", ""] {
            assert!(bad.parse::<Cidr>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_comes_back_last() {
        let pool = AddressPool::new("10.42.0.0/29".parse().unwrap());
        let mut leases: Vec<PodIp> = (0..5).map(|_| pool.lease().unwrap()).collect();
        let ips: Vec<String> = leases.iter().map(|lease| lease.ip().to_string()).collect();
        assert_eq!(ips, ["10.42.0.2", "10.42.0.3", "10.42.0.4", "10.42.0.5", "10.42.0.6"]);
        assert!(pool.lease().is_err());
        leases.truncate(3);
        assert_eq!(pool.lease().unwrap().ip().to_string(), "10.42.0.5");
        assert_eq!(pool.lease().unwrap().ip().to_string(), "10.42.0.6");
        assert!(pool.claim("10.42.0.2".parse().unwrap()).is_err());
        assert!(pool.claim("10.42.0.6".parse().unwrap()).is_ok());
    }
}
