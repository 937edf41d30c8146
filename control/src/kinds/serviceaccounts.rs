//! ServiceAccounts.

use jiff::Timestamp;
use serde_json::Value;

use super::access::Look;
use super::columns::{AGE, Column, NAME};
use super::{Behavior, cells};

/// What service accounts do.
pub const BEHAVIOR: Behavior = Behavior {
    columns: &[
        NAME,
        Column::text(
            "Secrets",
            "Secrets is a list of the secrets in the same namespace that pods running using this ServiceAccount are \
             allowed to use.",
        ),
        AGE,
    ],
    row: |account: &Value, now: Timestamp| {
        vec![cells::name(account), account.items("secrets").len().into(), cells::age(account, now)]
    },
    ..Behavior::GENERIC
};
