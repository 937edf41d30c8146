//! ResourceQuotas: stored and shown; nothing counts by them yet.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::access::{Change, Look};
use super::columns::{AGE, Column, NAME};
use super::generic::keep_status;
use super::{Behavior, cells, numbers};
use crate::field::Path;

/// What quotas do.
pub const BEHAVIOR: Behavior = Behavior {
    prepare_create: |quota| quota.set("", "status", json!({})),
    prepare_update: keep_status,
    validate: |quota, errors| {
        for (name, amount) in quota.entries("spec.hard") {
            numbers::not_negative_amount(amount, &Path::new("spec").child("hard").key(name), errors);
        }
    },
    columns: &[
        NAME,
        Column::text("Request", "Request represents a minimum amount of cpu/memory that a container may consume."),
        Column::text(
            "Limit",
            "Limits control the maximum amount of cpu/memory that a container may use independent of contention on the \
             node.",
        ),
        AGE,
    ],
    row: |quota: &Value, now: Timestamp| {
        vec![cells::name(quota), amounts(quota, false).into(), amounts(quota, true).into(), cells::age(quota, now)]
    },
    ..Behavior::GENERIC
};

/// `pods: 5/100, …` sorted by name.
fn amounts(quota: &Value, limits: bool) -> String {
    let mut all: Vec<String> = quota
        .entries("status.hard")
        .filter(|(name, _)| name.starts_with("limits") == limits)
        .map(|(name, hard)| {
            let used = quota.at("status.used").get(name).and_then(Value::as_str).unwrap_or("0");
            format!("{name}: {used}/{}", hard.as_str().unwrap_or_default())
        })
        .collect();
    all.sort();
    all.join(", ")
}
