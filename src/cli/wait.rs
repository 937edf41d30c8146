//! Waiting until what was applied is ready. Pure for one object; the loop is a watch.

use std::time::Duration;

use anyhow::{Context as _, bail};
use futures::TryStreamExt as _;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::Client;
use kube::ResourceExt as _;
use kube::api::{Api, DynamicObject, ListParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::runtime::{WatchStreamExt as _, watcher};
use serde_json::Value;

use super::apply::Applied;

/// Waits until every applied workload is ready.
pub async fn ready(client: &Client, applied: &[Applied], timeout: Duration) -> anyhow::Result<()> {
    let all = async {
        for one in applied {
            if is_ready(&one.object) == Some(false) {
                one_ready(client, one).await?;
            }
        }
        anyhow::Ok(())
    };
    match tokio::time::timeout(timeout, all).await {
        Ok(done) => done,
        Err(_) => bail!("not ready within {timeout:?}:\n{}", trouble(client).await?),
    }
}

async fn one_ready(client: &Client, one: &Applied) -> anyhow::Result<()> {
    let kind = GroupVersionKind::try_from(one.object.types.as_ref().context("an object without a kind")?)?;
    let namespace = one.object.namespace().unwrap_or_else(|| "default".to_owned());
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), &namespace, &ApiResource::from_gvk(&kind));
    let named = watcher::Config::default().fields(&format!("metadata.name={}", one.object.name_any()));
    let mut changes = std::pin::pin!(watcher(api, named).default_backoff().applied_objects());
    while let Some(object) = changes.try_next().await? {
        if is_ready(&object) == Some(true) {
            return Ok(());
        }
        if phase(&object) == Some("Failed") {
            bail!("{} failed:\n{}", one.title, trouble(client).await?);
        }
    }
    bail!("{} went away", one.title)
}

/// Whether a workload is ready; none for kinds that have nothing to wait for.
fn is_ready(object: &DynamicObject) -> Option<bool> {
    let kind = object.types.as_ref().map(|t| t.kind.as_str())?;
    let number = |at: &str| object.data.pointer(at).and_then(Value::as_i64).unwrap_or_default();
    let seen = number("/status/observedGeneration") >= object.metadata.generation.unwrap_or_default();
    match kind {
        "Deployment" => {
            let wanted = number("/spec/replicas");
            Some(seen && number("/status/availableReplicas") >= wanted && number("/status/updatedReplicas") >= wanted)
        }
        "ReplicaSet" | "ReplicationController" => {
            Some(seen && number("/status/readyReplicas") >= number("/spec/replicas"))
        }
        "Pod" => {
            let conditions = object.data.pointer("/status/conditions").and_then(Value::as_array);
            let ready = |c: &Value| c["type"] == "Ready" && c["status"] == "True";
            Some(phase(object) == Some("Succeeded") || conditions.into_iter().flatten().any(ready))
        }
        _ => None,
    }
}

fn phase(object: &DynamicObject) -> Option<&str> {
    object.data.pointer("/status/phase").and_then(Value::as_str)
}

/// What holds the pods up that are not running, a line each.
async fn trouble(client: &Client) -> anyhow::Result<String> {
    let pods = Api::<Pod>::all(client.clone()).list(&ListParams::default()).await?;
    let mut lines = Vec::new();
    for pod in &pods {
        let statuses = pod.status.iter().flat_map(|s| s.container_statuses.iter().flatten());
        for status in statuses.filter(|s| !s.ready) {
            lines.push(format!("  pod/{} {}: {}", pod.name_any(), status.name, state(status)));
        }
        let conditions = pod.status.iter().flat_map(|s| s.conditions.iter().flatten());
        for condition in conditions.filter(|c| c.type_ == "PodScheduled" && c.status == "False") {
            let message = condition.message.as_deref().unwrap_or_default();
            lines.push(format!("  pod/{}: {message}", pod.name_any()));
        }
    }
    Ok(lines.join("\n"))
}

/// Why a container is not ready.
fn state(status: &ContainerStatus) -> String {
    let state = status.state.as_ref();
    if let Some(waiting) = state.and_then(|state| state.waiting.as_ref()) {
        let text = |text: &'_ Option<String>| text.clone().unwrap_or_default();
        return format!("{} {}", text(&waiting.reason), text(&waiting.message));
    }
    match state.and_then(|state| state.terminated.as_ref()) {
        Some(ended) => {
            format!("{} (exit code {})", ended.reason.as_deref().unwrap_or("ended"), ended.exit_code)
        }
        None => "not ready".to_owned(),
    }
}
