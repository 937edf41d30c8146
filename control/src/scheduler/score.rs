//! Which of the nodes that will do is best.

use k8s_openapi::api::core::v1::{Node, Pod};
use objects::quantity::Quantity;
use objects::{nodes, owners, taints};

use super::affinity;
use super::filter::Demand;
use super::snapshot::NodeInfo;

/// A pod that asks for nothing is taken to need this much, so that such pods spread as well.
const CPU: Quantity = Quantity::from_milli(100);
const MEMORY: Quantity = Quantity::from_bytes(200 << 20);

/// The weights are upstream's.
const TAINTS: i64 = 3;
const AFFINITY: i64 = 2;
const SPREAD: i64 = 2;
const ROOM: i64 = 1;

/// What speaks for a node, before it is compared with the others.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Facts {
    intolerable: i64,
    preference: i64,
    siblings: i64,
    room: i64,
}

/// The facts about one node.
pub(super) fn facts(demand: &Demand<'_>, node: &Node, info: &NodeInfo) -> Facts {
    let pod = demand.pod();
    Facts {
        intolerable: intolerable(pod, node),
        preference: pod.spec.as_ref().map_or(0, |s| affinity::preference(s, node)),
        siblings: siblings(pod, info),
        room: (room(demand, info, "cpu", CPU) + room(demand, info, "memory", MEMORY)) / 2,
    }
}

/// The scores of some nodes, each part from 0 to 100 in relation to the best of them.
pub(super) fn scores(facts: &[Facts]) -> Vec<i64> {
    let most = |of: fn(&Facts) -> i64| facts.iter().map(of).max().unwrap_or(0);
    let (taints, preference, siblings) = (most(|f| f.intolerable), most(|f| f.preference), most(|f| f.siblings));
    let share = |part: i64, whole: i64| if whole == 0 { 0 } else { 100 * part / whole };
    let score = |f: &Facts| {
        TAINTS * (100 - share(f.intolerable, taints))
            + AFFINITY * share(f.preference, preference)
            + SPREAD * (100 - share(f.siblings, siblings))
            + ROOM * f.room
    };
    facts.iter().map(score).collect()
}

fn intolerable(pod: &Pod, node: &Node) -> i64 {
    let tolerations = pod.spec.as_ref().and_then(|s| s.tolerations.as_deref()).unwrap_or_default();
    let soft = nodes::taints(node).iter().filter(|t| t.effect == taints::PREFER_NO_SCHEDULE);
    let count = soft.filter(|taint| !tolerations.iter().any(|t| taints::tolerates(t, taint))).count();
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn siblings(pod: &Pod, info: &NodeInfo) -> i64 {
    let owner = owners::controller_of(&pod.metadata);
    owner.and_then(|o| info.owners.get(&o.uid)).and_then(|n| i64::try_from(*n).ok()).unwrap_or(0)
}

/// The part of a resource, in percent, that is free once the pod is there.
fn room(demand: &Demand<'_>, info: &NodeInfo, resource: &str, least: Quantity) -> i64 {
    let all = info.allocatable.get(resource).copied().unwrap_or_default();
    let asked = demand.requests().get(resource).copied().filter(|q| !q.is_zero()).unwrap_or(least);
    let left = info.free(resource) - asked;
    if all.is_zero() || left.signum() < 0 {
        return 0;
    }
    i64::try_from(i128::from(left.milli()) * 100 / i128::from(all.milli()).max(1)).unwrap_or(0)
}
