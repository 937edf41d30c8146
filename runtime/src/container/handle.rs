//! What others need of a container that runs: who executes a program in it, who attaches to it.

use std::sync::Arc;

use super::{Meter, Setting};
use crate::guest::CompiledGuest;

/// A running container's other side. It keeps nothing running: when the container is over, what was started through it
/// is too. Holders let go of it soon, because it holds the pod's network.
#[derive(Clone)]
pub struct Handle(pub(super) Arc<Setting>);

impl Handle {
    /// What the pod calls the container.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// What it runs.
    pub fn guest(&self) -> &Arc<CompiledGuest> {
        &self.0.guest
    }

    /// Completes when the container is dropped.
    pub async fn gone(&self) {
        self.0.gate.gone().await;
    }

    /// Whether the guest, or what it has started, has looked at an open standard input: a stop then lets it end by itself.
    pub fn reads_stdin(&self) -> bool {
        self.0.gate.reads_stdin()
    }

    /// Its counters and limits.
    pub fn meter(&self) -> Meter {
        Meter::of(&self.0)
    }

    pub(crate) fn setting(&self) -> &Arc<Setting> {
        &self.0
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Handle").field(&self.name()).finish()
    }
}

/// What a program at a terminal finds in its environment.
pub(crate) fn add_term(env: &mut Vec<(String, String)>) {
    if !env.iter().any(|(name, _)| name == "TERM") {
        env.push(("TERM".to_owned(), "xterm".to_owned()));
    }
}
