//! Cluster IPs and node ports: claimed before a Service is written, kept once it is.

use serde_json::Value;

use super::Registry;
use super::resources::Target;
use crate::status::Status;

/// What a write has claimed; given back when it is dropped without [`Claim::keep`].
pub struct Claim;

impl Claim {
    /// The write succeeded.
    pub fn keep(self) {}
}

impl Registry {
    pub(super) fn claim_addresses(&self, _: &Target, _: &mut Value, _: Option<&Value>) -> Result<Claim, Status> {
        Ok(Claim)
    }

    pub(super) fn release_addresses(&self, _: &Target, _: &Value) {}
}
