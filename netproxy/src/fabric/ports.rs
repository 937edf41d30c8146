//! Who holds which port of a pod: pure bookkeeping with the rules of POSIX.
//!
//! A wildcard binding excludes every specific binding of the same family at the port, and the other way round. The two
//! wildcards `0.0.0.0` and `::` live side by side, because a guest of WASI binds IPv6 sockets for IPv6 only; where
//! only `::` is bound it receives IPv4 as well. A port is free for the next binding at the moment of its release:
//! there is no TIME_WAIT, since no packet of an old connection can arrive late.

use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use super::error::SocketError;

/// The ports given out when a binding asks for port 0: Linux's default.
pub const EPHEMERAL: RangeInclusive<u16> = 32768..=60999;

/// The ports of one protocol in one pod; `T` is what is bound there.
#[derive(Debug)]
pub struct PortSpace<T> {
    ports: HashMap<u16, Vec<(IpAddr, T)>>,
    next: u16,
}

impl<T> Default for PortSpace<T> {
    fn default() -> Self {
        Self { ports: HashMap::new(), next: *EPHEMERAL.start() }
    }
}

impl<T> PortSpace<T> {
    /// Binds `value` at `ip`, at `port` or, for 0, at the next free ephemeral port. Returns the port.
    pub fn bind(&mut self, ip: IpAddr, port: u16, value: T) -> Result<u16, SocketError> {
        let port = if port == 0 { self.ephemeral()? } else { port };
        let bound = self.ports.entry(port).or_default();
        if bound.iter().any(|(other, _)| overlap(*other, ip)) {
            return Err(SocketError::AddressInUse);
        }
        bound.push((ip, value));
        Ok(port)
    }

    /// Frees what is bound at exactly this address.
    pub fn release(&mut self, ip: IpAddr, port: u16) -> Option<T> {
        let bound = self.ports.get_mut(&port)?;
        let index = bound.iter().position(|(other, _)| *other == ip)?;
        let (_, value) = bound.swap_remove(index);
        if bound.is_empty() {
            self.ports.remove(&port);
        }
        Some(value)
    }

    /// What is bound at exactly this address.
    pub fn get_mut(&mut self, ip: IpAddr, port: u16) -> Option<&mut T> {
        self.ports.get_mut(&port)?.iter_mut().find(|(other, _)| *other == ip).map(|(_, value)| value)
    }

    /// Who receives what is sent to this address: the specific binding, else the wildcard of the family, else `::`.
    pub fn receiver(&self, ip: IpAddr, port: u16) -> Option<&T> {
        let rank = |bound: IpAddr| match bound {
            _ if bound == ip => Some(0),
            _ if !bound.is_unspecified() => None,
            _ if bound.is_ipv4() == ip.is_ipv4() => Some(1),
            IpAddr::V6(_) => Some(2),
            IpAddr::V4(_) => None,
        };
        let ranked = self.ports.get(&port)?.iter().filter_map(|(bound, value)| Some((rank(*bound)?, value)));
        ranked.min_by_key(|(rank, _)| *rank).map(|(_, value)| value)
    }

    /// Takes everything out.
    pub fn clear(&mut self) -> Vec<T> {
        self.ports.drain().flat_map(|(_, bound)| bound).map(|(_, value)| value).collect()
    }

    /// A port at which nothing at all is bound, going round so that a freed one rests longest.
    fn ephemeral(&mut self) -> Result<u16, SocketError> {
        for _ in EPHEMERAL {
            let port = self.next;
            self.next = if port == *EPHEMERAL.end() { *EPHEMERAL.start() } else { port + 1 };
            if !self.ports.contains_key(&port) {
                return Ok(port);
            }
        }
        Err(SocketError::AddressInUse)
    }
}

fn overlap(a: IpAddr, b: IpAddr) -> bool {
    a == b || (a.is_ipv4() == b.is_ipv4() && (a.is_unspecified() || b.is_unspecified()))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn wildcard_and_specific_exclude_each_other_within_a_family() {
        for (held, asked, free) in [
            ("0.0.0.0", "127.0.0.1", false),
            ("127.0.0.1", "0.0.0.0", false),
            ("127.0.0.1", "127.0.0.2", true),
            ("10.42.0.5", "127.0.0.1", true),
            ("10.42.0.5", "10.42.0.5", false),
            ("::", "0.0.0.0", true),
            ("::", "::1", false),
            ("::1", "127.0.0.1", true),
        ] {
            let mut ports = PortSpace::default();
            ports.bind(ip(held), 80, ()).unwrap();
            assert_eq!(ports.bind(ip(asked), 80, ()).is_ok(), free, "{held} then {asked}");
        }
    }

    #[test]
    fn the_most_specific_binding_receives() {
        let mut ports = PortSpace::default();
        ports.bind(ip("::"), 80, "six").unwrap();
        assert_eq!(ports.receiver(ip("10.0.0.1"), 80), Some(&"six"));
        ports.bind(ip("0.0.0.0"), 80, "four").unwrap();
        assert_eq!(ports.receiver(ip("10.0.0.1"), 80), Some(&"four"));
        ports.bind(ip("127.0.0.1"), 81, "own").unwrap();
        assert_eq!(ports.receiver(ip("127.0.0.1"), 81), Some(&"own"));
        assert_eq!(ports.receiver(ip("10.0.0.1"), 81), None);
    }

    #[test]
    fn ephemeral_ports_run_out_and_come_back() {
        let mut ports = PortSpace::default();
        let given: HashSet<u16> = EPHEMERAL.map(|_| ports.bind(ip("10.0.0.1"), 0, ()).unwrap()).collect();
        assert_eq!(given.len(), EPHEMERAL.len());
        assert!(matches!(ports.bind(ip("10.0.0.1"), 0, ()), Err(SocketError::AddressInUse)));
        ports.release(ip("10.0.0.1"), 40000).unwrap();
        assert_eq!(ports.bind(ip("10.0.0.1"), 0, ()).unwrap(), 40000);
    }

    #[derive(Debug, Clone)]
    enum Op {
        Bind(usize, u16),
        Release(usize, u16),
    }

    const ADDRESSES: [&str; 6] = ["0.0.0.0", "127.0.0.1", "127.0.0.2", "10.42.0.5", "::", "::1"];

    fn op() -> impl Strategy<Value = Op> {
        let place = (0..ADDRESSES.len(), 0..4u16);
        prop_oneof![
            place.clone().prop_map(|(at, port)| Op::Bind(at, port)),
            place.prop_map(|(at, port)| Op::Release(at, port)),
        ]
    }

    proptest! {
        /// Against the plainest model there is: a set of addresses, searched whole each time.
        #[test]
        fn behaves_as_the_model(ops in proptest::collection::vec(op(), 1..60)) {
            let mut ports = PortSpace::default();
            let mut model: HashSet<(IpAddr, u16)> = HashSet::new();
            for op in ops {
                match op {
                    Op::Bind(at, port) => {
                        let at = ip(ADDRESSES[at]);
                        let clash = port != 0 && model.iter().any(|(held, taken)| {
                            let same_family = held.is_ipv4() == at.is_ipv4();
                            *taken == port && same_family && (*held == at || held.is_unspecified() || at.is_unspecified())
                        });
                        match ports.bind(at, port, ()) {
                            Ok(given) => {
                                prop_assert!(!clash);
                                prop_assert!(port == given || (port == 0 && EPHEMERAL.contains(&given)));
                                prop_assert!(model.insert((at, given)));
                            }
                            Err(_) => prop_assert!(clash),
                        }
                    }
                    Op::Release(at, port) => {
                        let at = ip(ADDRESSES[at]);
                        prop_assert_eq!(ports.release(at, port).is_some(), model.remove(&(at, port)));
                    }
                }
            }
            prop_assert_eq!(ports.clear().len(), model.len());
        }
    }
}
