//! The rules for addresses and ranges of them.

use std::net::IpAddr;

use crate::field::{Errors, Path};

const NOT_AN_IP: &str = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
const NOT_A_RANGE: &str = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

/// A range of addresses of either family, by its bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    v4: bool,
    base: u128,
    bits: u32,
}

impl Range {
    /// Reads `10.9.8.0/24`.
    pub fn parse(text: &str) -> Option<Self> {
        let (ip, bits) = text.split_once('/')?;
        let (base, v4) = number(ip.parse().ok()?);
        let (bits, most) = (bits.parse().ok()?, if v4 { 32 } else { 128 });
        (bits <= most).then_some(Self { v4, base, bits })
    }

    /// True where nothing but zeros follows the prefix.
    pub fn is_canonical(self) -> bool {
        self.masked(self.base) == self.base
    }

    /// True where the other range lies within this one, and is not this one.
    pub fn holds(self, inner: Self) -> bool {
        self.v4 == inner.v4 && self.bits < inner.bits && self.masked(inner.base) == self.masked(self.base)
    }

    fn masked(self, address: u128) -> u128 {
        let width = if self.v4 { 32 } else { 128 };
        u128::MAX.checked_shl(width - self.bits).map_or(0, |mask| address & mask)
    }
}

fn number(ip: IpAddr) -> (u128, bool) {
    match ip {
        IpAddr::V4(ip) => (u32::from(ip).into(), true),
        IpAddr::V6(ip) => (ip.into(), false),
    }
}

/// The rule for an address.
pub fn ip(text: &str, at: &Path, errors: &mut Errors) {
    if text.parse::<IpAddr>().is_err() {
        errors.invalid(at, text, NOT_AN_IP);
    }
}

/// The rule for a range: what it is, where it is one.
pub fn range(text: &str, at: &Path, errors: &mut Errors) -> Option<Range> {
    let range = Range::parse(text);
    if range.is_none() {
        errors.invalid(at, text, NOT_A_RANGE);
    }
    range
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_within_ranges() {
        let range = |text| Range::parse(text).expect("a range");
        assert!(range("10.0.0.0/8").holds(range("10.1.0.0/16")));
        assert!(!range("10.0.0.0/8").holds(range("10.0.0.0/8")));
        assert!(!range("10.0.0.0/8").holds(range("11.0.0.0/16")));
        assert!(!range("::/0").holds(range("10.0.0.0/8")));
        assert!(range("0.0.0.0/0").holds(range("10.0.0.0/8")));
        assert!(!range("10.0.0.1/8").is_canonical() && range("2001:db8::/64").is_canonical());
        assert_eq!(Range::parse("10.0.0.0/33"), None);
    }
}
