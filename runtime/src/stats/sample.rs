//! One look at everything.

use std::time::Duration;

use jiff::Timestamp;

use super::machine::Reading;
use crate::container::Usage;

/// What there was at one moment.
#[derive(Clone, Debug)]
pub struct Sample {
    /// When.
    pub at: Timestamp,
    /// The pods.
    pub pods: Vec<PodSample>,
    /// The machine and this process.
    pub machine: Reading,
}

/// A pod.
#[derive(Clone, Debug, Default)]
pub struct PodSample {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Since when it is here.
    pub started: Option<Timestamp>,
    /// Those of its containers that run.
    pub containers: Vec<ContainerSample>,
}

/// A container that runs.
#[derive(Clone, Debug)]
pub struct ContainerSample {
    /// Its name.
    pub name: String,
    /// `wasmtime://…`, another with each start.
    pub id: String,
    /// The image it runs.
    pub image: String,
    /// Since when.
    pub started: Timestamp,
    /// Its counters.
    pub usage: Usage,
}

impl PodSample {
    /// Processor time of the containers that run.
    pub fn cpu(&self) -> Duration {
        self.containers.iter().map(|container| container.usage.cpu).sum()
    }

    /// Memory of the containers that run, in bytes.
    pub fn memory(&self) -> u64 {
        self.containers.iter().map(|container| container.usage.memory).sum()
    }
}
