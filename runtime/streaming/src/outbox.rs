//! What waits to be sent on a connection, and the writers that put it there.
//!
//! All streams of a connection share one queue: frames leave in the order in which they were written, so an outcome that
//! was written after a program's output arrives after it. The bytes in it are bounded by one budget, which the semaphore
//! hands out in turn; what carries no bytes of a program needs no budget, and is bounded by what causes it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::PollSemaphore;

/// The most bytes that wait on one connection.
const ROOM: usize = 1 << 20;

/// The most bytes of one frame: what others wait for at most.
pub(crate) const FRAME: usize = 32 << 10;

/// What an answer counts for.
const ANSWER: u32 = 256;

/// Something to send.
pub(crate) struct Outgoing {
    pub(crate) stream: u32,
    pub(crate) what: What,
    /// Its share of the budget, which comes back when it is encoded.
    _room: Option<OwnedSemaphorePermit>,
}

/// What there is to say of a stream, or of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Bytes.
    Data(Bytes),
    /// No more bytes.
    End,
    /// The stream that the client opened is taken.
    Accept,
    /// The stream ends at once, for this reason (of SPDY).
    Reset(u32),
    /// The client may send so many more bytes.
    Credit(u32),
    /// The answer to a ping.
    Pong(Bytes),
    /// The end of all.
    Goodbye,
}

/// The way into the queue.
#[derive(Clone)]
pub(crate) struct Outbox {
    queue: mpsc::UnboundedSender<Outgoing>,
    room: Arc<Semaphore>,
}

/// The way out of it; dropping it fails all writers.
pub(crate) struct Queue {
    queue: mpsc::UnboundedReceiver<Outgoing>,
    room: Arc<Semaphore>,
}

pub(crate) fn outbox() -> (Outbox, Queue) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let room = Arc::new(Semaphore::new(ROOM));
    (Outbox { queue: sender, room: room.clone() }, Queue { queue: receiver, room })
}

impl Outbox {
    pub(crate) fn writer(&self, stream: u32) -> Writer {
        Writer { stream, room: PollSemaphore::new(self.room.clone()), out: self.clone(), ended: false, place: None }
    }

    /// Says something that needs no budget.
    pub(crate) fn say(&self, stream: u32, what: What) {
        let _ = self.queue.send(Outgoing { stream, what, _room: None });
    }

    /// Says something that the client causes as often as it likes: waits for room as its bytes would.
    pub(crate) async fn answer(&self, stream: u32, what: What) {
        if let Ok(room) = self.room.clone().acquire_many_owned(ANSWER).await {
            let _ = self.queue.send(Outgoing { stream, what, _room: Some(room) });
        }
    }

    /// The same if there is room now.
    pub(crate) fn answer_now(&self, stream: u32, what: What) -> bool {
        let room = self.room.clone().try_acquire_many_owned(ANSWER);
        room.is_ok_and(|room| self.queue.send(Outgoing { stream, what, _room: Some(room) }).is_ok())
    }
}

impl Queue {
    pub(crate) async fn next(&mut self) -> Option<Outgoing> {
        self.queue.recv().await
    }

    pub(crate) fn next_now(&mut self) -> Option<Outgoing> {
        self.queue.try_recv().ok()
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.queue.close();
        self.room.close();
    }
}

/// What is sent to the client on one stream. Dropping it, or shutting it down, ends the stream.
///
/// Fails with `BrokenPipe` once the client is gone.
pub struct Writer {
    stream: u32,
    out: Outbox,
    room: PollSemaphore,
    ended: bool,
    /// Something that is held as long as this is there.
    place: Option<Arc<()>>,
}

impl Writer {
    pub(crate) fn holding(mut self, place: Arc<()>) -> Self {
        self.place = Some(place);
        self
    }

    fn end(&mut self) {
        if !std::mem::replace(&mut self.ended, true) {
            self.out.say(self.stream, What::End);
        }
    }

    /// Ends the stream at once: the client sees that it was broken off.
    pub fn reset(mut self) {
        self.ended = true;
        self.out.say(self.stream, What::Reset(crate::spdy::CANCEL));
    }
}

impl AsyncWrite for Writer {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        let broken = || Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        if self.ended {
            return broken();
        }
        let length = from.len().min(FRAME);
        if length == 0 {
            return Poll::Ready(Ok(0));
        }
        let wanted = u32::try_from(length).unwrap_or(u32::MAX);
        let Some(room) = ready!(self.room.poll_acquire_many(cx, wanted)) else { return broken() };
        let what = What::Data(Bytes::copy_from_slice(&from[..length]));
        match self.out.queue.send(Outgoing { stream: self.stream, what, _room: Some(room) }) {
            Ok(()) => Poll::Ready(Ok(length)),
            Err(_) => broken(),
        }
    }

    /// What is queued leaves without further ado.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.end();
        Poll::Ready(Ok(()))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.end();
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("stream", &self.stream).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    #[tokio::test]
    async fn writers_wait_for_room_and_fail_with_the_connection() {
        let (out, mut queue) = outbox();
        let mut writer = out.writer(1);
        writer.write_all(&vec![0; ROOM]).await.expect("room");
        assert!(writer.write(b"x").now_or_never().is_none());
        drop(queue.next().await);
        assert_eq!(writer.write(b"x").await.expect("room again"), 1);
        let blocked = tokio::spawn(async move { writer.write_all(&vec![0; ROOM]).await });
        tokio::task::yield_now().await;
        drop(queue);
        let failed = blocked.await.expect("no panic").expect_err("nobody sends");
        assert_eq!(failed.kind(), io::ErrorKind::BrokenPipe);
    }

    #[tokio::test]
    async fn a_stream_ends_once() {
        let (out, mut queue) = outbox();
        let mut writer = out.writer(3);
        writer.shutdown().await.expect("shutdown");
        drop((writer, out));
        let ends = std::iter::from_fn(|| queue.next_now()).map(|o| (o.stream, o.what)).collect::<Vec<_>>();
        assert_eq!(ends, [(3, What::End)]);
    }
}
