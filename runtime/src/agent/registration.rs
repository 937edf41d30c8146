//! Keeping the Node object true.

use std::convert::Infallible;
use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::api::core::v1::Node;
use kube::api::{Patch, PatchParams, PostParams};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::watch_object;
use kube::{Api, Client, ResourceExt};
use objects::time;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::facts::Facts;
use super::{Config, RunError, node_status};
use crate::eviction::Pressure;

/// The lease says every ten seconds that the node lives; its status says so this often.
const HEARTBEAT: Duration = Duration::from_secs(300);
/// The control plane may come up after its first node.
const RETRY: Duration = Duration::from_millis(500);
/// Longer is not patience but a fault.
const PATIENCE: Duration = Duration::from_secs(60);

/// Makes the node known, or brings what is known of it up to date. Returns the object's uid.
pub async fn register(client: &Client, config: &Config, facts: &Facts) -> Result<String, RunError> {
    let begun = Instant::now();
    loop {
        match apply(client, config, facts, Pressure::default(), false).await {
            Ok(node) => return Ok(node.uid().unwrap_or_default()),
            Err(error) if begun.elapsed() > PATIENCE => return Err(RunError::Register(Box::new(error))),
            Err(error) => tracing::debug!(%error, "registering the node"),
        }
        sleep(RETRY).await;
    }
}

/// Repeats the status now and then and when the node gets short of something, and registers again when somebody has
/// removed the node.
pub async fn keep(client: Client, config: Config, facts: Facts, mut pressure: watch::Receiver<Pressure>) -> Infallible {
    loop {
        tokio::select! {
            () = sleep(HEARTBEAT) => {}
            Ok(()) = pressure.changed() => {}
        }
        let now = *pressure.borrow_and_update();
        if let Err(error) = apply(&client, &config, &facts, now, true).await {
            tracing::warn!(%error, "the node's status could not be written");
        }
    }
}

/// Waits until the control plane has given the node its range of pod addresses.
pub async fn pod_cidr(client: &Client, name: &str) -> String {
    let api: Api<Node> = Api::all(client.clone());
    let mut states = std::pin::pin!(watch_object(api, name).default_backoff());
    while let Some(state) = states.next().await {
        let node = state.ok().flatten();
        if let Some(cidr) = node.and_then(|node| node.spec?.pod_cidr).filter(|cidr| !cidr.is_empty()) {
            return cidr;
        }
    }
    // The stream never ends by itself.
    std::future::pending().await
}

async fn apply(
    client: &Client,
    config: &Config,
    facts: &Facts,
    pressure: Pressure,
    heartbeat: bool,
) -> Result<Node, kube::Error> {
    let api: Api<Node> = Api::all(client.clone());
    let (name, now) = (&config.node_name, time::now());
    let Some(mut known) = api.get_opt(name).await? else {
        let wanted = node_status::node(config, facts, &now);
        api.create(&PostParams::default(), &wanted).await?;
        return patch_status(&api, name, &json!({"status": wanted.status})).await;
    };
    let labels = node_status::labels(config, facts);
    if labels.iter().any(|(key, value)| known.labels().get(key) != Some(value)) {
        let patch = Patch::Merge(json!({"metadata": {"labels": labels}}));
        known = api.patch(name, &PatchParams::default(), &patch).await?;
    }
    let status = node_status::status(config, facts, pressure, known.status.as_ref(), &now);
    if heartbeat || !known.status.as_ref().is_some_and(|known| node_status::is_same(known, &status)) {
        return patch_status(&api, name, &json!({"status": status})).await;
    }
    Ok(known)
}

async fn patch_status(api: &Api<Node>, name: &str, patch: &serde_json::Value) -> Result<Node, kube::Error> {
    api.patch_status(name, &PatchParams::default(), &Patch::Strategic(patch)).await
}
