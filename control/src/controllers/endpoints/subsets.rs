//! Addresses packed by the ports they share.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{EndpointAddress, EndpointPort, EndpointSubset, Pod, Service};
use objects::pods;

use crate::controllers::endpoint_slice::{Port, hostname, ports, selects, target};

/// Endpoints hold no more addresses; EndpointSlices have no such limit.
const MOST: usize = 1000;

/// The subsets of `service` among the pods of its namespace, and whether some did not fit.
pub(super) fn of(service: &Service, all: &[Arc<Pod>]) -> (Vec<EndpointSubset>, bool) {
    let published = service.spec.as_ref().and_then(|s| s.publish_not_ready_addresses).unwrap_or(false);
    let mut groups: BTreeMap<Vec<Port>, (Vec<EndpointAddress>, Vec<EndpointAddress>)> = BTreeMap::new();
    let mut left = MOST;
    let mut truncated = false;
    for pod in all.iter().filter(|p| counts(service, p, published)) {
        let Some(ip) = pods::addresses(pod).first().map(|ip| (*ip).to_owned()) else { continue };
        let ports = ports(service, pod);
        let declared = service.spec.as_ref().and_then(|s| s.ports.as_ref()).is_some_and(|p| !p.is_empty());
        if ports.is_empty() && declared {
            continue;
        }
        if left == 0 {
            truncated = true;
            break;
        }
        left -= 1;
        let address = EndpointAddress {
            ip,
            hostname: hostname(service, pod),
            node_name: Some(pods::node(pod).to_owned()).filter(|n| !n.is_empty()),
            target_ref: Some(target(pod)),
        };
        let (ready, not_ready) = groups.entry(ports).or_default();
        if published || pods::is_ready(pod) { ready.push(address) } else { not_ready.push(address) }
    }
    (groups.into_iter().map(subset).collect(), truncated)
}

fn counts(service: &Service, pod: &Pod, published: bool) -> bool {
    selects(service, pod) && !pods::is_terminal(pod) && (published || !pods::is_terminating(pod))
}

fn subset((ports, (ready, not_ready)): (Vec<Port>, (Vec<EndpointAddress>, Vec<EndpointAddress>))) -> EndpointSubset {
    let sorted = |mut addresses: Vec<EndpointAddress>| {
        addresses.sort_by(|a, b| a.ip.cmp(&b.ip));
        Some(addresses).filter(|a| !a.is_empty())
    };
    let ports = ports.into_iter().map(|(name, port, protocol, app_protocol)| EndpointPort {
        name: Some(name).filter(|n| !n.is_empty()),
        port,
        protocol: Some(protocol),
        app_protocol,
    });
    EndpointSubset {
        addresses: sorted(ready),
        not_ready_addresses: sorted(not_ready),
        ports: Some(ports.collect::<Vec<_>>()).filter(|p| !p.is_empty()),
    }
}
