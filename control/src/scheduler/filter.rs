//! Why a node cannot run a pod.

use std::fmt;

use k8s_openapi::api::core::v1::{Node, Pod};
use objects::{nodes, pods, taints};

use super::snapshot::{HostPort, NodeInfo, host_ports};
use super::{affinity, storage};

/// One reason, in upstream's words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    /// The node is cordoned.
    Unschedulable,
    /// A taint that the pod does not tolerate.
    Taint(String, String),
    /// The pod's node selector or affinity.
    Affinity,
    /// A host port is taken.
    Ports,
    /// The node runs as many pods as it may.
    Pods,
    /// There is not enough of a resource.
    Insufficient(String),
    /// A claim that one pod may have is another's.
    ClaimInUse,
    /// A volume is not reached from the node.
    VolumeAffinity,
    /// There is no volume for a claim, and nobody makes one.
    NoVolume,
    /// A claim's volume is gone.
    LostVolume,
}

impl Reason {
    /// Could it help if other pods left?
    pub fn is_for_room(&self) -> bool {
        matches!(self, Self::Ports | Self::Pods | Self::Insufficient(_) | Self::ClaimInUse)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unschedulable => f.write_str("node(s) were unschedulable"),
            Self::Taint(key, value) => write!(f, "node(s) had untolerated taint {{{key}: {value}}}"),
            Self::Affinity => f.write_str("node(s) didn't match Pod's node affinity/selector"),
            Self::Ports => f.write_str("node(s) didn't have free ports for the requested pod ports"),
            Self::Pods => f.write_str("Too many pods"),
            Self::ClaimInUse => f.write_str(
                "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode",
            ),
            Self::VolumeAffinity => f.write_str("node(s) had volume node affinity conflict"),
            Self::NoVolume => f.write_str("node(s) didn't find available persistent volumes to bind"),
            Self::LostVolume => {
                f.write_str("node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)")
            }
            Self::Insufficient(resource) => write!(f, "Insufficient {resource}"),
        }
    }
}

/// What a pod asks for, worked out once for all nodes.
pub(super) struct Demand<'a> {
    pod: &'a Pod,
    storage: &'a storage::Demand,
    requests: pods::Requests,
    ports: std::collections::BTreeSet<HostPort>,
}

impl<'a> Demand<'a> {
    pub fn of(pod: &'a Pod, storage: &'a storage::Demand) -> Self {
        Self { pod, storage, requests: pods::requests(pod), ports: host_ports(pod) }
    }

    pub fn pod(&self) -> &'a Pod {
        self.pod
    }

    pub fn requests(&self) -> &pods::Requests {
        &self.requests
    }
}

/// The reasons against a node: those of the first check that fails, as upstream reports them; none for a node that will do.
pub(super) fn reasons(demand: &Demand<'_>, node: &Node, info: &NodeInfo) -> Vec<Reason> {
    let spec = demand.pod.spec.as_ref();
    let tolerations = spec.and_then(|s| s.tolerations.as_deref()).unwrap_or_default();
    if nodes::is_unschedulable(node) {
        let cordon = k8s_openapi::api::core::v1::Taint {
            key: nodes::UNSCHEDULABLE.to_owned(),
            effect: taints::NO_SCHEDULE.to_owned(),
            ..Default::default()
        };
        if !tolerations.iter().any(|t| taints::tolerates(t, &cordon)) {
            return vec![Reason::Unschedulable];
        }
    }
    let hard = [taints::NO_SCHEDULE, taints::NO_EXECUTE];
    if let Some(taint) = taints::untolerated(tolerations, nodes::taints(node), &hard) {
        return vec![Reason::Taint(taint.key.clone(), taint.value.clone().unwrap_or_default())];
    }
    if !spec.is_none_or(|s| affinity::matches(s, node)) {
        return vec![Reason::Affinity];
    }
    if demand.ports.iter().any(|wanted| info.ports.keys().any(|held| clash(wanted, held))) {
        return vec![Reason::Ports];
    }
    match room(demand, info) {
        none if none.is_empty() => demand.storage.objection(node).into_iter().collect(),
        reasons => reasons,
    }
}

fn room(demand: &Demand<'_>, info: &NodeInfo) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let most = info.allocatable.get("pods").map_or(i64::MAX, |q| q.whole());
    if info.pods >= most {
        reasons.push(Reason::Pods);
    }
    for (resource, amount) in &demand.requests {
        if amount.signum() > 0 && *amount > info.free(resource) {
            reasons.push(Reason::Insufficient(resource.clone()));
        }
    }
    reasons
}

fn clash(a: &HostPort, b: &HostPort) -> bool {
    let everywhere = "0.0.0.0";
    (&a.1, a.2) == (&b.1, b.2) && (a.0 == b.0 || a.0 == everywhere || b.0 == everywhere)
}
