//! Events about pods and the node, written in the background: what happens never waits for its report.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Event, ObjectReference};
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use objects::events::{Correlator, Level, Report, Reporter, Step};
use objects::time;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// Reports that wait to be written; more are dropped, as a kubelet drops them.
const QUEUE: usize = 8192;
/// So many are written at once after a quiet time …
const BURST: u32 = 200;
/// … and then one in this time, so that a thousand pods that start together get the machine for themselves.
const PACE: Duration = Duration::from_millis(5);

/// Takes reports. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Recorder {
    queue: mpsc::Sender<Report>,
}

impl Recorder {
    /// Starts the task that writes; it ends with the last clone.
    pub fn spawn(client: Client, node: &str) -> Self {
        Self::reporting(client, Reporter::on("kubelet", node))
    }

    /// The same for another part of the node.
    pub fn reporting(client: Client, reporter: Reporter) -> Self {
        let (queue, reports) = mpsc::channel(QUEUE);
        tokio::spawn(write(client, Correlator::new(reporter), reports));
        Self { queue }
    }

    /// Something happened. Returns at once.
    pub fn record(&self, regarding: &ObjectReference, level: Level, reason: &str, message: impl Into<String>) {
        let report = Report { regarding: regarding.clone(), level, reason: reason.to_owned(), message: message.into() };
        if self.queue.try_send(report).is_err() {
            tracing::debug!(reason, "an event was dropped: too many are waiting");
        }
    }
}

async fn write(client: Client, mut correlator: Correlator, mut reports: mpsc::Receiver<Report>) {
    // The moment up to which writing has been paid for.
    let mut paid = Instant::now();
    while let Some(report) = reports.recv().await {
        let now = Instant::now();
        paid = paid.max(now.checked_sub(PACE * BURST).unwrap_or(now)) + PACE;
        if paid > now {
            sleep_until(paid).await;
        }
        if let Err(error) = carry_out(&client, correlator.observe(&report, &time::now())).await {
            tracing::debug!(reason = report.reason, %error, "an event could not be written");
        }
    }
}

async fn carry_out(client: &Client, step: Step) -> Result<(), kube::Error> {
    let api = |event: &Event| -> Api<Event> {
        Api::namespaced(client.clone(), event.metadata.namespace.as_deref().unwrap_or("default"))
    };
    match step {
        Step::Drop => {}
        Step::Create(event) => {
            api(&event).create(&PostParams::default(), &event).await?;
        }
        Step::Bump { event, patch } => {
            let name = event.metadata.name.as_deref().unwrap_or_default();
            let patched = api(&event).patch(name, &PatchParams::default(), &Patch::Merge(&patch)).await;
            match patched {
                Err(kube::Error::Api(status)) if status.code == 404 => {
                    api(&event).create(&PostParams::default(), &event).await?;
                }
                other => drop(other?),
            }
        }
    }
    Ok(())
}
