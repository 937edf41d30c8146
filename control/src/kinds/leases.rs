//! Leases: renewed all the time, and worth nothing after a crash.

use jiff::Timestamp;
use serde_json::Value;

use super::access::Look;
use super::columns::{AGE, Column, NAME};
use super::{Behavior, cells};
use crate::field::{Errors, Path};
use crate::store::Class;

/// What leases do.
pub const BEHAVIOR: Behavior = Behavior {
    validate,
    columns: &[
        NAME,
        Column::text(
            "Holder",
            "holderIdentity contains the identity of the holder of a current lease. If Coordinated Leader Election is \
             used, the holder identity must be equal to the elected LeaseCandidate.metadata.name field.",
        ),
        AGE,
    ],
    row: |lease: &Value, now: Timestamp| {
        vec![cells::name(lease), lease.text("spec.holderIdentity").into(), cells::age(lease, now)]
    },
    class: Class::Volatile,
    allow_unconditional_update: false,
    allow_create_on_update: true,
    ..Behavior::GENERIC
};

fn validate(lease: &Value, errors: &mut Errors) {
    let at = Path::new("spec");
    if let Some(seconds) = lease.int("spec.leaseDurationSeconds").filter(|s| *s <= 0) {
        errors.invalid(&at.child("leaseDurationSeconds"), seconds, "must be greater than 0");
    }
    if let Some(n) = lease.int("spec.leaseTransitions").filter(|n| *n < 0) {
        errors.invalid(&at.child("leaseTransitions"), n, "must be greater than or equal to 0");
    }
}
