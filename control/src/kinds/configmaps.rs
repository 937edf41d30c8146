//! ConfigMaps.

use jiff::Timestamp;
use objects::names;
use serde_json::Value;

use super::access::Look;
use super::columns::{AGE, Column, NAME};
use super::{Behavior, cells};
use crate::field::{Errors, Path};

/// How many bytes of data a ConfigMap or a Secret may hold.
pub const SIZE_MAX: usize = 1024 * 1024;

/// What ConfigMaps do.
pub const BEHAVIOR: Behavior = Behavior {
    validate,
    validate_update,
    columns: &[
        NAME,
        Column::text(
            "Data",
            "Data contains the configuration data. Each key must consist of alphanumeric characters, '-', '_' or '.'. \
             Values with non-UTF-8 byte sequences must use the BinaryData field. The keys stored in Data must not overlap \
             with the keys in the BinaryData field, this is enforced during validation process.",
        ),
        AGE,
    ],
    row: |map, now: Timestamp| {
        let count = cells::len(map.at("data")) + cells::len(map.at("binaryData"));
        vec![cells::name(map), count.into(), cells::age(map, now)]
    },
    ..Behavior::GENERIC
};

fn validate(map: &Value, errors: &mut Errors) {
    let (data, binary) = (Path::new("data"), Path::new("binaryData"));
    let mut size = 0;
    for (key, value) in map.entries("data") {
        errors.all_invalid(&data.key(key), key, names::config_map_key(key));
        if map.at("binaryData").get(key).is_some() {
            errors.invalid(&data.key(key), key, "duplicate of key present in binaryData");
        }
        size += value.as_str().unwrap_or_default().len();
    }
    for (key, value) in map.entries("binaryData") {
        errors.all_invalid(&binary.key(key), key, names::config_map_key(key));
        size += decoded_len(value);
    }
    if size > SIZE_MAX {
        // Kubernetes names no field here, and writes it so.
        errors.too_long(&Path::default().key(""), SIZE_MAX);
    }
}

fn validate_update(new: &Value, old: &Value, errors: &mut Errors) {
    keep_immutable(new, old, &["data", "binaryData"], errors);
}

/// What is marked immutable stays so, and so do the fields.
pub fn keep_immutable(new: &Value, old: &Value, fields: &[&str], errors: &mut Errors) {
    const WHY: &str = "field is immutable when `immutable` is set";
    if !old.flag("immutable") {
        return;
    }
    if !new.flag("immutable") {
        errors.forbidden(&Path::new("immutable"), WHY);
    }
    for field in fields {
        if new.at(field) != old.at(field) {
            errors.forbidden(&Path::new(field), WHY);
        }
    }
}

/// How many bytes a base64 text stands for.
pub fn decoded_len(text: &Value) -> usize {
    let text = text.as_str().unwrap_or_default();
    text.len() / 4 * 3 - text.bytes().rev().take_while(|b| *b == b'=').count().min(text.len() / 4 * 3)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_sizes_and_immutability() {
        let mut errors = Errors::default();
        validate(&json!({"data": {"a b": "x"}}), &mut errors);
        assert!(
            errors.to_string().starts_with("data[a b]: Invalid value: \"a b\": a valid config key must consist of")
        );
        let mut errors = Errors::default();
        validate(&json!({"data": {"a": "x".repeat(SIZE_MAX + 1)}}), &mut errors);
        assert_eq!(errors.to_string(), "[]: Too long: may not be more than 1048576 bytes");
        let mut errors = Errors::default();
        let old = json!({"data": {"a": "1"}, "immutable": true});
        validate_update(&json!({"data": {"a": "2"}}), &old, &mut errors);
        assert_eq!(
            errors.to_string(),
            "[immutable: Forbidden: field is immutable when `immutable` is set, data: Forbidden: field is immutable when \
             `immutable` is set]"
        );
        assert_eq!((decoded_len(&json!("AAE=")), decoded_len(&json!(""))), (2, 0));
    }
}
