//! What Kubernetes objects mean, without any I/O.
//!
//! The API server, the controllers, the scheduler, the proxy and the node all ask the same questions of the same
//! objects: is this pod ready, how much does it ask for, whose is it, does this selector match. The answers must be the
//! same everywhere, so they are given here, once, as pure functions on `k8s-openapi`'s types.
//!
//! Values first, then the parts of objects, then whole objects.

pub mod int_or_percent;
pub mod quantity;
pub mod time;

pub mod names;
pub mod selectors;

pub mod conditions;
pub mod cron;
pub mod hash;
pub mod owners;
pub mod taints;

pub mod events;
pub mod nodes;
pub mod pods;
pub mod volumes;
