//! EndpointSlices.

use std::net::IpAddr;

use jiff::Timestamp;
use objects::names;
use serde_json::Value;

use super::access::{Change, Look};
use super::columns::{AGE, Column, NAME};
use super::{Behavior, Generation, cells, endpoints, metadata};
use crate::field::{Errors, Path};

const SHOWN: usize = 3;
const ENDPOINTS_MAX: usize = 1000;
const ADDRESSES_MAX: usize = 100;
const PORTS_MAX: usize = 20000;
const TYPES: [&str; 3] = ["FQDN", "IPv4", "IPv6"];

/// What EndpointSlices do.
pub const BEHAVIOR: Behavior = Behavior {
    default,
    validate,
    validate_update: |new, old, errors| {
        if new.text("addressType") != old.text("addressType") {
            errors.invalid(&Path::new("addressType"), new.text("addressType"), metadata::IMMUTABLE);
        }
    },
    columns: &[
        NAME,
        Column::text(
            "AddressType",
            "addressType specifies the type of address carried by this EndpointSlice. All addresses in this slice must be \
             the same type. This field is immutable after creation. The following address types are currently supported: \
             * IPv4: Represents an IPv4 Address. * IPv6: Represents an IPv6 Address. * FQDN: Represents a Fully Qualified \
             Domain Name.",
        ),
        Column::text(
            "Ports",
            "ports specifies the list of network ports exposed by each endpoint in this slice. Each port must have a \
             unique name. When ports is empty, it indicates that there are no defined ports. When a port is defined with a \
             nil port value, it indicates \"all ports\". Each slice may include a maximum of 100 ports.",
        ),
        Column::text(
            "Endpoints",
            "endpoints is a list of unique endpoints in this slice. Each slice may include a maximum of 1000 endpoints.",
        ),
        AGE,
    ],
    row,
    generation: Generation::Spec,
    ..Behavior::GENERIC
};

fn default(slice: &mut Value) {
    for port in slice.items_mut("ports") {
        port.set_default("", "name", "");
        port.set_default("", "protocol", "TCP");
    }
}

fn validate(slice: &Value, errors: &mut Errors) {
    let kind = slice.text("addressType");
    match kind {
        "" => errors.required(&Path::new("addressType"), ""),
        other if !TYPES.contains(&other) => errors.not_supported(&Path::new("addressType"), other, &TYPES),
        _ => {}
    }
    let list = slice.items("endpoints");
    let at = Path::new("endpoints");
    if list.len() > ENDPOINTS_MAX {
        return errors.too_many(&at, list.len(), ENDPOINTS_MAX);
    }
    for (i, endpoint) in list.iter().enumerate() {
        self::endpoint(endpoint, kind, &at.index(i), errors);
    }
    ports(slice.items("ports"), &Path::new("ports"), errors);
}

fn endpoint(endpoint: &Value, kind: &str, at: &Path, errors: &mut Errors) {
    let at_addresses = at.child("addresses");
    match endpoint.items("addresses") {
        [] => errors.required(&at_addresses, "must contain at least 1 address"),
        many if many.len() > ADDRESSES_MAX => errors.too_many(&at_addresses, many.len(), ADDRESSES_MAX),
        addresses => {
            for (i, address) in addresses.iter().filter_map(Value::as_str).enumerate() {
                self::address(address, kind, &at_addresses.index(i), errors);
            }
        }
    }
    let hostname = endpoint.text("hostname");
    if !hostname.is_empty() {
        errors.all_invalid(&at.child("hostname"), hostname, names::dns1123_label(hostname));
    }
    let node = endpoint.text("nodeName");
    if !node.is_empty() {
        errors.all_invalid(&at.child("nodeName"), node, names::dns1123_subdomain(node));
    }
}

fn address(address: &str, kind: &str, at: &Path, errors: &mut Errors) {
    match (kind, address.parse::<IpAddr>()) {
        ("IPv4", Ok(ip @ IpAddr::V4(_))) | ("IPv6", Ok(ip @ IpAddr::V6(_))) => endpoints::usable(ip, at, errors),
        ("IPv4", _) => errors.invalid(at, address, "must be a valid IPv4 address"),
        ("IPv6", _) => errors.invalid(at, address, "must be a valid IPv6 address"),
        ("FQDN", _) => errors.all_invalid(at, address, names::dns1123_subdomain(address)),
        _ => {}
    }
}

fn ports(ports: &[Value], at: &Path, errors: &mut Errors) {
    if ports.len() > PORTS_MAX {
        return errors.too_many(at, ports.len(), PORTS_MAX);
    }
    let mut taken = Vec::new();
    for (i, port) in ports.iter().enumerate() {
        let at = at.index(i);
        let name = port.text("name");
        if !name.is_empty() {
            errors.all_invalid(&at.child("name"), name, names::dns1123_label(name));
        }
        if taken.contains(&name) {
            errors.duplicate(&at.child("name"), name);
        }
        taken.push(name);
        let protocol = port.text("protocol");
        let protocols = ["SCTP", "TCP", "UDP"];
        if !protocols.contains(&protocol) {
            errors.not_supported(&at.child("protocol"), protocol, &protocols);
        }
    }
}

fn row(slice: &Value, now: Timestamp) -> Vec<Value> {
    let ports: Vec<String> = slice
        .items("ports")
        .iter()
        .map(|p| match (p.int("port"), p.at("name").as_str()) {
            (Some(number), _) => number.to_string(),
            (None, Some(name)) => name.to_owned(),
            (None, None) => "*".into(),
        })
        .collect();
    let addresses: Vec<String> = slice
        .items("endpoints")
        .iter()
        .flat_map(|e| e.items("addresses"))
        .filter_map(|a| a.as_str().map(str::to_owned))
        .collect();
    vec![
        cells::name(slice),
        slice.text("addressType").into(),
        cells::or(&cells::some_of(&ports, SHOWN), "<unset>"),
        cells::or(&cells::some_of(&addresses, SHOWN), "<unset>"),
        cells::age(slice, now),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_as_the_reference_prints_it() {
        let now = "2026-11-20T09:25:27Z".parse().expect("a time");
        let slice = json!({"metadata": {"name": "kubernetes", "creationTimestamp": "2026-11-20T09:25:20Z"},
            "addressType": "IPv4", "ports": [{"name": "https", "port": 46443}], "endpoints": [{"addresses": ["192.0.2.2"]}]});
        assert_eq!(Value::from(row(&slice, now)), json!(["kubernetes", "IPv4", "46443", "192.0.2.2", "7s"]));
        let bare = json!({"metadata": {"name": "x"}, "addressType": "IPv4"});
        assert_eq!(Value::from(row(&bare, now)), json!(["x", "IPv4", "<unset>", "<unset>", "<unknown>"]));
    }

    #[test]
    fn rules() {
        let mut errors = Errors::default();
        validate(
            &json!({"addressType": "IPv4", "endpoints": [{"addresses": []}, {"addresses": ["::1"]}]}),
            &mut errors,
        );
        assert_eq!(
            errors.to_string(),
            "[endpoints[0].addresses: Required value: must contain at least 1 address, endpoints[1].addresses[0]: Invalid \
             value: \"::1\": must be a valid IPv4 address]"
        );
    }
}
