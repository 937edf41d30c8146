//! The address ranges and addresses of services as objects: stored and shown, and not what addresses are given by.

use jiff::Timestamp;
use serde_json::Value;

use super::access::Look;
use super::columns::{AGE, Column, NAME};
use super::generic::keep_status;
use super::{Behavior, cells};

/// ServiceCIDRs.
pub const RANGES: Behavior = Behavior {
    prepare_update: keep_status,
    columns: &[
        NAME,
        Column::text(
            "CIDRs",
            "CIDRs defines the IP blocks in CIDR notation (e.g. \"192.168.0.0/24\" or \"2001:db8::/64\") from which to \
             assign service cluster IPs.",
        ),
        AGE,
    ],
    row: |range: &Value, now: Timestamp| {
        let ranges: Vec<&str> = range.items("spec.cidrs").iter().filter_map(Value::as_str).collect();
        vec![cells::name(range), ranges.join(",").into(), cells::age(range, now)]
    },
    ..Behavior::GENERIC
};

/// IPAddresses.
pub const ADDRESSES: Behavior = Behavior {
    columns: &[NAME, Column::text("ParentRef", "ParentRef references the resource that an IPAddress is attached to.")],
    row: |address: &Value, _: Timestamp| {
        let parts: Vec<&str> = ["resource", "group", "namespace", "name"]
            .into_iter()
            .enumerate()
            .map(|(i, field)| (i, address.at("spec.parentRef").text(field)))
            .filter(|(i, text)| *i == 0 || !text.is_empty())
            .map(|(_, text)| text)
            .collect();
        let parent = match parts.as_slice() {
            [resource, rest @ ..] if !address.text("spec.parentRef.group").is_empty() => {
                format!("{resource}.{}", rest.join("/"))
            }
            parts => parts.join("/"),
        };
        vec![cells::name(address), parent.into()]
    },
    ..Behavior::GENERIC
};
