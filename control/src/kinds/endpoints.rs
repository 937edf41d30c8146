//! Endpoints: the older shape of EndpointSlices, kept for clients that read it.

use std::net::IpAddr;

use jiff::Timestamp;
use objects::names;
use serde_json::Value;

use super::access::{Change, Look};
use super::columns::{AGE, Column, NAME};
use super::{Behavior, cells};
use crate::field::{Errors, Path};

const SHOWN: usize = 3;

/// What endpoints do.
pub const BEHAVIOR: Behavior = Behavior {
    default,
    validate,
    deprecation: Some("v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"),
    columns: &[
        NAME,
        Column::text(
            "Endpoints",
            "The set of all endpoints is the union of all subsets. Addresses are placed into subsets according to the IPs \
             they share. A single address with multiple ports, some of which are ready and some of which are not (because \
             they come from different containers) will result in the address being displayed in different subsets for the \
             different ports. No address will appear in both Addresses and NotReadyAddresses in the same subset. Sets of \
             addresses and ports that comprise a service.",
        ),
        AGE,
    ],
    row: |endpoints: &Value, now: Timestamp| {
        vec![cells::name(endpoints), addresses(endpoints).into(), cells::age(endpoints, now)]
    },
    ..Behavior::GENERIC
};

fn default(endpoints: &mut Value) {
    for subset in endpoints.items_mut("subsets") {
        for port in subset.items_mut("ports") {
            port.set_default("", "protocol", "TCP");
        }
    }
}

fn validate(endpoints: &Value, errors: &mut Errors) {
    for (i, subset) in endpoints.items("subsets").iter().enumerate() {
        let at = Path::new("subsets").index(i);
        let (ready, not_ready) = (subset.items("addresses"), subset.items("notReadyAddresses"));
        if ready.is_empty() && not_ready.is_empty() {
            errors.required(&at, "must specify `addresses` or `notReadyAddresses`");
        }
        for (field, list) in [("addresses", ready), ("notReadyAddresses", not_ready)] {
            for (i, address) in list.iter().enumerate() {
                self::address(address, &at.child(field).index(i), errors);
            }
        }
        let ports = subset.items("ports");
        for (i, port) in ports.iter().enumerate() {
            let at = at.child("ports").index(i);
            match port.text("name") {
                "" if ports.len() > 1 => errors.required(&at.child("name"), ""),
                "" => {}
                name => errors.all_invalid(&at.child("name"), name, names::dns1123_label(name)),
            }
            let number = port.int("port").unwrap_or_default();
            for why in names::port_number(number) {
                errors.invalid(&at.child("port"), number, &why);
            }
            let protocol = port.text("protocol");
            let protocols = ["SCTP", "TCP", "UDP"];
            if !protocols.contains(&protocol) {
                errors.not_supported(&at.child("protocol"), protocol, &protocols);
            }
        }
    }
}

fn address(address: &Value, at: &Path, errors: &mut Errors) {
    let ip = address.text("ip");
    match ip.parse::<IpAddr>() {
        Ok(ip) => usable(ip, &at.child("ip"), errors),
        Err(_) => errors.invalid(&at.child("ip"), ip, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"),
    }
    let hostname = address.text("hostname");
    if !hostname.is_empty() {
        errors.all_invalid(&at.child("hostname"), hostname, names::dns1123_label(hostname));
    }
}

/// Addresses that mean something else on every machine are no endpoints.
pub fn usable(ip: IpAddr, at: &Path, errors: &mut Errors) {
    let why = match ip {
        ip if ip.is_unspecified() => format!("may not be unspecified ({ip})"),
        ip if ip.is_loopback() => "may not be in the loopback range (127.0.0.0/8, ::1/128)".into(),
        IpAddr::V4(v4) if v4.is_link_local() => "may not be in the link-local range (169.254.0.0/16, fe80::/10)".into(),
        IpAddr::V6(v6) if v6.is_unicast_link_local() => {
            "may not be in the link-local range (169.254.0.0/16, fe80::/10)".into()
        }
        IpAddr::V4(v4) if v4.octets()[..3] == [224, 0, 0] => {
            "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)".into()
        }
        _ => return,
    };
    errors.invalid(at, ip.to_string(), &why);
}

fn addresses(endpoints: &Value) -> String {
    let subsets = endpoints.items("subsets");
    if subsets.is_empty() {
        return "<none>".into();
    }
    let mut all = Vec::new();
    for subset in subsets {
        let ips = || subset.items("addresses").iter().map(|a| a.text("ip"));
        if subset.items("ports").is_empty() {
            all.extend(ips().map(str::to_owned));
        }
        for port in subset.items("ports") {
            let port = port.int("port").unwrap_or_default();
            all.extend(
                ips().map(|ip| if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") }),
            );
        }
    }
    cells::some_of(&all, SHOWN)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn addresses_are_shown_up_to_three() {
        assert_eq!(addresses(&json!({})), "<none>");
        let two = json!({"subsets": [{"addresses": [{"ip": "10.0.0.1"}, {"ip": "10.0.0.2"}],
            "ports": [{"port": 80}, {"port": 443}]}]});
        assert_eq!(addresses(&two), "10.0.0.1:80,10.0.0.2:80,10.0.0.1:443 + 1 more...");
        let waiting = json!({"subsets": [{"notReadyAddresses": [{"ip": "10.0.0.1"}], "ports": [{"port": 80}]}]});
        assert_eq!(addresses(&waiting), "");
    }

    #[test]
    fn rules() {
        let mut errors = Errors::default();
        validate(&json!({"subsets": [{"addresses": [{"ip": "127.0.0.1"}, {"ip": "x"}]}, {}]}), &mut errors);
        assert_eq!(
            errors.to_string(),
            "[subsets[0].addresses[0].ip: Invalid value: \"127.0.0.1\": may not be in the loopback range (127.0.0.0/8, \
             ::1/128), subsets[0].addresses[1].ip: Invalid value: \"x\": must be a valid IP address, (e.g. 10.9.8.7 or \
             2001:db8::ffff), subsets[1]: Required value: must specify `addresses` or `notReadyAddresses`]"
        );
    }
}
