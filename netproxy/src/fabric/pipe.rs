//! A connection inside the node: two bounded byte queues and four wakers, no task, no timer, no system call.
//!
//! A queue has no memory until something is written, and gives it back when it was read empty, because most
//! connections of a device wait most of the time. The ends follow TCP: closing the writing half lets the reader finish
//! (`Ok(0)`), closing an end with unread bytes resets the other one, and bytes that arrived before a reset are still
//! read before it is reported.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

/// What one direction holds before its writer must wait.
pub const CAPACITY: usize = 64 * 1024;

/// Small queues are kept when they were read empty; a request and its response should not allocate each time.
const KEEP: usize = 512;

/// Both directions; shared by the two ends and, weakly, by the pods they belong to.
#[derive(Debug)]
pub struct Pipe {
    /// `ways[side]` carries what the end of that side writes.
    ways: [Mutex<Way>; 2],
}

#[derive(Debug, Default)]
struct Way {
    bytes: VecDeque<u8>,
    /// The writer has finished.
    fin: bool,
    reader: Reader,
    /// Broken for both.
    reset: bool,
    wake_reader: Option<Waker>,
    wake_writer: Option<Waker>,
}

#[derive(Debug, Default, PartialEq, Clone, Copy)]
enum Reader {
    #[default]
    Open,
    /// Reads no more but lives on: what is written is thrown away, as Linux does after `shutdown(SHUT_RD)`.
    Deaf,
    Gone,
}

impl Way {
    fn wake_both(&mut self) {
        for waker in [self.wake_reader.take(), self.wake_writer.take()].into_iter().flatten() {
            waker.wake();
        }
    }

    fn readable(&self) -> bool {
        !self.bytes.is_empty() || self.fin || self.reset || self.reader != Reader::Open
    }

    fn writable(&self) -> bool {
        self.bytes.len() < CAPACITY || self.fin || self.reset || self.reader != Reader::Open
    }
}

impl Pipe {
    /// Breaks the connection for both ends.
    pub fn reset(&self) {
        for way in &self.ways {
            let mut way = way.lock();
            way.reset = true;
            way.wake_both();
        }
    }
}

/// One end of a pipe.
#[derive(Debug)]
pub struct End {
    pipe: Arc<Pipe>,
    side: usize,
}

/// A new connection.
pub fn pair() -> (End, End) {
    let pipe = Arc::new(Pipe { ways: Default::default() });
    (End { pipe: pipe.clone(), side: 0 }, End { pipe, side: 1 })
}

impl End {
    /// The pipe, to reset it from elsewhere.
    pub fn pipe(&self) -> &Arc<Pipe> {
        &self.pipe
    }

    fn outward(&self) -> &Mutex<Way> {
        &self.pipe.ways[self.side]
    }

    fn inward(&self) -> &Mutex<Way> {
        &self.pipe.ways[1 - self.side]
    }

    /// Reads what is there; `Ok(0)` at the end.
    pub fn try_read(&self, into: &mut [u8]) -> io::Result<usize> {
        let mut way = self.inward().lock();
        if way.reader != Reader::Open || into.is_empty() {
            return Ok(0);
        }
        if !way.bytes.is_empty() {
            return read(&mut way, into);
        }
        match (way.reset, way.fin) {
            (true, _) => Err(io::ErrorKind::ConnectionReset.into()),
            (false, true) => Ok(0),
            (false, false) => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// Writes what fits.
    pub fn try_write(&self, from: &[u8]) -> io::Result<usize> {
        self.try_write_vectored(&[io::IoSlice::new(from)])
    }

    /// Writes what fits of all the slices, in order.
    pub fn try_write_vectored(&self, from: &[io::IoSlice<'_>]) -> io::Result<usize> {
        let mut way = self.outward().lock();
        if way.fin {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        if way.reset || way.reader == Reader::Gone {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let length: usize = from.iter().map(|slice| slice.len()).sum();
        if way.reader == Reader::Deaf {
            return Ok(length);
        }
        let mut room = CAPACITY - way.bytes.len();
        if room == 0 && length > 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let count = length.min(room);
        for slice in from {
            let fits = slice.len().min(room);
            way.bytes.extend(&slice[..fits]);
            room -= fits;
        }
        if let Some(waker) = way.wake_reader.take() {
            waker.wake();
        }
        Ok(count)
    }

    /// Ready when [`End::try_read`] would not block.
    pub fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut way = self.inward().lock();
        if way.readable() {
            return Poll::Ready(());
        }
        remember(&mut way.wake_reader, cx);
        Poll::Pending
    }

    /// Ready when [`End::try_write`] would not block.
    pub fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut way = self.outward().lock();
        if way.writable() {
            return Poll::Ready(());
        }
        remember(&mut way.wake_writer, cx);
        Poll::Pending
    }

    /// Tells the other end that no more bytes follow.
    pub fn finish(&self) {
        let mut way = self.outward().lock();
        way.fin = true;
        way.wake_both();
    }

    /// Reads no more.
    pub fn deafen(&self) {
        let mut way = self.inward().lock();
        way.reader = Reader::Deaf;
        way.bytes = VecDeque::new();
        way.wake_both();
    }
}

fn read(way: &mut Way, into: &mut [u8]) -> io::Result<usize> {
    let mut count = way.bytes.read(into)?;
    if count < into.len() {
        // The ring wrapped: `read` takes one contiguous run at a time.
        count += way.bytes.read(&mut into[count..])?;
    }
    if way.bytes.is_empty() && way.bytes.capacity() > KEEP {
        way.bytes = VecDeque::new();
    }
    if let Some(waker) = way.wake_writer.take() {
        waker.wake();
    }
    Ok(count)
}

fn remember(slot: &mut Option<Waker>, cx: &Context<'_>) {
    match slot {
        Some(waker) => waker.clone_from(cx.waker()),
        None => *slot = Some(cx.waker().clone()),
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let unread = {
            let mut way = self.inward().lock();
            let unread = !way.bytes.is_empty();
            way.reader = Reader::Gone;
            way.bytes = VecDeque::new();
            way.wake_both();
            unread
        };
        let mut way = self.outward().lock();
        way.reset |= unread;
        way.fin = true;
        way.wake_both();
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    fn kind<T: std::fmt::Debug>(result: io::Result<T>) -> io::ErrorKind {
        result.unwrap_err().kind()
    }

    #[test]
    fn a_full_way_blocks_and_memory_goes_when_it_is_read() {
        let (a, b) = pair();
        assert_eq!(kind(b.try_read(&mut [0; 8])), io::ErrorKind::WouldBlock);
        assert_eq!(a.try_write(&vec![7; CAPACITY + 100]).unwrap(), CAPACITY);
        assert_eq!(kind(a.try_write(b"x")), io::ErrorKind::WouldBlock);
        let mut into = vec![0; CAPACITY];
        assert_eq!(b.try_read(&mut into[..10]).unwrap(), 10);
        assert_eq!(a.try_write(b"0123456789x").unwrap(), 10);
        assert_eq!(b.try_read(&mut into).unwrap(), CAPACITY, "wrapped rings are read whole");
        assert_eq!(&into[CAPACITY - 10..], b"0123456789");
        assert_eq!(a.outward().lock().bytes.capacity(), 0);
    }

    #[test]
    fn half_close_lets_the_other_direction_go_on() {
        let (a, b) = pair();
        a.try_write(b"question").unwrap();
        a.finish();
        assert_eq!(kind(a.try_write(b"more")), io::ErrorKind::BrokenPipe);
        let mut into = [0; 16];
        assert_eq!(b.try_read(&mut into).unwrap(), 8);
        assert_eq!(b.try_read(&mut into).unwrap(), 0);
        b.try_write(b"answer").unwrap();
        assert_eq!(a.try_read(&mut into).unwrap(), 6);
    }

    #[test]
    fn a_clean_close_ends_and_an_unread_one_resets() {
        let (a, b) = pair();
        a.try_write(b"last words").unwrap();
        drop(a);
        assert_eq!(kind(b.try_write(b"x")), io::ErrorKind::ConnectionReset);
        let mut into = [0; 16];
        assert_eq!(b.try_read(&mut into).unwrap(), 10);
        assert_eq!(b.try_read(&mut into).unwrap(), 0);

        let (a, b) = pair();
        b.try_write(b"never read").unwrap();
        a.try_write(b"first").unwrap();
        drop(a);
        assert_eq!(b.try_read(&mut into).unwrap(), 5);
        assert_eq!(kind(b.try_read(&mut into)), io::ErrorKind::ConnectionReset);
    }

    #[test]
    fn a_deaf_reader_swallows() {
        let (a, b) = pair();
        a.deafen();
        assert_eq!(b.try_write(&vec![0; 2 * CAPACITY]).unwrap(), 2 * CAPACITY);
        assert_eq!(a.try_read(&mut [0; 4]).unwrap(), 0);
    }

    #[tokio::test]
    async fn waiters_wake() {
        let (a, b) = pair();
        let reader = tokio::spawn(async move {
            poll_fn(|cx| b.poll_readable(cx)).await;
            b.try_read(&mut [0; 4])
        });
        tokio::task::yield_now().await;
        a.try_write(b"hi").unwrap();
        assert_eq!(reader.await.unwrap().unwrap(), 2);

        let (a, b) = pair();
        a.try_write(&vec![0; CAPACITY]).unwrap();
        let writer = tokio::spawn(async move {
            poll_fn(|cx| a.poll_writable(cx)).await;
            a.try_write(b"x")
        });
        tokio::task::yield_now().await;
        b.pipe().reset();
        assert_eq!(kind(writer.await.unwrap()), io::ErrorKind::ConnectionReset);
    }
}
