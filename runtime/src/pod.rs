//! One worker for each pod: from the API's object to running guests, and back to a status.
//!
//! [`plan::plan`] decides, from what is wanted and what was observed, the one next [`plan::Step`]; the worker carries
//! it out and asks again until there is nothing left to do but wait. All that is decided here is decided without I/O
//! and tested that way.

pub mod backoff;
pub mod config;
pub mod downward;
pub mod env;
pub mod etc;
pub mod expand;
pub mod given;
pub mod ground;
pub mod hook;
pub mod inside;
pub mod kept;
pub mod observed;
pub mod outcome;
pub mod place;
pub mod plan;
pub mod probing;
pub mod publish;
pub mod pulling;
pub mod resize;
pub mod scratch;
pub mod services;
pub mod start;
pub mod storage;
pub mod termination;
pub mod turns;
pub mod view;
pub mod worker;

use std::borrow::Cow;

use k8s_openapi::api::core::v1::{Container, EphemeralContainer, Pod};

/// The container of that name, init containers included.
pub fn container<'a>(pod: &'a Pod, name: &str) -> Option<&'a Container> {
    let spec = pod.spec.as_ref()?;
    spec.init_containers.iter().flatten().chain(&spec.containers).find(|container| container.name == name)
}

/// The same, ephemeral ones included: such a one as the container it is, without what it cannot have.
pub fn any_container<'a>(pod: &'a Pod, name: &str) -> Option<Cow<'a, Container>> {
    let debuggers = || pod.spec.iter().flat_map(|spec| spec.ephemeral_containers.iter().flatten());
    let debugger = || debuggers().find(|debugger| debugger.name == name).map(ephemeral).map(Cow::Owned);
    container(pod, name).map(Cow::Borrowed).or_else(debugger)
}

fn ephemeral(debugger: &EphemeralContainer) -> Container {
    let it = debugger.clone();
    Container {
        name: it.name,
        image: it.image,
        image_pull_policy: it.image_pull_policy,
        command: it.command,
        args: it.args,
        working_dir: it.working_dir,
        env: it.env,
        env_from: it.env_from,
        volume_mounts: it.volume_mounts,
        stdin: it.stdin,
        stdin_once: it.stdin_once,
        tty: it.tty,
        termination_message_path: it.termination_message_path,
        termination_message_policy: it.termination_message_policy,
        security_context: it.security_context,
        ..Container::default()
    }
}
