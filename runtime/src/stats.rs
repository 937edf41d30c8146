//! What pods and the node use, for those who ask: a kubelet's `/stats/summary`, `/metrics`, `/metrics/resource` and
//! `/metrics/cadvisor`.
//!
//! Guests are metered as they run; everything else is read when it is asked for. Nothing is sampled while nobody looks:
//! a rate is what was used since the [last look](rate), or over a short moment where that was long ago.
//!
//! ```text
//! directory of pods ─► meters ─► rate ─┬► summary (JSON)
//! /proc ─► machine ────────────────────┴► exposition (Prometheus' text)
//! ```

mod exposition;
mod machine;
mod rate;
mod sample;
mod summary;

pub use sample::{ContainerSample, PodSample};

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::agent::directory::Directory;
use machine::Machine;
use rate::Rates;
use sample::Sample;

/// Between two looks, where there was none for a while.
const MOMENT: Duration = Duration::from_millis(500);

/// What is answered.
#[derive(Clone, Debug)]
pub struct Page {
    /// Its type.
    pub media_type: &'static str,
    /// Itself.
    pub text: String,
}

/// Answers. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Stats {
    node: Arc<str>,
    machine: Arc<Machine>,
    directory: Arc<Directory>,
    rates: Arc<Rates>,
}

impl Stats {
    /// Of the pods in `directory`, on the node of this name.
    pub(crate) fn new(node: &str, data_dir: &std::path::Path, directory: Arc<Directory>) -> Self {
        let machine = Arc::new(Machine::new(data_dir));
        Self { node: node.into(), machine, directory, rates: Arc::default() }
    }

    /// Whether there is a page at this path.
    pub fn has(&self, path: &str) -> bool {
        matches!(path, "/stats/summary" | "/metrics" | "/metrics/resource" | "/metrics/cadvisor")
    }

    /// The page at one of those paths.
    pub async fn page(&self, path: &str) -> Page {
        let text = |text: String| Page { media_type: "text/plain; version=0.0.4; charset=utf-8", text };
        match path {
            "/stats/summary" => Page { media_type: "application/json", text: self.summary().await.to_string() },
            "/metrics/resource" => text(exposition::resources(&self.look())),
            "/metrics/cadvisor" => text(exposition::containers(&self.look())),
            _ => text(exposition::process(&self.node, &self.look())),
        }
    }

    /// The kubelet's summary.
    async fn summary(&self) -> serde_json::Value {
        if self.rates.is_stale(Instant::now()) {
            self.look();
            sleep(MOMENT).await;
        }
        summary::build(&self.node, &self.look(), &self.rates)
    }

    fn look(&self) -> Sample {
        let pods = self.directory.all().iter().map(|view| view.sample()).collect();
        let sample = Sample { at: jiff::Timestamp::now(), pods, machine: self.machine.read() };
        self.rates.note(&sample, Instant::now());
        sample
    }
}
