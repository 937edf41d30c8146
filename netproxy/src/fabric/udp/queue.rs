//! What was sent to a socket and not yet received.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use parking_lot::Mutex;

/// Linux's default receive buffer.
const MAX_BYTES: usize = 212_992;
const MAX_DATAGRAMS: usize = 1024;

#[derive(Debug, Default)]
pub(in crate::fabric) struct Queue {
    state: Mutex<State>,
    lost: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    datagrams: VecDeque<(Bytes, SocketAddr)>,
    bytes: usize,
    closed: bool,
    waiting: Option<Waker>,
}

impl Queue {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Takes a datagram in, or counts it as lost.
    pub fn push(&self, from: SocketAddr, data: Bytes) {
        let mut state = self.state.lock();
        // An empty queue takes the largest datagram there is.
        let full = state.datagrams.len() >= MAX_DATAGRAMS || state.bytes + data.len() > MAX_BYTES;
        if full || state.closed {
            self.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        state.bytes += data.len();
        state.datagrams.push_back((data, from));
        if let Some(waker) = state.waiting.take() {
            waker.wake();
        }
    }

    pub fn pop(&self) -> Option<(Bytes, SocketAddr)> {
        let mut state = self.state.lock();
        let datagram = state.datagrams.pop_front()?;
        state.bytes -= datagram.0.len();
        if state.datagrams.is_empty() {
            state.datagrams = VecDeque::new();
        }
        Some(datagram)
    }

    pub fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state.lock();
        if state.closed || !state.datagrams.is_empty() {
            return Poll::Ready(());
        }
        match &mut state.waiting {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    pub fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        if let Some(waker) = state.waiting.take() {
            waker.wake();
        }
    }

    pub fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounded_in_count_and_bytes() {
        let from = "10.42.0.2:9".parse().unwrap();
        let queue = Queue::new();
        for _ in 0..MAX_DATAGRAMS + 3 {
            queue.push(from, Bytes::from_static(b"x"));
        }
        assert_eq!(queue.lost(), 3);

        let queue = Queue::new();
        for _ in 0..5 {
            queue.push(from, Bytes::from(vec![0; 60_000]));
        }
        assert_eq!(queue.lost(), 2);
        while queue.pop().is_some() {}
        queue.push(from, Bytes::from(vec![0; super::super::MAX_DATAGRAM]));
        assert_eq!(queue.lost(), 2, "room comes back");
    }
}
