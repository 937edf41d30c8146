//! A bounded pipe in memory, between programs or between a program and whoever holds its other end.
//!
//! As on Unix, a reader finds the end when the last writer is gone, and a writer finds the pipe broken when the last
//! reader is. Both ends are counted handles that threads share; what waits is woken, nothing is polled.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes under way in a pipe. Linux has as many.
pub(crate) const ROOM: usize = 64 << 10;

/// Nobody is left to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken;

/// Makes one.
pub(crate) fn pipe() -> (Writer, Reader) {
    let shared = Arc::new(Mutex::new(State { writers: 1, readers: 1, ..State::default() }));
    (Writer(shared.clone()), Reader(shared))
}

#[derive(Default)]
struct State {
    buffer: BytesMut,
    writers: usize,
    readers: usize,
    /// What is in it can still be read; no more gets in.
    hung_up: bool,
    waiting_readers: Vec<Waker>,
    waiting_writers: Vec<Waker>,
}

impl State {
    fn is_broken(&self) -> bool {
        self.readers == 0 || self.hung_up
    }

    fn is_ended(&self) -> bool {
        self.buffer.is_empty() && (self.writers == 0 || self.hung_up)
    }
}

/// Does something to the state and wakes, outside its lock, whom it gives back.
fn change<T>(state: &Mutex<State>, act: impl FnOnce(&mut State) -> (T, Vec<Waker>)) -> T {
    let (result, wakers) = act(&mut state.lock());
    wakers.into_iter().for_each(Waker::wake);
    result
}

fn register(waiting: &mut Vec<Waker>, cx: &Context<'_>) {
    if !waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
        waiting.push(cx.waker().clone());
    }
}

/// The end that is written to.
pub(crate) struct Writer(Arc<Mutex<State>>);

impl Writer {
    /// How much may be written now; ready when it is more than nothing.
    pub(crate) fn poll_room(&self, cx: &Context<'_>) -> Poll<Result<usize, Broken>> {
        let mut state = self.0.lock();
        if state.is_broken() {
            return Poll::Ready(Err(Broken));
        }
        match ROOM.saturating_sub(state.buffer.len()) {
            0 => {
                register(&mut state.waiting_writers, cx);
                Poll::Pending
            }
            room => Poll::Ready(Ok(room)),
        }
    }

    /// Writes all of it, past the room too: who writes has asked for it before.
    pub(crate) fn push(&self, bytes: &[u8]) -> Result<(), Broken> {
        change(&self.0, |state| {
            if state.is_broken() {
                return (Err(Broken), Vec::new());
            }
            state.buffer.extend_from_slice(bytes);
            (Ok(()), std::mem::take(&mut state.waiting_readers))
        })
    }

    /// Writes all of it, waiting for room.
    pub(crate) async fn write(&self, mut bytes: &[u8]) -> Result<(), Broken> {
        while !bytes.is_empty() {
            let room = std::future::poll_fn(|cx| self.poll_room(cx)).await?;
            let (now, rest) = bytes.split_at(room.min(bytes.len()));
            self.push(now)?;
            bytes = rest;
        }
        Ok(())
    }

    /// Lets no more in, however many writers there are. What is in it can still be read.
    pub(crate) fn hang_up(&self) {
        change(&self.0, |state| {
            state.hung_up = true;
            let mut wakers = std::mem::take(&mut state.waiting_readers);
            wakers.append(&mut state.waiting_writers);
            ((), wakers)
        });
    }

    /// Forgets what nobody has read yet.
    pub(crate) fn discard(&self) {
        change(&self.0, |state| {
            state.buffer.clear();
            ((), std::mem::take(&mut state.waiting_writers))
        });
    }
}

impl Clone for Writer {
    fn clone(&self) -> Writer {
        self.0.lock().writers += 1;
        Writer(self.0.clone())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        change(&self.0, |state| {
            state.writers -= 1;
            ((), if state.writers == 0 { std::mem::take(&mut state.waiting_readers) } else { Vec::new() })
        });
    }
}

/// The end that is read from.
pub(crate) struct Reader(Arc<Mutex<State>>);

impl Reader {
    /// What is there, up to `most` bytes. `None` is the end; nothing is not.
    pub(crate) fn take(&self, most: usize) -> Option<Bytes> {
        change(&self.0, |state| {
            if state.is_ended() {
                return (None, Vec::new());
            }
            let size = most.min(state.buffer.len());
            let taken = state.buffer.split_to(size).freeze();
            let wakers = if taken.is_empty() { Vec::new() } else { std::mem::take(&mut state.waiting_writers) };
            (Some(taken), wakers)
        })
    }

    /// Ready when there is something to take, or the end.
    pub(crate) fn poll_readable(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.0.lock();
        if !state.buffer.is_empty() || state.is_ended() {
            return Poll::Ready(());
        }
        register(&mut state.waiting_readers, cx);
        Poll::Pending
    }

    /// Waits for what there is, up to `most` bytes. `None` is the end.
    pub(crate) async fn read(&self, most: usize) -> Option<Bytes> {
        std::future::poll_fn(|cx| self.poll_readable(cx)).await;
        self.take(most)
    }
}

impl Clone for Reader {
    fn clone(&self) -> Reader {
        self.0.lock().readers += 1;
        Reader(self.0.clone())
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        change(&self.0, |state| {
            state.readers -= 1;
            if state.readers > 0 {
                return ((), Vec::new());
            }
            state.buffer = BytesMut::new();
            ((), std::mem::take(&mut state.waiting_writers))
        });
    }
}

impl AsyncRead for Reader {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        self.poll_readable(cx).map(|()| {
            if let Some(bytes) = self.take(buffer.remaining()) {
                buffer.put_slice(&bytes);
            }
            Ok(())
        })
    }
}

impl AsyncWrite for Writer {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.poll_room(cx).map(|room| {
            let size = room.map_err(broken)?.min(bytes.len());
            self.push(&bytes[..size]).map_err(broken)?;
            Ok(size)
        })
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn broken(Broken: Broken) -> std::io::Error {
    std::io::ErrorKind::BrokenPipe.into()
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn the_end_comes_with_the_last_writer_and_after_what_was_written() {
        let (writer, reader) = pipe();
        let other = writer.clone();
        writer.push(b"one").expect("a reader");
        drop(writer);
        assert_eq!(reader.take(2).as_deref(), Some(&b"on"[..]));
        assert_eq!(reader.take(9).as_deref(), Some(&b"e"[..]));
        assert!(reader.read(9).now_or_never().is_none(), "one may still write");
        drop(other);
        assert_eq!(reader.read(9).now_or_never(), Some(None));
    }

    #[tokio::test]
    async fn a_writer_waits_for_room_and_learns_that_nobody_reads() {
        let (writer, reader) = pipe();
        let big = vec![7; 3 * ROOM];
        let writing = tokio::spawn(async move { (writer.write(&big).await, writer) });
        let mut got = 0;
        while got < 3 * ROOM {
            let bytes = reader.read(1000).await.expect("not the end");
            got += bytes.len();
        }
        let (written, writer) = writing.await.expect("writes");
        assert_eq!(written, Ok(()));
        let second = reader.clone();
        drop(reader);
        assert_eq!(writer.push(b"x"), Ok(()), "another reads");
        drop(second);
        assert_eq!(writer.push(b"x"), Err(Broken));
    }

    #[test]
    fn hung_up_it_is_drained_and_broken() {
        let (writer, reader) = pipe();
        writer.push(b"rest").expect("a reader");
        writer.hang_up();
        assert_eq!(writer.push(b"x"), Err(Broken));
        assert_eq!(reader.take(9).as_deref(), Some(&b"rest"[..]));
        assert_eq!(reader.take(9), None);
    }
}
