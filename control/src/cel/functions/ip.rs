//! Addresses and networks: `ip('10.0.0.1')`, `cidr('10.0.0.0/8').containsIP('10.1.2.3')`.

use std::fmt;
use std::net::IpAddr;

use super::super::value::Value;
use super::{Answer, Function, Run, failed, no_overload};

/// An address and how many of its bits are the network's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    address: IpAddr,
    bits: u8,
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

impl Cidr {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| {
            format!("network address parse error during conversion from string: netip.ParsePrefix({text:?}): {why}")
        };
        let (address, bits) = text.split_once('/').ok_or_else(|| wrong("no '/'"))?;
        let address = parse_ip(address).map_err(|error| wrong(&error))?;
        let digits =
            !bits.is_empty() && bits.bytes().all(|b| b.is_ascii_digit()) && (bits == "0" || !bits.starts_with('0'));
        let bits =
            bits.parse().ok().filter(|_| digits).ok_or_else(|| wrong(&format!("bad bits after slash: {bits:?}")))?;
        if bits > width(address) {
            return Err(wrong("prefix length out of range"));
        }
        Ok(Self { address, bits })
    }

    fn contains(self, address: IpAddr) -> bool {
        width(self.address) == width(address) && self.network(self.address) == self.network(address)
    }

    /// The network's bits of an address, the rest zero, right-aligned.
    fn network(self, address: IpAddr) -> u128 {
        let free = u32::from(width(address) - self.bits);
        number(address).checked_shr(free).unwrap_or_default()
    }

    fn masked(self) -> Self {
        let free = u32::from(width(self.address) - self.bits);
        let kept = self.network(self.address).checked_shl(free).unwrap_or_default();
        #[expect(clippy::cast_possible_truncation, reason = "an IPv4 address is the low 32 bits")]
        let address = match self.address {
            IpAddr::V4(_) => IpAddr::V4((kept as u32).into()),
            IpAddr::V6(_) => IpAddr::V6(kept.into()),
        };
        Self { address, bits: self.bits }
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u32::from(v4).into(),
        IpAddr::V6(v6) => v6.into(),
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn parse_ip(text: &str) -> Result<IpAddr, String> {
    if text.contains('%') {
        return Err(format!("IP address {text:?} with zone value is not allowed"));
    }
    match text.parse() {
        Ok(IpAddr::V6(v6)) if v6.to_ipv4_mapped().is_some() => {
            Err(format!("IPv4-mapped IPv6 address {text:?} is not allowed"))
        }
        Ok(address) => Ok(address),
        Err(_) => Err(format!(
            "IP Address {text:?} parse error during conversion from string: ParseAddr({text:?}): unable to parse IP"
        )),
    }
}

/// The function of this name.
pub fn find(name: &str) -> Option<Function> {
    Some(match name {
        "ip" | "isIP" | "ip.isCanonical" | "cidr" | "isCIDR" => read,
        ".family"
        | ".isUnspecified"
        | ".isLoopback"
        | ".isLinkLocalMulticast"
        | ".isLinkLocalUnicast"
        | ".isGlobalUnicast" => ask,
        ".containsIP" | ".containsCIDR" => contains,
        ".ip" | ".masked" | ".prefixLength" => part,
        _ => return None,
    })
}

fn read<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let [Value::String(text)] = of.as_slice() else { return Err(no_overload(run.name, &of)) };
    run.meter.charge(text.len() / 10)?;
    match run.name {
        "ip" => parse_ip(text).map(Value::Ip).map_err(failed),
        "isIP" => Ok(Value::Bool(parse_ip(text).is_ok())),
        "cidr" => Cidr::parse(text).map(Value::Cidr).map_err(failed),
        "isCIDR" => Ok(Value::Bool(Cidr::parse(text).is_ok())),
        _ => parse_ip(text).map(|address| Value::Bool(address.to_string() == **text)).map_err(failed),
    }
}

fn ask<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let [Value::Ip(address)] = of.as_slice() else { return Err(no_overload(run.name, &of)) };
    Ok(match run.name {
        ".family" => Value::Int(if address.is_ipv4() { 4 } else { 6 }),
        ".isUnspecified" => Value::Bool(address.is_unspecified()),
        ".isLoopback" => Value::Bool(address.is_loopback()),
        ".isLinkLocalMulticast" => Value::Bool(is_link_local_multicast(*address)),
        ".isLinkLocalUnicast" => Value::Bool(is_link_local_unicast(*address)),
        _ => Value::Bool(is_global_unicast(*address)),
    })
}

fn is_link_local_multicast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.octets()[..3] == [224, 0, 0],
        IpAddr::V6(v6) => v6.segments()[0] & 0xff0f == 0xff02,
    }
}

fn is_link_local_unicast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.segments()[0] & 0xffc0 == 0xfe80,
    }
}

fn is_global_unicast(address: IpAddr) -> bool {
    let is_broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
    !(is_broadcast
        || address.is_unspecified()
        || address.is_loopback()
        || address.is_multicast()
        || is_link_local_unicast(address))
}

fn contains<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let [Value::Cidr(network), part] = of.as_slice() else { return Err(no_overload(run.name, &of)) };
    let holds = match (run.name, part) {
        (".containsIP", Value::Ip(address)) => network.contains(*address),
        (".containsIP", Value::String(text)) => network.contains(parse_ip(text).map_err(failed)?),
        (".containsCIDR", Value::Cidr(part)) => holds(*network, *part),
        (".containsCIDR", Value::String(text)) => holds(*network, Cidr::parse(text).map_err(failed)?),
        _ => return Err(no_overload(run.name, &of)),
    };
    Ok(Value::Bool(holds))
}

fn holds(network: Cidr, part: Cidr) -> bool {
    network.bits <= part.bits && network.contains(part.address)
}

fn part<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let [Value::Cidr(network)] = of.as_slice() else { return Err(no_overload(run.name, &of)) };
    Ok(match run.name {
        ".ip" => Value::Ip(network.address),
        ".masked" => Value::Cidr(network.masked()),
        _ => Value::Int(network.bits.into()),
    })
}
