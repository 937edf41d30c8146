//! The way to tell a guest to stop, and to see when it has nothing left to do.
//!
//! WASI has no signals. What a guest can notice is the end of its standard input; what a server does that notices
//! nothing is finish what it has been sent. So a server that was told to stop goes on serving, while the services it
//! belonged to send their clients elsewhere, and is over when nobody has been connected to it for a [moment](QUIET):
//! nothing is refused or cut off because a routing table was a little late.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// How long a server that was told to stop must have had no connection. Routing tables follow in milliseconds, on a
/// loaded machine in tens of them.
const QUIET: Duration = Duration::from_millis(500);

/// Shared by a container and the host side of its guest: open while it runs, closed when it was told to stop.
#[derive(Default)]
pub(crate) struct Gate {
    closed: CancellationToken,
    gone: CancellationToken,
    waits: CancellationToken,
    /// What a guest that was told to stop may still finish: connections, requests, a standard input it reads from.
    busy: AtomicUsize,
    /// All of those that there ever were.
    begun: AtomicUsize,
    finished: Notify,
    /// Over, or about to find out.
    shut: AtomicBool,
    serves: AtomicBool,
    reads_stdin: AtomicBool,
}

/// Something the guest may finish; counted while it lives.
pub(crate) struct Unfinished(Arc<Gate>);

impl Gate {
    pub(crate) fn new() -> Arc<Gate> {
        Arc::new(Gate::default())
    }

    pub(crate) fn close(&self) {
        self.closed.cancel();
    }

    /// Cancelled when the guest has [begun](super::parking).
    pub(crate) fn waits(&self) -> &CancellationToken {
        &self.waits
    }

    /// The container is dropped.
    pub(crate) fn end(&self) {
        self.gone.cancel();
    }

    /// Completes when the container is dropped.
    pub(crate) async fn gone(&self) {
        self.gone.cancelled().await;
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.gone.is_cancelled()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.is_cancelled()
    }

    /// Completes when the guest is told to stop.
    pub(crate) fn closed(&self) -> WaitForCancellationFutureOwned {
        self.closed.clone().cancelled_owned()
    }

    /// The guest listens, so others may be about to connect to it.
    pub(crate) fn serves(&self) {
        self.serves.store(true, SeqCst);
    }

    /// The guest has begun something that a stop should let it finish.
    pub(crate) fn begin(self: &Arc<Gate>) -> Unfinished {
        self.begun.fetch_add(1, SeqCst);
        self.busy.fetch_add(1, SeqCst);
        Unfinished(Arc::clone(self))
    }

    /// Whether it is too late to begin. `over` shuts first and counts after; ask this after `begin`, and one of the two
    /// sees the other.
    pub(crate) fn is_shut(&self) -> bool {
        self.shut.load(SeqCst)
    }

    /// The guest looks at an open standard input: its end is a signal that it will see, and may take its time over.
    pub(crate) fn watches_stdin(&self) {
        if !self.reads_stdin.swap(true, SeqCst) {
            self.busy.fetch_add(1, SeqCst);
        }
    }

    /// Whether it ever did.
    pub(crate) fn reads_stdin(&self) -> bool {
        self.reads_stdin.load(SeqCst)
    }

    /// Completes when the guest was told to stop and has nothing to finish.
    pub(crate) async fn over(&self) {
        self.closed.cancelled().await;
        loop {
            self.nothing_unfinished().await;
            let begun = self.begun.load(SeqCst);
            if self.serves.load(SeqCst) {
                tokio::time::sleep(QUIET).await;
            }
            self.shut.store(true, SeqCst);
            if self.begun.load(SeqCst) == begun && self.busy.load(SeqCst) == 0 {
                return;
            }
            self.shut.store(false, SeqCst);
        }
    }

    async fn nothing_unfinished(&self) {
        loop {
            let finished = self.finished.notified();
            if self.busy.load(SeqCst) == 0 {
                return;
            }
            finished.await;
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if self.0.busy.fetch_sub(1, SeqCst) == 1 {
            self.0.finished.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use tokio::time::{sleep, timeout};

    #[test]
    fn a_guest_with_nothing_to_finish_is_over_at_once() {
        let gate = Gate::new();
        assert!(gate.over().now_or_never().is_none());
        gate.close();
        assert!(gate.over().now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_server_is_over_when_it_has_been_quiet() {
        let gate = Gate::new();
        gate.serves();
        let one = gate.begin();
        gate.close();
        let waiting = Arc::clone(&gate);
        let over = tokio::spawn(async move { waiting.over().await });
        sleep(QUIET * 3).await;
        assert!(!over.is_finished(), "a connection is open");
        drop(one);
        sleep(QUIET / 2).await;
        drop(gate.begin());
        sleep(QUIET * 3 / 4).await;
        assert!(!over.is_finished(), "another came within the quiet time");
        timeout(QUIET * 2, over).await.unwrap().unwrap();
        assert!(gate.is_shut(), "too late to begin");
    }

    #[test]
    fn a_reader_of_stdin_is_left_to_end_by_itself() {
        let gate = Gate::new();
        gate.watches_stdin();
        gate.close();
        assert!(gate.over().now_or_never().is_none());
    }
}
