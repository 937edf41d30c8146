//! The resource metrics API, `metrics.k8s.io/v1beta1`: what pods and nodes use at this moment.
//!
//! Nothing here is stored. Whoever asks (`kubectl top`, an autoscaler) makes the API ask the nodes for their
//! [summary](usage), so that a device that nobody looks at measures nothing.
//!
//! ```text
//! GET pods.metrics ─► registry: which pods, on which nodes ─► node: /stats/summary ─► usage ─► PodMetrics
//! ```

mod definition;
mod usage;

pub use definition::{GROUP, kinds};
pub use usage::{Summary, node_metrics, pod_metrics};
