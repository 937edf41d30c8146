//! `nslookup [-type=A|AAAA] NAME [SERVER]`: what the pod's own name look-up says, in the words of busybox.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::{IpAddr, ToSocketAddrs as _};

use crate::failure::Failure;
use crate::files;
use crate::io::Io;

/// The cluster's name server, when nothing says which it is.
const SERVER: &str = "10.43.0.10";

pub fn nslookup(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let kind = arguments.iter().find_map(|word| word.to_lowercase().split_once('=').map(|(_, kind)| kind.to_owned()));
    let names: Vec<&String> = arguments.iter().filter(|word| !word.starts_with('-')).collect();
    let Some(name) = names.first() else { return Err("usage: nslookup [-type=A|AAAA] HOST".into()) };
    let server = server();
    writeln!(io.out, "Server:\t\t{server}\nAddress:\t{server}:53\n")?;
    let wanted = |address: &IpAddr| match kind.as_deref() {
        Some("aaaa") => address.is_ipv6(),
        Some("a") => address.is_ipv4(),
        _ => true,
    };
    let found = (name.as_str(), 0).to_socket_addrs();
    let addresses: BTreeSet<IpAddr> = found.into_iter().flatten().map(|address| address.ip()).filter(wanted).collect();
    if addresses.is_empty() {
        writeln!(io.out, "** server can't find {name}: NXDOMAIN\n")?;
        return Ok(1);
    }
    for address in addresses {
        writeln!(io.out, "Name:\t{name}\nAddress: {address}")?;
    }
    writeln!(io.out)?;
    Ok(0)
}

/// What `/etc/resolv.conf` says, or what the address of the cluster's API lets one think.
fn server() -> String {
    let file = files::read("/etc/resolv.conf").unwrap_or_default();
    let text = String::from_utf8_lossy(&file);
    let told = text.lines().find_map(|line| line.strip_prefix("nameserver")).map(|rest| rest.trim().to_owned());
    told.unwrap_or_else(|| match std::env::var("KUBERNETES_SERVICE_HOST") {
        Ok(host) if host.contains('.') => format!("{}.10", host.rsplit_once('.').map_or("10.43.0", |(net, _)| net)),
        _ => SERVER.to_owned(),
    })
}
