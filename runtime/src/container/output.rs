//! Where a container's words go.

use std::task::{Context, Poll};

/// Which of the two a guest wrote to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stdio {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// The receiver of a container's output: the pod's log.
///
/// Both calls come from the threads that run guests and must not wait: a log that is behind says so in
/// [`poll_ready`](Output::poll_ready), and then the guest waits, not the thread.
pub trait Output: Send + Sync + 'static {
    /// Takes some bytes, wherever they end: not a line, not even a character.
    fn write(&self, stream: Stdio, bytes: &[u8]);

    /// Ready when there is room for another write. Those who keep everything are always ready.
    fn poll_ready(&self, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}
