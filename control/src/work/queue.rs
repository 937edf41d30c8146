//! A work queue of keys.
//!
//! # Guarantees
//! - A key is in the queue at most once, and is never worked on twice at the same time.
//! - A key that is added while it is worked on runs again afterwards, at least [`PACE`] after it ended: a flood of
//!   changes to one object becomes a few runs.
//! - A run that fails is tried again with exponential back-off; a new change does not wait for it.
//! - An empty queue has no timer; a queue has one, however many keys wait for a time.

mod key;
mod state;

use std::fmt::Display;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::registry::{Change, Changes, Object};
use crate::status::Status;
pub(crate) use key::Key;
use state::State;

/// The least time between the end of a key's run and its next run.
pub(crate) const PACE: Duration = Duration::from_millis(10);
const FIRST_RETRY: Duration = Duration::from_millis(5);
const LONGEST_RETRY: Duration = Duration::from_secs(300);

/// What a successful run leaves to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing until something changes.
    Done,
    /// Look again after this long, even if nothing changes.
    After(Duration),
}

/// A handle to a queue; clones share it.
pub(crate) struct Queue<K>(Arc<Inner<K>>);

struct Inner<K> {
    state: Mutex<State<K>>,
    wake: Notify,
}

impl<K> Clone for Queue<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: Clone + Eq + Hash + Display> Queue<K> {
    /// An empty queue.
    pub fn new() -> Self {
        Self(Arc::new(Inner { state: Mutex::new(State::default()), wake: Notify::new() }))
    }

    /// Work on this key as soon as may be.
    pub fn add(&self, key: K) {
        if self.0.state.lock().add(key) {
            self.0.wake.notify_one();
        }
    }

    /// Work on this key after a while, unless it runs and asks for another time before.
    pub fn add_after(&self, key: K, delay: Duration) {
        if self.0.state.lock().add_at(key, Instant::now() + delay) {
            self.0.wake.notify_one();
        }
    }

    /// Works on keys, up to `at_once` of them, for ever.
    pub async fn work<F>(&self, at_once: usize, reconcile: impl Fn(K) -> F)
    where
        F: Future<Output = Result<Next, Status>>,
    {
        let mut running = FuturesUnordered::new();
        loop {
            tokio::select! {
                key = self.next(), if running.len() < at_once => {
                    let run = reconcile(key.clone());
                    running.push(async move { (key, run.await) });
                }
                Some((key, result)) = running.next() => self.ended(key, result),
            }
        }
    }

    /// # Cancel safety
    /// A key is taken only when it is returned.
    async fn next(&self) -> K {
        loop {
            let due = match self.0.state.lock().take(Instant::now()) {
                Ok(key) => return key,
                Err(due) => due,
            };
            match due {
                None => self.0.wake.notified().await,
                Some(at) => {
                    tokio::select! {
                        () = self.0.wake.notified() => {}
                        () = tokio::time::sleep_until(at) => {}
                    }
                }
            }
        }
    }

    fn ended(&self, key: K, result: Result<Next, Status>) {
        let mut state = self.0.state.lock();
        let now = Instant::now();
        match result {
            Ok(next) => {
                state.succeeded(&key);
                state.ended(&key, now + PACE);
                if let Next::After(delay) = next {
                    state.add_at(key, now + delay);
                }
            }
            Err(status) => {
                let failures = state.failed(&key);
                let delay = backoff(failures);
                // A lost race is no news: whoever won it changed the object.
                if status.is_conflict() {
                    tracing::debug!(%key, %status, "will look again");
                } else {
                    tracing::warn!(%key, %status, failures, retry = ?delay, "could not reconcile");
                }
                state.ended(&key, now + PACE);
                state.add_at(key, now + delay);
            }
        }
    }
}

fn backoff(failures: u32) -> Duration {
    FIRST_RETRY.saturating_mul(1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX)).min(LONGEST_RETRY)
}

/// Turns the changes of one kind into keys, for ever.
pub(crate) async fn feed<K: Object>(mut changes: Changes<K>, to: impl Fn(&Change<K>)) {
    while let Some(change) = changes.recv().await {
        to(&change);
    }
    std::future::pending().await
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn back_off_grows_to_a_limit() {
        assert_eq!(backoff(1), FIRST_RETRY);
        assert_eq!(backoff(4), FIRST_RETRY * 8);
        assert_eq!(backoff(1000), LONGEST_RETRY);
    }

    #[tokio::test]
    async fn every_key_runs_and_a_failed_one_again() {
        let queue = Queue::new();
        ["a", "b", "c"].into_iter().for_each(|key| queue.add(key));
        let (runs, all_ran) = (Cell::new(0), Notify::new());
        let work = queue.work(2, |key| {
            runs.set(runs.get() + 1);
            let failed = key == "b" && runs.get() < 4;
            if runs.get() == 4 {
                all_ran.notify_one();
            }
            async move { if failed { Err(Status::internal("no")) } else { Ok(Next::Done) } }
        });
        tokio::select! { () = work => {}, () = all_ran.notified() => {} }
        assert_eq!(runs.get(), 4);
    }
}
