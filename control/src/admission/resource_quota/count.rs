//! Counting again: what the objects that are stored come to, with those that are just being stored.

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::sync::Arc;

use objects::quantity::Quantity;
use serde_json::Value;

use super::charge::Charge;
use super::scopes::Traits;
use super::usage::{self, Kind};
use super::{Quota, Quotas};
use crate::admission::amounts::{self, Amounts};
use crate::admission::facts::Fact;
use crate::registry::Registry;
use crate::store::{Entry, Store};

/// A kind whose objects have to be read to be counted.
pub trait Read {
    /// How it is reckoned.
    const KIND: Kind;
    /// The store's name of it.
    const RESOURCE: &'static str;
}

/// Pods.
pub struct Pod;
/// Services.
pub struct Service;
/// Claims.
pub struct Claim;

impl Read for Pod {
    const KIND: Kind = Kind::Pods;
    const RESOURCE: &'static str = "pods";
}

impl Read for Service {
    const KIND: Kind = Kind::Services;
    const RESOURCE: &'static str = "services";
}

impl Read for Claim {
    const KIND: Kind = Kind::Claims;
    const RESOURCE: &'static str = "persistentvolumeclaims";
}

/// What one object takes, kept as long as the object does not change.
pub struct Counted<K> {
    usage: Amounts,
    traits: Option<Traits>,
    kind: PhantomData<fn() -> K>,
}

impl<K: Read> Fact for Counted<K> {
    const RESOURCE: &'static str = K::RESOURCE;

    fn read(object: &Value) -> Self {
        Self {
            usage: K::KIND.usage(K::RESOURCE, object),
            traits: (K::KIND == Kind::Pods).then(|| Traits::of(object)),
            kind: PhantomData,
        }
    }
}

impl Quotas {
    /// What the namespace's objects take from the quota, by each name that its spec limits and that something counts
    /// under. `charges` were open before now; those whose object is not in the list yet are added.
    pub(super) fn count(&self, registry: &Registry, namespace: &str, quota: &Quota, charges: &[Charge]) -> Amounts {
        let mut used = Amounts::new();
        for resource in resources(registry, quota) {
            let Some(kind) = Kind::of(&resource) else { continue };
            let names = quota.wanted.keys().filter(|name| kind.counts_as(&resource, name));
            used.extend(names.map(|name| (name.clone(), Quantity::ZERO)));
            let entries = registry.store().list(&resource, Some(namespace)).entries;
            amounts::add(&mut used, &self.sum(registry.store(), kind, &resource, &entries, quota));
            let open = |charge: &&Charge| *charge.key.resource == *resource && charge.quotas.contains(&quota.name);
            for charge in charges.iter().filter(open) {
                if listed(&entries, charge) == charge.seen {
                    amounts::add(&mut used, &charge.delta);
                }
            }
        }
        used.retain(|name, _| quota.wanted.contains_key(name));
        used
    }

    fn sum(&self, store: &Store, kind: Kind, resource: &str, entries: &[Arc<Entry>], quota: &Quota) -> Amounts {
        let mut sum = Amounts::new();
        match kind {
            // Scopes are for pods; a quota that has some is about nothing else.
            Kind::Services | Kind::Claims | Kind::Others if !quota.scopes.is_empty() => {}
            Kind::Pods => {
                let pods = entries.iter().map(|entry| self.pods.of(store, entry));
                for pod in pods.filter(|pod| pod.traits.as_ref().is_some_and(|t| t.meet(&quota.scopes))) {
                    amounts::add(&mut sum, &pod.usage);
                }
            }
            Kind::Services => {
                entries.iter().for_each(|entry| amounts::add(&mut sum, &self.services.of(store, entry).usage));
            }
            Kind::Claims => {
                entries.iter().for_each(|entry| amounts::add(&mut sum, &self.claims.of(store, entry).usage));
            }
            Kind::Others => {
                let number = Quantity::from_whole(i64::try_from(entries.len()).unwrap_or(i64::MAX));
                sum.extend(usage::of_number(resource).into_keys().map(|name| (name, number)));
            }
        }
        sum
    }
}

/// The revision under which the charged object was listed.
fn listed(entries: &[Arc<Entry>], charge: &Charge) -> Option<crate::store::Revision> {
    let found = entries.binary_search_by(|entry| entry.key.name.cmp(&charge.key.name)).ok()?;
    Some(entries[found].revision)
}

/// The served resources that count under the quota's names.
fn resources(registry: &Registry, quota: &Quota) -> BTreeSet<String> {
    let served = registry.resources();
    let is_served = |name: &str| served.iter().any(|r| r.row.namespaced && *r.qualified == *name);
    let of = |name: &String| {
        let read = [Pod::RESOURCE, Service::RESOURCE, Claim::RESOURCE];
        let by_name = read.into_iter().find(|r| Kind::of(r).is_some_and(|kind| kind.counts_as(r, name)));
        let resource = by_name.unwrap_or_else(|| name.strip_prefix("count/").unwrap_or(name));
        let counts = Kind::of(resource).is_some_and(|kind| kind.counts_as(resource, name));
        (counts && is_served(resource)).then(|| resource.to_owned())
    };
    quota.wanted.keys().filter_map(of).collect()
}
