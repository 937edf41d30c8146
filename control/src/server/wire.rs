//! A connection that does not wait for its peer for ever.
//!
//! Somebody who asks and never reads, or connects and never asks, holds a place that others need. What stands still for too
//! long fails here, below everything that would otherwise have to know. A connection that was upgraded is another matter: its
//! two ends know why they wait.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// A stream with bounds on how long it stands still.
pub(super) struct Wire<IO> {
    io: IO,
    /// What was read already, to be read again.
    prefix: Bytes,
    /// For the first byte to come.
    first: Option<Pin<Box<Sleep>>>,
    /// For the peer to take what is written.
    patience: Option<Duration>,
    /// True once the peer may be as still as it likes.
    endless: Arc<AtomicBool>,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<IO> Wire<IO> {
    pub(super) fn new(io: IO) -> Self {
        Self { io, prefix: Bytes::new(), first: None, patience: None, endless: Arc::default(), stalled: None }
    }

    /// Begins with these bytes.
    pub(super) fn after(mut self, prefix: Bytes) -> Self {
        self.prefix = prefix;
        self
    }

    /// Fails when nothing comes within this time.
    pub(super) fn first_within(mut self, time: Duration) -> Self {
        self.first = Some(Box::pin(sleep(time)));
        self
    }

    /// Fails when the peer takes nothing for this time though there is something to take, until `endless` is set.
    pub(super) fn stalls_at_most(mut self, patience: Duration, endless: &Arc<AtomicBool>) -> Self {
        self.patience = Some(patience);
        self.endless = endless.clone();
        self
    }

    /// What a write came to, unless the peer has been still for too long.
    fn wrote<T>(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match (outcome, self.patience) {
            (Poll::Pending, Some(patience)) if !self.endless.load(Ordering::Relaxed) => {
                let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(patience)));
                ready!(stalled.as_mut().poll(cx));
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the peer does not read")))
            }
            (outcome, _) => {
                self.stalled = None;
                outcome
            }
        }
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Wire<IO> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.prefix.is_empty() {
            let length = self.prefix.len().min(to.remaining());
            to.put_slice(&self.prefix.split_to(length));
            return Poll::Ready(Ok(()));
        }
        match Pin::new(&mut self.io).poll_read(cx, to) {
            Poll::Ready(read) => {
                self.first = None;
                Poll::Ready(read)
            }
            Poll::Pending => {
                let Some(first) = &mut self.first else { return Poll::Pending };
                ready!(first.as_mut().poll(cx));
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the peer says nothing")))
            }
        }
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Wire<IO> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.io).poll_write(cx, from);
        self.wrote(cx, outcome)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.io).poll_flush(cx);
        self.wrote(cx, outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.io).poll_shutdown(cx);
        self.wrote(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.io).poll_write_vectored(cx, from);
        self.wrote(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_does_not_read_is_cut_off() {
        let (near, mut far) = tokio::io::duplex(10);
        let mut wire = Wire::new(near).stalls_at_most(Duration::from_secs(5), &Arc::default());
        let reading = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(4)).await;
            far.read_exact(&mut [0; 8]).await.unwrap();
            far
        });
        wire.write_all(&[0; 18]).await.unwrap();
        let _far = reading.await.unwrap();
        assert_eq!(wire.write_all(&[0; 1]).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn an_upgraded_connection_waits() {
        let (near, _far) = tokio::io::duplex(10);
        let endless = Arc::new(AtomicBool::new(true));
        let mut wire = Wire::new(near).stalls_at_most(Duration::from_secs(5), &endless);
        assert!(tokio::time::timeout(Duration::from_secs(60), wire.write_all(&[0; 18])).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_is_cut_off_and_who_has_spoken_is_not() {
        let (near, mut far) = tokio::io::duplex(10);
        let mut wire = Wire::new(near).after(Bytes::from_static(b"ab")).first_within(Duration::from_secs(5));
        wire.read_exact(&mut [0; 2]).await.unwrap();
        assert_eq!(wire.read(&mut [0; 1]).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        let (near, _far) = tokio::io::duplex(10);
        let mut wire = Wire::new(near).first_within(Duration::from_secs(5));
        far.write_all(b"x").await.unwrap();
        assert!(tokio::time::timeout(Duration::from_secs(1), wire.read(&mut [0; 1])).await.is_err());
    }
}
