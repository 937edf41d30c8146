//! What the host says of itself.

use std::net::{IpAddr, Ipv4Addr, UdpSocket};

/// The host's name as a node name, where it is one.
pub fn name() -> Option<String> {
    let name = rustix::system::uname().nodename().to_string_lossy().to_lowercase();
    let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    (!name.is_empty() && name.len() <= 63 && name.chars().all(good)).then_some(name)
}

/// The address under which others reach a listener: its own, or, for one on all addresses, that of the way out.
pub fn address(listen: IpAddr) -> IpAddr {
    if listen.is_unspecified() { way_out().unwrap_or(Ipv4Addr::LOCALHOST.into()) } else { listen }
}

/// The address that packets to the world would come from. A connected datagram socket knows it, and sends nothing.
fn way_out() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(198, 51, 100, 1), 9)).ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_unspecified()).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_on_one_address_is_reached_there() {
        let one = IpAddr::from([127, 0, 0, 2]);
        assert_eq!(address(one), one);
        assert!(!address(Ipv4Addr::UNSPECIFIED.into()).is_unspecified());
    }
}
