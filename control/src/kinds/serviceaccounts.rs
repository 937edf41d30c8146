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
             allowed to use. Pods are only limited to this list if this service account has a \
             \"kubernetes.io/enforce-mountable-secrets\" annotation set to \"true\". The \
             \"kubernetes.io/enforce-mountable-secrets\" annotation is deprecated since v1.32. Prefer separate \
             namespaces to isolate access to mounted secrets. This field should not be used to find auto-generated \
             service account token secrets for use outside of pods. Instead, tokens can be requested directly using \
             the TokenRequest API, or service account token secrets can be manually created. More info: \
             https://kubernetes.io/docs/concepts/configuration/secret",
        ),
        AGE,
    ],
    row: |account: &Value, now: Timestamp| {
        vec![cells::name(account), account.items("secrets").len().into(), cells::age(account, now)]
    },
    ..Behavior::GENERIC
};
