//! A watch of the pods, read just as far as it takes to see which of them are ready.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::{Context as _, bail};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde::Deserialize;

use crate::connection::Connection;
use crate::manifests::PODS;

/// How long the next event may take while one is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// An open watch.
pub struct PodWatch {
    body: Incoming,
    unread: Vec<u8>,
}

/// What is of interest in an event.
#[derive(Deserialize)]
struct Event {
    r#type: String,
    object: Pod,
}

#[derive(Deserialize)]
struct Pod {
    metadata: Metadata,
    status: Option<Status>,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
}

#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    conditions: Vec<Condition>,
    #[serde(default, rename = "containerStatuses")]
    containers: Vec<Container>,
}

#[derive(Deserialize)]
struct Container {
    #[serde(rename = "restartCount")]
    restarts: u32,
}

#[derive(Deserialize)]
struct Condition {
    r#type: String,
    status: String,
}

impl PodWatch {
    /// Of all pods of the measures, those that are there first.
    pub async fn open(connection: Connection) -> anyhow::Result<Self> {
        let body = connection.stream(&format!("{PODS}?watch=true&resourceVersion=0")).await?;
        Ok(Self { body, unread: Vec::new() })
    }

    /// Returns when the pod is ready.
    pub async fn ready(&mut self, name: &str) -> anyhow::Result<()> {
        self.until(|event| event.is_ready() && event.object.metadata.name == name).await
    }

    /// Returns when as many pods have become ready.
    pub async fn ready_count(&mut self, count: usize) -> anyhow::Result<()> {
        let mut ready = HashSet::new();
        self.until(|event| {
            if event.is_ready() {
                ready.insert(event.object.metadata.name.clone());
            }
            ready.len() >= count
        })
        .await
        .with_context(|| format!("of {count} pods"))
    }

    /// Returns when as many pods have become ready after they were started again.
    pub async fn restarted_count(&mut self, count: usize) -> anyhow::Result<()> {
        let mut ready = HashSet::new();
        self.until(|event| {
            if event.is_ready() && event.is_restarted() {
                ready.insert(event.object.metadata.name.clone());
            }
            ready.len() >= count
        })
        .await
        .with_context(|| format!("of {count} pods"))
    }

    /// Returns when the pod is gone.
    pub async fn gone(&mut self, name: &str) -> anyhow::Result<()> {
        self.until(|event| event.r#type == "DELETED" && event.object.metadata.name == name).await
    }

    async fn until(&mut self, mut wanted: impl FnMut(&Event) -> bool) -> anyhow::Result<()> {
        loop {
            while let Some(event) = self.buffered()? {
                if wanted(&event) {
                    return Ok(());
                }
            }
            let next =
                tokio::time::timeout(PATIENCE, self.body.frame()).await.context("nothing happens to the pods")?;
            match next {
                Some(frame) => self.unread.extend_from_slice(frame?.data_ref().context("trailers in a watch")?),
                None => bail!("the watch ended"),
            }
        }
    }

    /// The next event that has arrived whole.
    fn buffered(&mut self) -> anyhow::Result<Option<Event>> {
        let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') else { return Ok(None) };
        let event = serde_json::from_slice(&self.unread[..end])?;
        self.unread.drain(..=end);
        Ok(Some(event))
    }
}

impl Event {
    fn is_restarted(&self) -> bool {
        self.object
            .status
            .as_ref()
            .is_some_and(|status| status.containers.iter().any(|container| container.restarts > 0))
    }

    fn is_ready(&self) -> bool {
        let mut conditions = self.object.status.iter().flat_map(|status| &status.conditions);
        self.r#type != "DELETED"
            && conditions.any(|condition| condition.r#type == "Ready" && condition.status == "True")
    }
}
