//! CertificateSigningRequests: stored and shown; nothing signs them yet.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::access::{Change, Look};
use super::columns::{AGE, Column, NAME};
use super::generic::keep_status;
use super::{Behavior, age, cells};

/// What requests do.
pub const BEHAVIOR: Behavior = Behavior {
    default: |request| {
        if request.items("spec.usages").is_empty() {
            request.set("spec", "usages", json!(["digital signature", "key encipherment"]));
        }
    },
    prepare_create: |request| request.set("", "status", json!({})),
    prepare_update: |new, old| {
        new.restore("", "spec", old);
        keep_status(new, old);
    },
    columns: &[
        NAME,
        AGE,
        Column::text("SignerName", "signerName indicates the requested signer, and is a qualified name."),
        Column::text(
            "Requestor",
            "username contains the name of the user that created the CertificateSigningRequest. Populated by the API \
             server on creation and immutable.",
        ),
        Column::text(
            "RequestedDuration",
            "expirationSeconds is the requested duration of validity of the issued certificate.",
        ),
        Column::text(
            "Condition",
            "conditions applied to the request. Known conditions are \"Approved\", \"Denied\", and \"Failed\".",
        ),
    ],
    row,
    fields: &["spec.signerName"],
    ..Behavior::GENERIC
};

fn row(request: &Value, now: Timestamp) -> Vec<Value> {
    let duration = request.int("spec.expirationSeconds").map_or("<none>".into(), age::human);
    vec![
        cells::name(request),
        cells::age(request, now),
        cells::text_or_none(request, "spec.signerName"),
        request.text("spec.username").into(),
        duration.into(),
        condition(request).into(),
    ]
}

fn condition(request: &Value) -> String {
    let has = |kind: &str| request.items("status.conditions").iter().any(|c| c.text("type") == kind);
    let mut status = match (has("Denied"), has("Approved")) {
        (true, _) => "Denied".to_owned(),
        (false, true) => "Approved".to_owned(),
        (false, false) => "Pending".to_owned(),
    };
    if has("Failed") {
        status.push_str(",Failed");
    }
    if !request.text("status.certificate").is_empty() {
        status.push_str(",Issued");
    }
    status
}
