//! Addresses, between WASI's form and Rust's, and which of them make sense where.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use super::Result;
use super::bindings::wasi::sockets::network::{
    ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
};

/// The family of a socket, whichever version of WASI it is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Ipv4,
    Ipv6,
}

impl From<IpAddressFamily> for Family {
    fn from(family: IpAddressFamily) -> Family {
        match family {
            IpAddressFamily::Ipv4 => Family::Ipv4,
            IpAddressFamily::Ipv6 => Family::Ipv6,
        }
    }
}

impl Family {
    pub(super) fn of(address: SocketAddr) -> Family {
        if address.is_ipv4() { Family::Ipv4 } else { Family::Ipv6 }
    }

    /// Every address, and a port of the network's choice.
    pub(super) fn any(self) -> SocketAddr {
        match self {
            Family::Ipv4 => (Ipv4Addr::UNSPECIFIED, 0).into(),
            Family::Ipv6 => (Ipv6Addr::UNSPECIFIED, 0).into(),
        }
    }

    /// The address as such a socket has to show it: an IPv6 socket that was reached over IPv4 shows it mapped.
    pub(super) fn shows(self, address: SocketAddr) -> SocketAddr {
        match (address, self) {
            (SocketAddr::V4(v4), Family::Ipv6) => {
                let mapped = if v4.ip().is_unspecified() { Ipv6Addr::UNSPECIFIED } else { v4.ip().to_ipv6_mapped() };
                SocketAddrV6::new(mapped, v4.port(), 0, 0).into()
            }
            _ => address,
        }
    }

    /// An address that such a socket may bind.
    pub(super) fn local(self, address: SocketAddr) -> Option<SocketAddr> {
        (self.has(address.ip()) && is_unicast(address.ip())).then_some(address)
    }

    /// An address that such a socket may speak to.
    pub(super) fn remote(self, address: SocketAddr) -> Option<SocketAddr> {
        self.local(address).filter(|address| !address.ip().is_unspecified() && address.port() != 0)
    }

    fn has(self, ip: IpAddr) -> bool {
        match (ip, self) {
            (IpAddr::V4(_), Family::Ipv4) => true,
            (IpAddr::V6(v6), Family::Ipv6) => v6.to_ipv4_mapped().is_none(),
            _ => false,
        }
    }
}

pub(super) fn from_guest(address: IpSocketAddress) -> SocketAddr {
    match address {
        IpSocketAddress::Ipv4(v4) => SocketAddrV4::new(from_ipv4(v4.address), v4.port).into(),
        IpSocketAddress::Ipv6(v6) => {
            SocketAddrV6::new(from_ipv6(v6.address), v6.port, v6.flow_info, v6.scope_id).into()
        }
    }
}

pub(super) fn to_guest(address: SocketAddr, family: IpAddressFamily) -> IpSocketAddress {
    match Family::from(family).shows(address) {
        SocketAddr::V4(v4) => IpSocketAddress::Ipv4(Ipv4SocketAddress { port: v4.port(), address: to_ipv4(*v4.ip()) }),
        SocketAddr::V6(v6) => IpSocketAddress::Ipv6(Ipv6SocketAddress {
            port: v6.port(),
            flow_info: v6.flowinfo(),
            address: to_ipv6(*v6.ip()),
            scope_id: v6.scope_id(),
        }),
    }
}

pub(super) fn ip_to_guest(ip: IpAddr) -> IpAddress {
    match ip.to_canonical() {
        IpAddr::V4(v4) => IpAddress::Ipv4(to_ipv4(v4)),
        IpAddr::V6(v6) => IpAddress::Ipv6(to_ipv6(v6)),
    }
}

/// WASI's forms of an address, the same in every version.
type Four = (u8, u8, u8, u8);
type Six = (u16, u16, u16, u16, u16, u16, u16, u16);

pub(super) fn from_ipv4((a, b, c, d): Four) -> Ipv4Addr {
    Ipv4Addr::new(a, b, c, d)
}

pub(super) fn from_ipv6((a, b, c, d, e, f, g, h): Six) -> Ipv6Addr {
    Ipv6Addr::new(a, b, c, d, e, f, g, h)
}

pub(super) fn to_ipv4(ip: Ipv4Addr) -> Four {
    ip.octets().into()
}

pub(super) fn to_ipv6(ip: Ipv6Addr) -> Six {
    ip.segments().into()
}

/// An address that a socket of this family may bind.
pub(super) fn local(address: IpSocketAddress, family: IpAddressFamily) -> Result<SocketAddr> {
    Family::from(family).local(from_guest(address)).ok_or_else(|| ErrorCode::InvalidArgument.into())
}

/// An address that a socket of this family may speak to.
pub(super) fn remote(address: IpSocketAddress, family: IpAddressFamily) -> Result<SocketAddr> {
    Family::from(family).remote(from_guest(address)).ok_or_else(|| ErrorCode::InvalidArgument.into())
}

fn is_unicast(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => !v4.is_multicast() && !v4.is_broadcast(),
        IpAddr::V6(v6) => !v6.is_multicast(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guest(text: &str) -> IpSocketAddress {
        let address: SocketAddr = text.parse().unwrap();
        let family = if address.is_ipv4() { IpAddressFamily::Ipv4 } else { IpAddressFamily::Ipv6 };
        to_guest(address, family)
    }

    #[test]
    fn addresses_go_both_ways() {
        for text in ["10.42.0.7:80", "[fd00::1]:8080", "[::]:0"] {
            assert_eq!(from_guest(guest(text)), text.parse().unwrap());
        }
    }

    #[test]
    fn an_ipv6_socket_shows_ipv4_mapped() {
        let shown = from_guest(to_guest("10.42.0.7:80".parse().unwrap(), IpAddressFamily::Ipv6));
        assert_eq!(shown, "[::ffff:10.42.0.7]:80".parse().unwrap());
    }

    #[test]
    fn what_makes_no_sense_is_an_invalid_argument() {
        let v4 = IpAddressFamily::Ipv4;
        assert!(local(guest("0.0.0.0:80"), v4).is_ok());
        assert!(local(guest("[::1]:80"), v4).is_err(), "wrong family");
        assert!(local(guest("224.0.0.1:80"), v4).is_err(), "multicast");
        assert!(local(guest("[::ffff:1.2.3.4]:80"), IpAddressFamily::Ipv6).is_err(), "mapped");
        assert!(remote(guest("0.0.0.0:80"), v4).is_err(), "unspecified");
        assert!(remote(guest("10.0.0.1:0"), v4).is_err(), "port 0");
    }
}
