//! The tasks of a cluster and the order in which they end: what runs pods first, then what these are reached through, then
//! what all of it talks to.

use std::fmt::Display;

use futures::future::select_all;
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

/// When a component is told to stop: once all those of the stage before have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It runs pods, which are to end well.
    Pods,
    /// It carries what they send.
    Network,
    /// It is the API.
    Control,
}

/// The running components. Dropping them ends them.
#[derive(Default)]
pub struct Tasks {
    stages: [Group; 3],
}

struct Group {
    tasks: JoinSet<String>,
    stop: CancellationToken,
    _stop_on_drop: DropGuard,
}

impl Default for Group {
    fn default() -> Self {
        let stop = CancellationToken::new();
        Self { tasks: JoinSet::new(), _stop_on_drop: stop.clone().drop_guard(), stop }
    }
}

impl Tasks {
    /// Runs a component.
    pub fn spawn<F, E>(&mut self, stage: Stage, name: &'static str, run: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Display + 'static,
    {
        let group = &mut self.stages[stage as usize];
        let running = run(group.stop.clone());
        group.tasks.spawn(named(name, running));
    }

    /// Says which component ended first, and why.
    pub async fn ended(&mut self) -> String {
        let running = self.stages.iter_mut().filter(|group| !group.tasks.is_empty());
        let ends: Vec<_> = running.map(|group| Box::pin(group.tasks.join_next())).collect();
        if ends.is_empty() {
            return "everything ended".to_owned();
        }
        match select_all(ends).await.0 {
            Some(Ok(ended)) => ended,
            Some(Err(panic)) => format!("a component panicked: {panic}"),
            None => "everything ended".to_owned(),
        }
    }

    /// Ends everything in order.
    pub async fn stop(mut self) {
        for group in &mut self.stages {
            group.stop.cancel();
            while group.tasks.join_next().await.is_some() {}
        }
    }
}

async fn named<E: Display>(name: &'static str, running: impl Future<Output = Result<(), E>>) -> String {
    match running.await {
        Ok(()) => format!("{name} ended"),
        Err(error) => format!("{name} failed: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[tokio::test]
    async fn pods_end_before_what_they_need() {
        let order: Arc<Mutex<Vec<&str>>> = Arc::default();
        let mut tasks = Tasks::default();
        for (stage, name) in [(Stage::Control, "control"), (Stage::Pods, "pods"), (Stage::Network, "network")] {
            let order = order.clone();
            tasks.spawn(stage, name, |stop| async move {
                stop.cancelled().await;
                tokio::task::yield_now().await;
                order.lock().expect("nobody panics").push(name);
                Ok::<(), Infallible>(())
            });
        }
        tasks.stop().await;
        assert_eq!(*order.lock().expect("nobody panics"), ["pods", "network", "control"]);
    }
}
