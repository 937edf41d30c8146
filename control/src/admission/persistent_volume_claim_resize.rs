//! PersistentVolumeClaimResize: a claim grows only where its class says that volumes can.

use serde_json::Value;

use super::amounts::quantity;
use super::default_class::{StorageClass, class_of};
use super::facts::Facts;
use super::{Operation, Review};
use crate::kinds::Look;
use crate::registry::Registry;
use crate::status::Status;

/// Refuses growth that nothing could carry out.
pub fn validate(
    classes: &Facts<StorageClass>,
    registry: &Registry,
    review: &Review<'_>,
    claim: &Value,
) -> Result<(), Status> {
    let updates = review.operation == Operation::Update && review.subresource.is_empty();
    let Some(old) = review.old.filter(|_| updates && review.is("", "persistentvolumeclaims")) else { return Ok(()) };
    let size = |claim: &Value| quantity(claim.at("spec.resources.requests.storage"));
    if size(claim) <= size(old) {
        return Ok(());
    }
    if old.text("status.phase") != "Bound" {
        return Err(review.forbidden(claim, "Only bound persistent volume claims can be expanded"));
    }
    let class = class_of(claim);
    let same = !class.is_empty() && class == class_of(old);
    if same && classes.one(registry.store(), &"".into(), class).is_some_and(|c| c.expands) {
        return Ok(());
    }
    let why = "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support \
               resize";
    Err(review.forbidden(claim, why))
}
