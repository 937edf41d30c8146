//! The decision.

use std::cmp::Reverse;

use k8s_openapi::api::core::v1::Pod;

use super::filter::{self, Demand};
use super::score;
use super::snapshot::Snapshot;
use super::storage;
use super::verdict::Verdict;

/// Where a pod goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Placement {
    /// On this node.
    On(String),
    /// Nowhere, and why.
    Nowhere(Verdict),
}

/// The best node for a pod: of equals the one with the fewest pods.
pub(super) fn place(pod: &Pod, storage: &storage::Demand, snapshot: &Snapshot) -> Placement {
    let demand = Demand::of(pod, storage);
    let mut verdict = Verdict::default();
    let mut fitting = Vec::new();
    for (name, info, node) in snapshot.nodes() {
        let reasons = filter::reasons(&demand, node, info);
        if reasons.is_empty() {
            fitting.push((name, info.pods, score::facts(&demand, node, info)));
        } else {
            verdict.count(reasons);
        }
    }
    let facts: Vec<_> = fitting.iter().map(|(_, _, facts)| *facts).collect();
    let scored = fitting.iter().zip(score::scores(&facts));
    let best = scored.max_by_key(|((name, pods, _), score)| (*score, Reverse(*pods), Reverse(*name)));
    best.map_or(Placement::Nowhere(verdict), |((name, _, _), _)| Placement::On((*name).to_owned()))
}

#[cfg(test)]
mod tests;
