//! One worker for each pod: from the API's object to running guests, and back to a status.
//!
//! [`plan::plan`] decides, from what is wanted and what was observed, the one next [`plan::Step`]; the worker carries
//! it out and asks again until there is nothing left to do but wait. All that is decided here is decided without I/O
//! and tested that way.

pub mod backoff;
pub mod downward;
pub mod env;
pub mod expand;
pub mod given;
pub mod ground;
pub mod observed;
pub mod outcome;
pub mod place;
pub mod plan;
pub mod probing;
pub mod publish;
pub mod services;
pub mod start;
pub mod view;
pub mod worker;

use k8s_openapi::api::core::v1::{Container, Pod};

/// The container of that name, init containers included.
pub fn container<'a>(pod: &'a Pod, name: &str) -> Option<&'a Container> {
    let spec = pod.spec.as_ref()?;
    spec.init_containers.iter().flatten().chain(&spec.containers).find(|container| container.name == name)
}
