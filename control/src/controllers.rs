//! The loops that bring the cluster to what its objects ask for.
//!
//! ```text
//! informers (one a kind) ─► keys ─► queue ─► reconcile: pure plan ─► one step through the registry ─► informers …
//! ```
//!
//! Every controller has the same shape: what it watches, a pure plan, and a thin `reconcile` that carries out what the plan
//! says. It is one task that owns one [queue](crate::work), so a loop that fails takes the process down with its name and reason,
//! and an idle cluster has neither timers nor work.

mod account_tokens;
mod api_services;
mod certificate_signer;
mod claim;

mod cluster_role_aggregation;
mod deployment;
mod endpoint_slice;
mod endpoints;
mod ephemeral_volume;
mod garbage;
mod namespace;
mod node_cidr;
mod node_lifecycle;
mod persistent_volume;
mod pod_garbage;
mod policy_status;
mod replicas;
mod resource_quota;
mod root_certificate;
mod seed;
mod service_account;
mod storage_protection;
mod taint_eviction;
mod volume_expansion;

use std::panic;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::registry::Registry;
use crate::scheduler;
use crate::work::{ApiEndpoint, Config, Context, Key, Next, Overlay, Queue, Recorder, feed};

/// A loop that ended though nobody asked it to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The cluster's own objects could not be made.
    #[error("making the cluster's own objects: {0}")]
    Seed(#[from] crate::status::Status),
    /// A loop panicked or returned.
    #[error("the {name} stopped: {reason}")]
    Stopped {
        /// The loop.
        name: &'static str,
        /// The panic's message.
        reason: String,
    },
}

/// Makes the cluster's own objects, so that the first client finds them.
///
/// # Errors
/// What the registry says.
pub async fn seed(config: &Config, registry: &Registry) -> Result<(), crate::status::Status> {
    let (context, _events) = Context::new(config.clone(), registry.clone());
    seed::apply(&context).await
}

/// Makes the cluster's own objects (namespaces, the `kubernetes` service), then runs every loop until `stop`.
///
/// # Errors
/// The first loop that fails ends all of them.
pub async fn run(config: Config, registry: Registry, stop: CancellationToken) -> Result<(), Error> {
    let (context, events) = Context::new(config, registry);
    seed::apply(&context).await?;
    let loops: Vec<(&'static str, BoxFuture<'static, ()>)> = vec![
        ("event recorder", events.boxed()),
        ("deployment controller", deployment::run(&context).boxed()),
        ("replica set controller", replicas::replica_sets(&context).boxed()),
        ("replication controller", replicas::replication_controllers(&context).boxed()),
        ("endpoint slice controller", endpoint_slice::run(&context).boxed()),
        ("endpoints controller", endpoints::run(&context).boxed()),
        ("namespace controller", namespace::run(&context).boxed()),
        ("service account controller", service_account::run(&context).boxed()),
        ("certificate signer", certificate_signer::run(&context).boxed()),
        ("token secret controller", account_tokens::run(&context).boxed()),
        ("root certificate publisher", root_certificate::run(&context).boxed()),
        ("resource quota controller", resource_quota::run(&context).boxed()),
        ("storage protection controller", storage_protection::run(&context).boxed()),
        ("volume binder", persistent_volume::run(&context).boxed()),
        ("ephemeral volume controller", ephemeral_volume::run(&context).boxed()),
        ("volume expansion controller", volume_expansion::run(&context).boxed()),
        ("garbage collector", garbage::run(&context).boxed()),
        ("pod garbage collector", pod_garbage::run(&context).boxed()),
        ("admission policy status controller", policy_status::run(&context).boxed()),
        ("node lifecycle controller", node_lifecycle::run(&context).boxed()),
        ("taint eviction controller", taint_eviction::run(&context).boxed()),
        ("node address controller", node_cidr::run(&context).boxed()),
        ("API services", api_services::run(&context).boxed()),
        ("role aggregation controller", cluster_role_aggregation::run(&context).boxed()),
        ("kubernetes service", seed::keep_api_endpoints(&context).boxed()),
        ("scheduler", scheduler(&context)),
    ];
    let mut tasks = JoinSet::new();
    for (name, body) in loops {
        let stop = stop.clone();
        // What a broken loop leaves behind is dropped with the process's other loops, so no state is seen half-changed.
        let body = panic::AssertUnwindSafe(body).catch_unwind();
        tasks.spawn(async move { (name, stop.run_until_cancelled_owned(body).await) });
    }
    while let Some(ended) = tasks.join_next().await {
        match ended {
            Ok((_, None)) => {}
            Ok((name, Some(Ok(())))) => return Err(Error::Stopped { name, reason: "it returned".to_owned() }),
            Ok((name, Some(Err(panic)))) => return Err(Error::Stopped { name, reason: message(&*panic) }),
            Err(error) => return Err(Error::Stopped { name: "controllers", reason: error.to_string() }),
        }
    }
    Ok(())
}

/// The scheduler, or nothing where pods are to be bound by somebody else.
fn scheduler(context: &Context) -> BoxFuture<'static, ()> {
    match context.config.scheduler {
        true => scheduler::run(context).boxed(),
        false => std::future::pending().boxed(),
    }
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without words".to_owned())
}

#[cfg(test)]
mod tests;
