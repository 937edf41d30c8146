//! A range of IPv4 addresses.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

/// `10.43.0.0/16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    base: u32,
    bits: u8,
}

/// Text that is no range for services.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an IPv4 range of 4 to 2^20 addresses, like 10.43.0.0/16")]
pub struct CidrError(String);

impl Cidr {
    /// The first address that a service can have: the one after the network's own.
    pub fn first(self) -> Ipv4Addr {
        self.at(1)
    }

    /// The n-th address.
    pub fn at(self, n: u32) -> Ipv4Addr {
        Ipv4Addr::from(self.base.wrapping_add(n))
    }

    /// How many addresses there are, the network's own and the last one included.
    pub fn size(self) -> u32 {
        1 << (32 - self.bits)
    }

    /// True for an address that a service can have: neither the network's own nor the last one.
    pub fn holds(self, ip: Ipv4Addr) -> bool {
        let offset = u32::from(ip).wrapping_sub(self.base);
        (1..self.size() - 1).contains(&offset)
    }
}

impl FromStr for Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, CidrError> {
        let wrong = || CidrError(text.to_owned());
        let (ip, bits) = text.split_once('/').ok_or_else(wrong)?;
        let (ip, bits): (Ipv4Addr, u8) = (ip.parse().map_err(|_| wrong())?, bits.parse().map_err(|_| wrong())?);
        if !(12..=30).contains(&bits) {
            return Err(wrong());
        }
        Ok(Self { base: u32::from(ip) & (u32::MAX << (32 - bits)), bits })
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from(self.base), self.bits)
    }
}
