//! From wanted endpoints and present slices to the fewest writes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointSlice};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use objects::{owners, time};

use super::desired::{Group, Wanted, families};
use super::{MANAGED_BY, MANAGER};

/// A slice holds no more endpoints.
const MOST: usize = 100;
const SERVICE_NAME: &str = "kubernetes.io/service-name";
const HEADLESS: &str = "service.kubernetes.io/headless";
const TRIGGERED: &str = "endpoints.kubernetes.io/last-change-trigger-time";

/// One write.
#[derive(Debug)]
pub(super) enum Step {
    Create(EndpointSlice),
    Update(EndpointSlice),
    Delete(Arc<EndpointSlice>),
}

/// The writes that lead from the present slices to the wanted endpoints.
pub(super) fn steps(service: &Service, mut wanted: Wanted, present: &[Arc<EndpointSlice>]) -> Vec<Step> {
    // A Service without endpoints has an empty slice of each family, so that clients see that it is known.
    for family in families(service) {
        if !wanted.keys().any(|g| g.family == family) {
            wanted.insert(Group { family, ports: Vec::new() }, BTreeMap::new());
        }
    }
    let labels = labels(service);
    let mut steps = Vec::new();
    let mut used = BTreeSet::new();
    for (group, endpoints) in wanted {
        let matching: Vec<&Arc<EndpointSlice>> = present.iter().filter(|s| is_of(s, &group)).collect();
        used.extend(matching.iter().filter_map(|s| s.metadata.name.clone()));
        steps.extend(group_steps(service, &labels, &group, endpoints, &matching));
    }
    let strays = present.iter().filter(|s| s.metadata.name.as_ref().is_some_and(|n| !used.contains(n)));
    steps.extend(strays.map(|s| Step::Delete(s.clone())));
    steps
}

fn group_steps(
    service: &Service,
    labels: &BTreeMap<String, String>,
    group: &Group,
    mut missing: BTreeMap<String, Endpoint>,
    present: &[&Arc<EndpointSlice>],
) -> Vec<Step> {
    let mut kept: Vec<Vec<Endpoint>> =
        present.iter().map(|slice| slice.endpoints.iter().filter_map(|e| missing.remove(uid(e))).collect()).collect();
    let mut order: Vec<usize> = (0..kept.len()).collect();
    order.sort_by_key(|i| std::cmp::Reverse(kept[*i].len()));
    let mut rest = missing.into_values().peekable();
    for slot in order {
        while kept[slot].len() < MOST
            && let Some(endpoint) = rest.next()
        {
            kept[slot].push(endpoint);
        }
    }
    let mut fresh: Vec<Vec<Endpoint>> = Vec::new();
    while rest.peek().is_some() {
        fresh.push(rest.by_ref().take(MOST).collect());
    }
    if present.is_empty() && fresh.is_empty() {
        fresh.push(Vec::new());
    }
    // One empty slice may stay when there is nothing else.
    let mut filled = kept.iter().filter(|k| !k.is_empty()).count() + fresh.len();
    let mut steps = Vec::new();
    for (slice, endpoints) in present.iter().zip(kept) {
        if endpoints.is_empty() && filled > 0 {
            steps.push(Step::Delete(Arc::clone(slice)));
            continue;
        }
        filled += usize::from(endpoints.is_empty());
        if endpoints != slice.endpoints || slice.metadata.labels.as_ref() != Some(labels) {
            steps.push(Step::Update(changed(slice, labels, endpoints)));
        }
    }
    steps.extend(fresh.into_iter().map(|endpoints| Step::Create(fresh_slice(service, labels, group, endpoints))));
    steps
}

fn uid(endpoint: &Endpoint) -> &str {
    endpoint.target_ref.as_ref().and_then(|r| r.uid.as_deref()).unwrap_or_default()
}

fn is_of(slice: &EndpointSlice, group: &Group) -> bool {
    slice.address_type == group.family && group.has_ports(slice.ports.as_deref().unwrap_or_default())
}

fn changed(slice: &EndpointSlice, labels: &BTreeMap<String, String>, endpoints: Vec<Endpoint>) -> EndpointSlice {
    let mut slice = slice.clone();
    slice.metadata.labels = Some(labels.clone());
    slice.metadata.annotations.get_or_insert_default().insert(TRIGGERED.to_owned(), time::text(&time::now()));
    slice.endpoints = endpoints;
    slice
}

fn fresh_slice(
    service: &Service,
    labels: &BTreeMap<String, String>,
    group: &Group,
    endpoints: Vec<Endpoint>,
) -> EndpointSlice {
    let name = service.metadata.name.as_deref().unwrap_or_default();
    EndpointSlice {
        metadata: ObjectMeta {
            generate_name: Some(format!("{name}-")),
            namespace: service.metadata.namespace.clone(),
            labels: Some(labels.clone()),
            annotations: Some(BTreeMap::from([(TRIGGERED.to_owned(), time::text(&time::now()))])),
            owner_references: Some(vec![owners::controller_ref(service)]),
            ..ObjectMeta::default()
        },
        address_type: group.family.clone(),
        endpoints,
        ports: Some(group.endpoint_ports()).filter(|p| !p.is_empty()),
    }
}

fn labels(service: &Service) -> BTreeMap<String, String> {
    let mut labels = service.metadata.labels.clone().unwrap_or_default();
    labels.remove(HEADLESS);
    labels.insert(SERVICE_NAME.to_owned(), service.metadata.name.clone().unwrap_or_default());
    labels.insert(MANAGED_BY.to_owned(), MANAGER.to_owned());
    if is_headless(service) {
        labels.insert(HEADLESS.to_owned(), String::new());
    }
    labels
}

/// True for a Service without an address of its own.
pub(in crate::controllers) fn is_headless(service: &Service) -> bool {
    service.spec.as_ref().and_then(|s| s.cluster_ip.as_deref()) == Some("None")
}

#[cfg(test)]
mod tests;
