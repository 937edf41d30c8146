//! Cluster IPs and node ports: who has which, decided in memory.
//!
//! The set of taken addresses is rebuilt from the services at start. A create or update reserves what it needs
//! before it is written, under one lock, so that two requests at once never get the same; a [`Reservation`] that
//! is dropped without [`Reservation::commit`] gives back what it took, and one that is committed gives back what
//! the old service no longer has.

mod cidr;
mod pool;

use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Value, json};

pub use cidr::{Cidr, CidrError};
use pool::{Pool, Taken};

use super::update::{has_cluster_ip, has_node_ports};
use crate::field::{Errors, Path};
use crate::kinds::access::{Change, Look};

/// The addresses of all services. Clone = handle.
#[derive(Clone)]
pub struct Addresses(Arc<Mutex<Pool>>);

/// What one create or update took; given back when dropped, unless it was committed.
#[must_use = "dropping a reservation gives the addresses back"]
pub struct Reservation {
    addresses: Addresses,
    /// Taken for the new service alone.
    taken: Taken,
    /// Of the old service, and not of the new one.
    surplus: Taken,
}

impl Addresses {
    /// All addresses of the range, with those of the services taken. The first one is the API's.
    pub fn new<'a>(range: Cidr, services: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut pool = Pool::new(range);
        for service in services {
            pool.take(&Taken::of(service));
        }
        Self(Arc::new(Mutex::new(pool)))
    }

    /// The address of the service `kubernetes`, which nobody else gets by chance.
    pub fn first(&self) -> std::net::Ipv4Addr {
        self.0.lock().range().first()
    }

    /// Gives `new`, which takes the place of `old`, the addresses it needs and does not have.
    ///
    /// # Errors
    /// What it asks for is taken, out of range, or there is none left.
    pub fn prepare(&self, new: &mut Value, old: Option<&Value>) -> Result<Reservation, Errors> {
        let before = old.map(Taken::of).unwrap_or_default();
        let mut reservation =
            Reservation { addresses: self.clone(), taken: Taken::default(), surplus: Taken::default() };
        let mut errors = Errors::default();
        {
            let mut pool = self.0.lock();
            if has_cluster_ip(new) {
                cluster_ip(&mut pool, new, &before, &mut reservation.taken, &mut errors);
            }
            if has_node_ports(new) {
                node_ports(&mut pool, new, &before, &mut reservation.taken, &mut errors);
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        reservation.surplus = before.without(&Taken::of(new));
        Ok(reservation)
    }

    /// Gives back the addresses of a service that is gone.
    pub fn release(&self, service: &Value) {
        self.0.lock().give_back(&Taken::of(service));
    }
}

impl Reservation {
    /// The service is written: it keeps what it got, and what it no longer has is free.
    pub fn commit(mut self) {
        let surplus = std::mem::take(&mut self.surplus);
        self.taken = Taken::default();
        self.addresses.0.lock().give_back(&surplus);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if !self.taken.is_empty() {
            self.addresses.0.lock().give_back(&self.taken);
        }
    }
}

fn cluster_ip(pool: &mut Pool, service: &mut Value, before: &Taken, taken: &mut Taken, errors: &mut Errors) {
    families(service);
    let asked = service.text("spec.clusterIP").to_owned();
    match asked.as_str() {
        "None" => {}
        "" => match pool.any_ip() {
            Some(ip) => {
                taken.ip = Some(ip);
                service.set("spec", "clusterIP", ip.to_string());
                service.set("spec", "clusterIPs", json!([ip.to_string()]));
            }
            None => errors.invalid(
                &Path::new("spec").child("clusterIPs"),
                json!([]),
                "failed to allocate a serviceIP: range is full",
            ),
        },
        ip if before.ip.is_some_and(|before| before.to_string() == ip) => {}
        ip => match pool.this_ip(ip) {
            Ok(ip) => taken.ip = Some(ip),
            Err(why) => {
                let why = format!("failed to allocate IP {ip}: {why}");
                errors.invalid(&Path::new("spec").child("clusterIPs"), json!([ip]), &why);
            }
        },
    }
}

/// This cluster has one family. Headless services without a selector are shown as for both, as Kubernetes does.
fn families(service: &mut Value) {
    let unmanaged = service.text("spec.clusterIP") == "None" && service.entries("spec.selector").next().is_none();
    let (policy, families) =
        if unmanaged { ("RequireDualStack", json!(["IPv4", "IPv6"])) } else { ("SingleStack", json!(["IPv4"])) };
    service.set_default("spec", "ipFamilies", families);
    service.set_default("spec", "ipFamilyPolicy", policy);
}

/// Ports that differ only in protocol may share a number.
fn node_ports(pool: &mut Pool, service: &mut Value, before: &Taken, taken: &mut Taken, errors: &mut Errors) {
    let at = Path::new("spec").child("ports");
    for (i, port) in service.items("spec.ports").iter().enumerate() {
        let Some(number) = port.int("nodePort").filter(|n| *n != 0) else { continue };
        let known = u16::try_from(number).is_ok_and(|n| before.ports.contains(&n) || taken.ports.contains(&n));
        if known {
            continue;
        }
        match pool.this_port(number) {
            Ok(number) => drop(taken.ports.insert(number)),
            Err(why) => errors.invalid(&at.index(i).child("nodePort"), number, why),
        }
    }
    for (i, port) in service.items_mut("spec.ports").iter_mut().enumerate() {
        if port.int("nodePort").unwrap_or_default() != 0 {
            continue;
        }
        match pool.any_port() {
            Some(number) => {
                taken.ports.insert(number);
                port.set("", "nodePort", number);
            }
            None => errors.invalid(&at.index(i).child("nodePort"), 0, "failed to allocate a nodePort: range is full"),
        }
    }
}

#[cfg(test)]
mod tests;
