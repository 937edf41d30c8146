//! A network divided into equal shares.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// Which shares of a network are held.
#[derive(Debug)]
pub(super) struct Shares {
    base: u32,
    mask: u8,
    count: u32,
    held: BTreeSet<u32>,
}

impl Shares {
    /// The shares with `mask` bits of a network; nothing where that is no division.
    pub fn new(network: &str, mask: u8) -> Option<Self> {
        let (address, prefix) = network.split_once('/')?;
        let (address, prefix): (Ipv4Addr, u8) = (address.parse().ok()?, prefix.parse().ok()?);
        if prefix > mask || mask > 32 || mask - prefix >= 24 {
            return None;
        }
        let keep = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
        Some(Self { base: u32::from(address) & keep, mask, count: 1 << (mask - prefix), held: BTreeSet::new() })
    }

    /// Takes the first free share.
    pub fn next(&mut self) -> Option<String> {
        let free = (0..self.count).find(|n| !self.held.contains(n))?;
        self.held.insert(free);
        Some(self.text(free))
    }

    /// Marks a share as held. One that is none of ours is nobody's business here.
    pub fn take(&mut self, share: &str) {
        if let Some(n) = self.number(share) {
            self.held.insert(n);
        }
    }

    /// Gives a share back.
    pub fn release(&mut self, share: &str) {
        if let Some(n) = self.number(share) {
            self.held.remove(&n);
        }
    }

    fn text(&self, n: u32) -> String {
        let step = 32 - u32::from(self.mask);
        let offset = n.checked_shl(step).unwrap_or(0);
        format!("{}/{}", Ipv4Addr::from(self.base | offset), self.mask)
    }

    fn number(&self, share: &str) -> Option<u32> {
        let address: Ipv4Addr = share.split_once('/')?.0.parse().ok()?;
        let offset = u32::from(address).checked_sub(self.base)?;
        let n = offset.checked_shr(32 - u32::from(self.mask)).unwrap_or(0);
        (n < self.count).then_some(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_given_once_and_come_back() {
        let mut shares = Shares::new("10.42.0.0/16", 18).expect("a division");
        shares.take("10.42.64.0/18");
        let given: Vec<_> = std::iter::from_fn(|| shares.next()).collect();
        assert_eq!(given, ["10.42.0.0/18", "10.42.128.0/18", "10.42.192.0/18"]);
        shares.release("10.42.128.0/18");
        assert_eq!(shares.next().as_deref(), Some("10.42.128.0/18"));
        assert_eq!(Shares::new("10.42.0.0/16", 16).and_then(|mut s| s.next()).as_deref(), Some("10.42.0.0/16"));
        assert!(Shares::new("10.42.0.0/16", 8).is_none() && Shares::new("fd00::/48", 64).is_none());
    }
}
