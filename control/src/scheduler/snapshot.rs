//! The nodes, and what the pods on them ask for.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, Pod};
use objects::pods::{self, Requests};
use objects::quantity::Quantity;
use objects::{nodes, owners};

/// A port on the host: address, protocol, number.
pub(super) type HostPort = (String, String, i32);

/// What is known of one node.
#[derive(Clone, Debug, Default)]
pub(super) struct NodeInfo {
    /// The node; none for pods that came before it.
    pub node: Option<Arc<Node>>,
    /// What pods may use.
    pub allocatable: Requests,
    /// What the pods on it ask for.
    pub requested: Requests,
    /// How many pods are on it.
    pub pods: i64,
    /// Which host ports they hold, and how often.
    pub ports: BTreeMap<HostPort, usize>,
    /// How many pods of each controller are on it.
    pub owners: HashMap<String, usize>,
}

/// All nodes with their pods, assumed ones included.
#[derive(Clone, Debug, Default)]
pub(super) struct Snapshot {
    nodes: BTreeMap<String, NodeInfo>,
    assigned: HashMap<String, Assigned>,
}

/// What one pod takes from its node.
#[derive(Clone, Debug)]
struct Assigned {
    node: String,
    requests: Requests,
    ports: BTreeSet<HostPort>,
    owner: Option<String>,
}

impl Snapshot {
    /// The nodes that are there, by name.
    pub fn nodes(&self) -> impl Iterator<Item = (&str, &NodeInfo, &Node)> {
        self.nodes.iter().filter_map(|(name, info)| Some((name.as_str(), info, info.node.as_deref()?)))
    }

    /// The node of this name.
    pub fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.get(name)?.node.as_deref()
    }

    /// Adds or changes a node; true when pods that fitted nowhere may fit now.
    pub fn set_node(&mut self, node: Arc<Node>) -> bool {
        let name = node.metadata.name.clone().unwrap_or_default();
        let info = self.nodes.entry(name).or_default();
        let allocatable = nodes::allocatable(&node);
        let room = info.node.as_ref().is_none_or(|old| {
            allocatable != info.allocatable
                || old.metadata.labels != node.metadata.labels
                || nodes::taints(old) != nodes::taints(&node)
                || nodes::is_unschedulable(old) != nodes::is_unschedulable(&node)
        });
        info.allocatable = allocatable;
        info.node = Some(node);
        room
    }

    /// Takes a node away; its pods are remembered until they go.
    pub fn remove_node(&mut self, name: &str) {
        let Some(info) = self.nodes.get_mut(name) else { return };
        info.node = None;
        if info.pods == 0 {
            self.nodes.remove(name);
        }
    }

    /// True when the pod is counted on a node, bound or assumed.
    pub fn holds(&self, pod: &Pod) -> bool {
        self.assigned.contains_key(uid(pod))
    }

    /// Counts a pod on a node.
    pub fn assign(&mut self, pod: &Pod, node: &str) {
        match self.assigned.get(uid(pod)) {
            Some(assigned) if assigned.node == node => return,
            Some(_) => drop(self.release(pod)),
            None => {}
        }
        let assigned = Assigned {
            node: node.to_owned(),
            requests: pods::requests(pod),
            ports: host_ports(pod),
            owner: owners::controller_of(&pod.metadata).map(|o| o.uid.clone()),
        };
        let info = self.nodes.entry(node.to_owned()).or_default();
        info.pods += 1;
        for (name, amount) in &assigned.requests {
            *info.requested.entry(name.clone()).or_default() += *amount;
        }
        for port in &assigned.ports {
            *info.ports.entry(port.clone()).or_default() += 1;
        }
        if let Some(owner) = &assigned.owner {
            *info.owners.entry(owner.clone()).or_default() += 1;
        }
        self.assigned.insert(uid(pod).to_owned(), assigned);
    }

    /// Counts a pod no more; true when it was counted.
    pub fn release(&mut self, pod: &Pod) -> bool {
        let Some(assigned) = self.assigned.remove(uid(pod)) else { return false };
        let Some(info) = self.nodes.get_mut(&assigned.node) else { return true };
        info.pods -= 1;
        for (name, amount) in assigned.requests {
            if let Some(sum) = info.requested.get_mut(&name) {
                *sum -= amount;
            }
        }
        for port in assigned.ports {
            one_less(&mut info.ports, &port);
        }
        if let Some(owner) = assigned.owner {
            if let Some(count) = info.owners.get_mut(&owner) {
                *count -= 1;
            }
            info.owners.retain(|_, count| *count > 0);
        }
        if info.node.is_none() && info.pods == 0 {
            self.nodes.remove(&assigned.node);
        }
        true
    }
}

impl NodeInfo {
    /// What is left of a resource.
    pub fn free(&self, resource: &str) -> Quantity {
        let of = |amounts: &Requests| amounts.get(resource).copied().unwrap_or_default();
        of(&self.allocatable) - of(&self.requested)
    }
}

/// The host ports that a pod wants.
pub(super) fn host_ports(pod: &Pod) -> BTreeSet<HostPort> {
    let containers = pod.spec.iter().flat_map(|s| &s.containers);
    let ports = containers.flat_map(|c| c.ports.iter().flatten());
    ports
        .filter_map(|p| {
            let number = p.host_port.filter(|n| *n > 0)?;
            let address = p.host_ip.clone().filter(|ip| !ip.is_empty()).unwrap_or_else(|| "0.0.0.0".to_owned());
            Some((address, p.protocol.clone().unwrap_or_else(|| "TCP".to_owned()), number))
        })
        .collect()
}

fn one_less(ports: &mut BTreeMap<HostPort, usize>, port: &HostPort) {
    if let Some(count) = ports.get_mut(port) {
        *count -= 1;
        if *count == 0 {
            ports.remove(port);
        }
    }
}

fn uid(pod: &Pod) -> &str {
    pod.metadata.uid.as_deref().unwrap_or_default()
}
