//! The endpoints that a Service's pods make.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{ObjectReference, Pod, Service, ServicePort};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointConditions, EndpointPort};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use objects::pods;

/// Endpoints that may share a slice: of one address family, with the same ports.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::controllers) struct Group {
    /// `IPv4` or `IPv6`.
    pub family: String,
    /// Sorted.
    pub ports: Vec<Port>,
}

/// Name, number, protocol and application protocol.
pub(in crate::controllers) type Port = (String, i32, String, Option<String>);

impl Group {
    /// The ports as a slice carries them.
    pub fn endpoint_ports(&self) -> Vec<EndpointPort> {
        let port = |(name, number, protocol, app): &Port| EndpointPort {
            name: Some(name.clone()),
            port: Some(*number),
            protocol: Some(protocol.clone()),
            app_protocol: app.clone(),
        };
        self.ports.iter().map(port).collect()
    }

    /// True for ports that a slice carries, whatever it leaves out because it is the default.
    pub fn has_ports(&self, ports: &[EndpointPort]) -> bool {
        let of = |p: &EndpointPort| -> Port {
            let protocol = p.protocol.clone().unwrap_or_else(|| "TCP".to_owned());
            (p.name.clone().unwrap_or_default(), p.port.unwrap_or_default(), protocol, p.app_protocol.clone())
        };
        self.ports.iter().cloned().eq(ports.iter().map(of))
    }
}

/// Each group's endpoints, by the pod's uid.
pub(in crate::controllers) type Wanted = BTreeMap<Group, BTreeMap<String, Endpoint>>;

/// The endpoints of `service` among the pods of its namespace.
pub(in crate::controllers) fn endpoints(service: &Service, pods: &[Arc<Pod>]) -> Wanted {
    let mut wanted = Wanted::new();
    for pod in pods.iter().filter(|p| selects(service, p) && !pods::is_terminal(p)) {
        for family in families(service) {
            let Some(address) = pods::addresses(pod).into_iter().find(|a| family_of(a) == Some(family.as_str())) else {
                continue;
            };
            let group = Group { family: family.clone(), ports: ports(service, pod) };
            let uid = pod.metadata.uid.clone().unwrap_or_default();
            wanted.entry(group).or_default().insert(uid, endpoint(service, pod, address));
        }
    }
    wanted
}

/// Does the Service's selector take this pod?
pub(in crate::controllers) fn selects(service: &Service, pod: &Pod) -> bool {
    let Some(selector) = service.spec.as_ref().and_then(|s| s.selector.as_ref()) else { return false };
    let labels = pod.metadata.labels.as_ref();
    !selector.is_empty() && selector.iter().all(|(key, value)| labels.and_then(|l| l.get(key)) == Some(value))
}

/// True when two states of one pod make the same endpoint.
pub(in crate::controllers) fn same_endpoint(a: &Pod, b: &Pod) -> bool {
    let facts = |p: &'_ Pod| {
        (
            pods::is_ready(p),
            pods::is_terminal(p),
            pods::is_terminating(p),
            p.metadata.labels.clone(),
            p.metadata.uid.clone(),
        )
    };
    facts(a) == facts(b) && pods::addresses(a) == pods::addresses(b) && pods::node(a) == pods::node(b)
}

/// The address families that the Service serves, in its order.
pub(in crate::controllers) fn families(service: &Service) -> Vec<String> {
    let listed = service.spec.as_ref().and_then(|s| s.ip_families.clone()).unwrap_or_default();
    if listed.is_empty() { vec!["IPv4".to_owned()] } else { listed }
}

/// The host name that the pod has below the Service's name.
pub(in crate::controllers) fn hostname(service: &Service, pod: &Pod) -> Option<String> {
    let spec = pod.spec.as_ref()?;
    let below = spec.subdomain.is_some() && spec.subdomain == service.metadata.name;
    spec.hostname.clone().filter(|h| below && !h.is_empty())
}

/// The pod's port that a service port leads to; none where the pod does not have it.
pub(in crate::controllers) fn target_port(port: &ServicePort, pod: &Pod) -> Option<i32> {
    match &port.target_port {
        None | Some(IntOrString::Int(0)) => Some(port.port),
        Some(IntOrString::Int(number)) => Some(*number),
        Some(IntOrString::String(name)) if name.is_empty() => Some(port.port),
        Some(IntOrString::String(name)) => pods::named_port(pod, name, port.protocol.as_deref().unwrap_or("TCP")),
    }
}

/// The ports of the pod that the Service leads to, sorted.
pub(in crate::controllers) fn ports(service: &Service, pod: &Pod) -> Vec<Port> {
    let listed = service.spec.iter().flat_map(|s| s.ports.iter().flatten());
    let mut ports: Vec<Port> = listed
        .filter_map(|port| {
            let protocol = port.protocol.clone().unwrap_or_else(|| "TCP".to_owned());
            Some((port.name.clone().unwrap_or_default(), target_port(port, pod)?, protocol, port.app_protocol.clone()))
        })
        .collect();
    ports.sort();
    ports
}

fn endpoint(service: &Service, pod: &Pod, address: &str) -> Endpoint {
    let serving = pods::is_ready(pod);
    let terminating = pods::is_terminating(pod);
    let published = service.spec.as_ref().and_then(|s| s.publish_not_ready_addresses).unwrap_or(false);
    let conditions = EndpointConditions {
        ready: Some(published || (serving && !terminating)),
        serving: Some(serving),
        terminating: Some(terminating),
    };
    Endpoint {
        addresses: vec![address.to_owned()],
        conditions: Some(conditions),
        hostname: hostname(service, pod),
        node_name: Some(pods::node(pod).to_owned()).filter(|n| !n.is_empty()),
        target_ref: Some(target(pod)),
        ..Endpoint::default()
    }
}

/// The pod, as an endpoint refers to it.
pub(in crate::controllers) fn target(pod: &Pod) -> ObjectReference {
    ObjectReference {
        kind: Some("Pod".to_owned()),
        namespace: pod.metadata.namespace.clone(),
        name: pod.metadata.name.clone(),
        uid: pod.metadata.uid.clone(),
        ..ObjectReference::default()
    }
}

fn family_of(address: &str) -> Option<&'static str> {
    match address.parse().ok()? {
        IpAddr::V4(_) => Some("IPv4"),
        IpAddr::V6(_) => Some("IPv6"),
    }
}
