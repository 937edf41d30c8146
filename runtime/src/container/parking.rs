//! When has a guest begun? When it waits for the outside for the first time: a server in `accept`, a job for its file.
//!
//! A guest that crashes at once never gets there, so it is never reported as running, let alone as ready.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Wake, Waker};

use tokio_util::sync::CancellationToken;

/// Wakes the task, and remembers that it was woken.
struct Noticing {
    woken: AtomicBool,
    task: Waker,
}

impl Wake for Noticing {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Relaxed);
        self.task.wake_by_ref();
    }
}

/// Runs a guest, and cancels `begun` when it first waits for anything but its next turn on the processor.
pub(super) async fn noticed<F: Future>(guest: F, begun: CancellationToken) -> F::Output {
    let mut guest = pin!(guest);
    poll_fn(|cx| {
        if begun.is_cancelled() {
            return guest.as_mut().poll(cx);
        }
        let noticing = Arc::new(Noticing { woken: AtomicBool::new(false), task: cx.waker().clone() });
        let polled = guest.as_mut().poll(&mut Context::from_waker(&Waker::from(Arc::clone(&noticing))));
        // A guest that only gave up its turn has asked for the next one already.
        if polled.is_pending() && !noticing.woken.load(Relaxed) {
            begun.cancel();
        }
        polled
    })
    .await
}

/// A guest that has not begun to wait by now is busy, and counts as running.
pub(super) const BUSY_AFTER: std::time::Duration = std::time::Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use super::*;

    #[tokio::test]
    async fn a_turn_given_up_is_no_wait() {
        let begun = CancellationToken::new();
        // As the engine's own yield at the end of an epoch: it asks for the next turn at once. (tokio's asks later.)
        let mut turns = 0;
        let guest = poll_fn(|cx| {
            turns += 1;
            cx.waker().wake_by_ref();
            if turns > 2 { Poll::Ready(()) } else { Poll::Pending }
        });
        noticed(guest, begun.clone()).await;
        assert!(!begun.is_cancelled());
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_is() {
        let begun = CancellationToken::new();
        noticed(tokio::time::sleep(BUSY_AFTER), begun.clone()).await;
        assert!(begun.is_cancelled());
    }
}
