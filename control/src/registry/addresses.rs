//! Cluster IPs and node ports: claimed before a Service is written, kept once it is, free when it goes.

use serde_json::Value;

use super::Registry;
use super::resources::Target;
use crate::kinds::services::Reservation;
use crate::status::Status;

/// What a write has claimed; given back when it is dropped without [`Claim::keep`].
#[must_use]
pub struct Claim(Option<Reservation>);

impl Claim {
    /// The write succeeded.
    pub fn keep(self) {
        if let Some(reservation) = self.0 {
            reservation.commit();
        }
    }
}

impl Registry {
    /// Gives a Service the addresses that it needs; other kinds need none.
    pub(super) fn claim_addresses(
        &self,
        target: &Target,
        new: &mut Value,
        old: Option<&Value>,
    ) -> Result<Claim, Status> {
        if !target.resource.is("", "services") {
            return Ok(Claim(None));
        }
        let reservation = self.0.addresses.prepare(new, old);
        let reservation = reservation.map_err(|errors| Status::invalid("Service", &target.name, &errors))?;
        Ok(Claim(Some(reservation)))
    }

    /// Frees what a Service held that is gone.
    pub(super) fn release_addresses(&self, target: &Target, last: &Value) {
        if target.resource.is("", "services") {
            self.0.addresses.release(last);
        }
    }
}
