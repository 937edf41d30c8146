//! What the node does when it runs out of memory or disk: it gives up pods, in Kubernetes' order, before the kernel
//! gives up the node.
//!
//! ```text
//! signals (how much is left) ─► threshold (is that enough?) ─► rank (who goes first) ─► the pod's worker fails it
//!                                     └─► the node's conditions ─► taints ─► the scheduler keeps new pods away
//! ```
//!
//! One look every ten seconds costs two system calls and a small file; pods are measured only under pressure.

mod manager;
mod rank;
mod signals;
mod threshold;

pub use manager::{Manager, Pressure};
pub use threshold::{Threshold, ThresholdError, Thresholds};
