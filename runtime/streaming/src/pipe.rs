//! A bounded queue of bytes between the task of a connection and whoever reads one of its streams.
//!
//! It holds the pieces as they were read from the wire, so that nothing is copied before the reader asks for it.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, ReadBuf};

/// What a piece costs besides its bytes, so that tiny ones cannot hold more than large ones.
const OVERHEAD: usize = 64;

#[derive(Default)]
struct State {
    pieces: VecDeque<Bytes>,
    held: usize,
    ended: Option<Ended>,
    /// Nobody reads any more.
    deaf: bool,
    reader: Option<Waker>,
    feeder: Option<Waker>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// All was said.
    Finished,
    /// More was to come.
    Broken,
}

type Shared = Arc<Mutex<State>>;

/// A queue that takes `capacity` bytes, and the piece that was on its way when it was full.
pub(crate) fn pipe(capacity: usize) -> (Feed, Reader) {
    let shared = Shared::default();
    (Feed { shared: shared.clone(), capacity }, Reader(shared))
}

fn lock(shared: &Shared) -> MutexGuard<'_, State> {
    // No code of others runs under the lock.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The end of the connection; dropping it breaks the stream where it was not ended.
pub(crate) struct Feed {
    shared: Shared,
    capacity: usize,
}

impl Feed {
    /// Adds a piece once there is room. False where nobody will read it.
    pub(crate) async fn push(&self, piece: Bytes) -> bool {
        poll_fn(|cx| self.poll_room(cx)).await;
        let mut state = lock(&self.shared);
        if state.deaf || state.ended.is_some() {
            return false;
        }
        if !piece.is_empty() {
            state.held += piece.len() + OVERHEAD;
            state.pieces.push_back(piece);
            wake(&mut state.reader);
        }
        true
    }

    fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = lock(&self.shared);
        if state.deaf || state.held < self.capacity {
            return Poll::Ready(());
        }
        state.feeder = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Nobody reads any more.
    pub(crate) fn is_deaf(&self) -> bool {
        lock(&self.shared).deaf
    }

    /// Nothing follows.
    pub(crate) fn finish(&self) {
        self.end(Ended::Finished);
    }

    /// What follows will never come.
    pub(crate) fn break_off(&self) {
        self.end(Ended::Broken);
    }

    fn end(&self, how: Ended) {
        let mut state = lock(&self.shared);
        if state.ended.is_none() {
            state.ended = Some(how);
            wake(&mut state.reader);
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.break_off();
    }
}

/// What the client sends on one stream.
///
/// Fails with `ConnectionReset` where the client broke off; what it had said before is read first.
pub struct Reader(Shared);

impl AsyncRead for Reader {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut state = lock(&self.0);
        if state.pieces.is_empty() {
            return match state.ended {
                Some(Ended::Finished) => Poll::Ready(Ok(())),
                Some(Ended::Broken) => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
                None => {
                    state.reader = Some(cx.waker().clone());
                    Poll::Pending
                }
            };
        }
        while let Some(piece) = state.pieces.front_mut().filter(|_| into.remaining() > 0) {
            let length = piece.len().min(into.remaining());
            into.put_slice(&piece[..length]);
            piece.advance(length);
            let emptied = piece.is_empty();
            state.held -= length;
            if emptied {
                state.held -= OVERHEAD;
                state.pieces.pop_front();
            }
        }
        wake(&mut state.feeder);
        Poll::Ready(Ok(()))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut state = lock(&self.0);
        state.deaf = true;
        state.pieces.clear();
        wake(&mut state.feeder);
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test]
    async fn a_full_pipe_waits_for_its_reader() {
        let (feed, mut reader) = pipe(100);
        assert!(feed.push(Bytes::from(vec![1; 200])).await);
        assert_eq!(feed.push(Bytes::from_static(b"x")).now_or_never(), None);
        reader.read_exact(&mut [0; 150]).await.expect("read");
        assert_eq!(feed.push(Bytes::from_static(b"x")).now_or_never(), None);
        reader.read_exact(&mut [0; 50]).await.expect("read");
        assert_eq!(feed.push(Bytes::from_static(b"x")).now_or_never(), Some(true));
    }

    #[tokio::test]
    async fn a_waiting_feeder_hears_that_nobody_reads() {
        let (feed, reader) = pipe(1);
        assert!(feed.push(Bytes::from_static(b"x")).await);
        let waiting = tokio::spawn(async move { feed.push(Bytes::from_static(b"y")).await });
        tokio::task::yield_now().await;
        drop(reader);
        assert!(!waiting.await.expect("no panic"));
    }

    #[tokio::test]
    async fn the_end_comes_after_what_was_said() {
        let (feed, mut reader) = pipe(100);
        feed.push(Bytes::from_static(b"all")).await;
        feed.finish();
        drop(feed);
        let mut said = String::new();
        reader.read_to_string(&mut said).await.expect("the end");
        assert_eq!(said, "all");

        let (feed, mut reader) = pipe(100);
        feed.push(Bytes::from_static(b"hal")).await;
        drop(feed);
        let broken = reader.read_to_string(&mut said).await.expect_err("broken off");
        assert_eq!((broken.kind(), &*said), (io::ErrorKind::ConnectionReset, "all"));
    }
}
