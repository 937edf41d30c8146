//! When to measure: soon after a guest has run, never twice for the same work, and not so often that it costs more
//! than it is worth.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::{Limits, Measured, measure};
use crate::container::Meter;

/// Between two looks. A kubelet takes ten seconds; in ten seconds a guest writes gigabytes.
const INTERVAL: Duration = Duration::from_secs(1);
/// A measuring that takes long is repeated only after so many times as long.
const REST: u32 = 20;

/// Watches over one pod's disk use.
#[derive(Default)]
pub struct Watch {
    /// None: nothing is limited, or the pod is not there.
    task: Option<Arc<Task>>,
    meters: Vec<(String, Meter)>,
    /// The processor time the pod had used when it was last measured: who has not run has not written.
    seen: Duration,
    due: Option<Instant>,
    measuring: Option<JoinHandle<(Measured, Duration)>>,
}

/// What to measure.
struct Task {
    limits: Limits,
    /// Where each container's logs are, by name, and what else is its own.
    logs: PathBuf,
    own: PathBuf,
}

impl Watch {
    /// Watches a pod whose directory and whose logs' are these.
    pub fn new(pod: &Pod, directory: &Path, logs: &Path, memory: Option<&Path>) -> Watch {
        let limits = Limits::of(pod, &directory.join("volumes"), memory);
        let own = directory.join("containers");
        let task = limits.map(|limits| Arc::new(Task { limits, logs: logs.to_owned(), own }));
        Watch { due: task.as_ref().map(|_| Instant::now()), task, ..Watch::default() }
    }

    /// A container of the pod runs.
    pub fn add(&mut self, container: &str, meter: Meter) {
        if self.task.is_some() {
            self.meters.retain(|(name, _)| name != container);
            self.meters.push((container.to_owned(), meter));
            self.seen = Duration::ZERO;
        }
    }

    /// Completes when the pod has exceeded a limit, with the words for it. Pending for ever where there is none.
    ///
    /// # Cancel safety
    /// A measuring that was begun is found again.
    pub async fn exceeded(&mut self) -> String {
        loop {
            let (Some(task), Some(due)) = (self.task.clone(), self.due) else {
                return std::future::pending().await;
            };
            if let Some(measuring) = &mut self.measuring {
                let measured = measuring.await;
                self.measuring = None;
                let Ok((measured, took)) = measured else { continue };
                self.due = Some(Instant::now() + INTERVAL.max(took * REST));
                if let Some(words) = task.limits.judge(&measured) {
                    self.due = None;
                    return words;
                }
                continue;
            }
            sleep_until(due).await;
            let ran = self.meters.iter().map(|(_, meter)| meter.usage().cpu).sum();
            if ran == self.seen {
                self.due = Some(Instant::now() + INTERVAL);
            } else {
                self.seen = ran;
                self.measuring = Some(tokio::task::spawn_blocking(move || task.measure()));
            }
        }
    }
}

impl Task {
    fn measure(&self) -> (Measured, Duration) {
        let begun = std::time::Instant::now();
        let volumes = self.limits.volumes.iter().map(|volume| measure::usage(&volume.path)).collect();
        let of_container = |name: &str| measure::usage(&self.logs.join(name)) + measure::usage(&self.own.join(name));
        let containers = self.limits.containers.iter().map(|(name, _)| of_container(name)).collect();
        (Measured { volumes, containers }, begun.elapsed())
    }
}
