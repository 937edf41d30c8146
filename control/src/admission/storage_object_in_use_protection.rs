//! StorageObjectInUseProtection: a claim that a pod uses, and a volume that a claim uses, outlive their deletion. The
//! controller `storage_protection` lets them go.

use serde_json::Value;

use super::Review;
use crate::kinds::{Change, Look};

/// Held while a pod uses the claim.
pub const CLAIM: &str = "kubernetes.io/pvc-protection";
/// Held while a claim is bound to the volume.
pub const VOLUME: &str = "kubernetes.io/pv-protection";

/// Puts the finalizer on a new claim or volume.
pub fn mutate(review: &Review<'_>, object: &mut Value) {
    let finalizer = if review.creates("", "persistentvolumeclaims") {
        CLAIM
    } else if review.creates("", "persistentvolumes") {
        VOLUME
    } else {
        return;
    };
    let mut finalizers = object.items("metadata.finalizers").to_vec();
    if !finalizers.iter().any(|f| f == finalizer) {
        finalizers.push(finalizer.into());
        object.set("metadata", "finalizers", finalizers);
    }
}
