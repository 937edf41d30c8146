//! The address ranges and addresses of services as objects: stored and shown, and not what addresses are given by.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::access::{Change, Look};
use super::columns::{AGE, Column, NAME};
use super::generic::keep_status;
use super::{Behavior, addresses, cells, metadata};
use crate::field::{Errors, Path};

/// ServiceCIDRs.
pub const RANGES: Behavior = Behavior {
    prepare_create: |range| range.set("", "status", json!({})),
    prepare_update: keep_status,
    validate: ranges,
    validate_update: |new, old, errors| {
        let at = Path::new("spec").child("cidrs");
        if new.at("spec.cidrs") != old.at("spec.cidrs") {
            errors.invalid(&at, new.at("spec.cidrs").clone(), metadata::IMMUTABLE);
        }
    },
    columns: &[
        NAME,
        Column::text(
            "CIDRs",
            "CIDRs defines the IP blocks in CIDR notation (e.g. \"192.168.0.0/24\" or \"2001:db8::/64\") from which \
             to assign service cluster IPs. Max of two CIDRs is allowed, one of each IP family. This field is \
             immutable.",
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
    validate: address,
    validate_update: |new, old, errors| {
        let at = Path::new("spec").child("parentRef");
        if new.at("spec.parentRef") != old.at("spec.parentRef") {
            errors.invalid(&at, new.at("spec.parentRef").clone(), metadata::IMMUTABLE);
        }
    },
    columns: &[
        NAME,
        Column::text(
            "ParentRef",
            "ParentRef references the resource that an IPAddress is attached to. An IPAddress must reference a parent \
             object.",
        ),
    ],
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

fn ranges(range: &Value, errors: &mut Errors) {
    let (list, at) = (range.items("spec.cidrs"), Path::new("spec").child("cidrs"));
    if list.is_empty() {
        return errors.required(&at, "at least one CIDR required");
    }
    if list.len() > 2 {
        return errors.invalid(&at, Value::from(list), "may only hold up to 2 values");
    }
    for (i, text) in list.iter().filter_map(Value::as_str).enumerate() {
        let at = at.index(i);
        if addresses::range(text, &at, errors).is_some_and(|range| !range.is_canonical()) {
            errors.invalid(&at, text, "must not have bits set beyond the prefix length");
        }
    }
}

/// An address is named by what it is, and belongs to something.
fn address(address: &Value, errors: &mut Errors) {
    addresses::ip(address.text("metadata.name"), &Path::new("metadata").child("name"), errors);
    let at = Path::new("spec").child("parentRef");
    if !address.has("spec.parentRef") {
        return errors.required(&at, "");
    }
    for field in ["resource", "name"] {
        if address.at("spec.parentRef").text(field).is_empty() {
            errors.required(&at.child(field), "");
        }
    }
}
