//! The tasks of a cluster and the order in which they end: what runs pods first, then what it talks to.

use std::fmt::Display;

use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

/// The running components. Dropping them ends them.
pub struct Tasks {
    node: JoinSet<String>,
    control: JoinSet<String>,
    stop_node: CancellationToken,
    stop_control: CancellationToken,
    _stop_on_drop: [DropGuard; 2],
}

impl Default for Tasks {
    fn default() -> Self {
        let (stop_node, stop_control) = (CancellationToken::new(), CancellationToken::new());
        let guards = [stop_node.clone().drop_guard(), stop_control.clone().drop_guard()];
        Self { node: JoinSet::new(), control: JoinSet::new(), stop_node, stop_control, _stop_on_drop: guards }
    }
}

impl Tasks {
    /// Runs a component that needs the API to stop cleanly.
    pub fn spawn_node<F, E>(&mut self, name: &'static str, run: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Display + 'static,
    {
        let running = run(self.stop_node.clone());
        self.node.spawn(named(name, running));
    }

    /// Runs the component that ends last.
    pub fn spawn_control<F, E>(&mut self, name: &'static str, run: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Display + 'static,
    {
        let running = run(self.stop_control.clone());
        self.control.spawn(named(name, running));
    }

    /// Says which component ended first, and why.
    pub async fn ended(&mut self) -> String {
        let ended = tokio::select! {
            Some(ended) = self.node.join_next() => ended,
            Some(ended) = self.control.join_next() => ended,
            else => return "everything ended".to_owned(),
        };
        ended.unwrap_or_else(|panic| format!("a component panicked: {panic}"))
    }

    /// Ends everything in order.
    pub async fn stop(mut self) {
        self.stop_node.cancel();
        while self.node.join_next().await.is_some() {}
        self.stop_control.cancel();
        while self.control.join_next().await.is_some() {}
    }
}

async fn named<E: Display>(name: &'static str, running: impl Future<Output = Result<(), E>>) -> String {
    match running.await {
        Ok(()) => format!("{name} ended"),
        Err(error) => format!("{name} failed: {error}"),
    }
}
