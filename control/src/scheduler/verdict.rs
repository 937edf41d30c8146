//! Why a pod fits nowhere, in upstream's words.

use std::collections::BTreeMap;
use std::fmt;

use super::filter::Reason;

/// The reasons of all nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    nodes: usize,
    /// Nodes that other pods' leaving would not help.
    hopeless: usize,
    reasons: BTreeMap<Reason, usize>,
    /// What speaks against every node alike.
    overall: Option<String>,
}

impl Verdict {
    /// No node will do, whatever it is like.
    pub(super) fn refused(nodes: usize, why: String) -> Self {
        Self { nodes, hopeless: nodes, overall: Some(why), ..Self::default() }
    }

    /// Counts the reasons of one node.
    pub(super) fn count(&mut self, reasons: Vec<Reason>) {
        self.nodes += 1;
        self.hopeless += usize::from(!reasons.iter().all(Reason::is_for_room));
        for reason in reasons {
            *self.reasons.entry(reason).or_default() += 1;
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nodes == 0 {
            return f.write_str("no nodes available to schedule pods");
        }
        let mut reasons: Vec<String> = self.reasons.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        reasons.sort_unstable();
        reasons.extend(self.overall.clone());
        let mut preemption = Vec::new();
        if self.nodes > self.hopeless {
            preemption.push(format!("{} No preemption victims found for incoming pod", self.nodes - self.hopeless));
        }
        if self.hopeless > 0 {
            preemption.push(format!("{} Preemption is not helpful for scheduling", self.hopeless));
        }
        preemption.sort_unstable();
        let all = format!("0/{} nodes are available", self.nodes);
        write!(f, "{all}: {}. preemption: {all}: {}.", reasons.join(", "), preemption.join(", "))
    }
}
