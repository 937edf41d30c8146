//! The logs of every container of `sampan run`, each line with the name of its pod.

use std::collections::HashSet;

use futures::{AsyncBufReadExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, LogParams};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Client, ResourceExt as _};
use tokio_util::task::TaskTracker;

/// Prints what all pods write, from now until the future is dropped.
pub async fn logs(client: Client) -> anyhow::Result<()> {
    let pods: Api<Pod> = Api::all(client.clone());
    let mut changes = std::pin::pin!(watcher(pods, watcher::Config::default()).default_backoff().applied_objects());
    let (tasks, mut followed) = (TaskTracker::new(), HashSet::new());
    while let Some(pod) = changes.try_next().await? {
        let statuses = pod.status.iter().flat_map(|s| s.container_statuses.iter().flatten());
        for status in statuses {
            let Some(id) = status.container_id.clone() else { continue };
            if followed.insert(id) {
                let (client, pod, container) = (client.clone(), pod.clone(), status.name.clone());
                tasks.spawn(async move {
                    if let Err(error) = one(client, &pod, &container).await {
                        tracing::debug!(pod = pod.name_any(), container, %error, "logs ended");
                    }
                });
            }
        }
    }
    Ok(())
}

async fn one(client: Client, pod: &Pod, container: &str) -> anyhow::Result<()> {
    let api: Api<Pod> = Api::namespaced(client, &pod.namespace().unwrap_or_default());
    let params = LogParams { follow: true, container: Some(container.to_owned()), ..LogParams::default() };
    let mut lines = api.log_stream(&pod.name_any(), &params).await?.lines();
    while let Some(line) = lines.try_next().await? {
        println!("{} {line}", pod.name_any());
    }
    Ok(())
}
