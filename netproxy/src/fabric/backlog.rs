//! Connections that were made and not yet accepted.
//!
//! A full backlog does not refuse: the connecting side waits for room, as a kernel's does by sending its SYN again.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::Fabric;
use super::error::SocketError;
use super::pod::Lease;
use super::stream::Stream;

/// What `listen` may ask for at most; Linux's `somaxconn`.
const LONGEST: usize = 4096;
/// Tasks that wait at one listener.
const ACCEPTING: usize = 8;

#[derive(Debug)]
pub(super) struct Backlog {
    room: Semaphore,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Stream>,
    closed: bool,
    accepting: Vec<Waker>,
}

impl State {
    /// Keeps the waker. Callers that come with a new one each time may not fill the memory: the oldest is woken early.
    fn remember(&mut self, cx: &Context<'_>) {
        if self.accepting.iter().any(|waker| waker.will_wake(cx.waker())) {
            return;
        }
        if self.accepting.len() >= ACCEPTING {
            self.accepting.remove(0).wake();
        }
        self.accepting.push(cx.waker().clone());
    }
}

impl Backlog {
    pub fn new(length: usize) -> Arc<Self> {
        Arc::new(Self { room: Semaphore::new(length.clamp(1, LONGEST)), state: Mutex::default() })
    }

    /// Waits for room; then [`Backlog::push`] must follow.
    pub async fn reserve(&self) -> Result<(), SocketError> {
        match self.room.acquire().await {
            Ok(permit) => permit.forget(),
            Err(_) => return Err(SocketError::ConnectionRefused),
        }
        Ok(())
    }

    /// Gives the room back when [`Backlog::push`] does not follow.
    pub fn unreserve(&self) {
        self.room.add_permits(1);
    }

    pub fn push(&self, stream: Stream) -> Result<(), SocketError> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(SocketError::ConnectionRefused);
        }
        state.waiting.push_back(stream);
        for waker in state.accepting.drain(..) {
            waker.wake();
        }
        Ok(())
    }

    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<Result<Stream, SocketError>> {
        let mut state = self.state.lock();
        if let Some(stream) = state.waiting.pop_front() {
            self.room.add_permits(1);
            return Poll::Ready(Ok(stream));
        }
        if state.closed {
            return Poll::Ready(Err(SocketError::ConnectionAborted));
        }
        state.remember(cx);
        Poll::Pending
    }

    fn poll_acceptable(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state.lock();
        if !state.waiting.is_empty() || state.closed {
            return Poll::Ready(());
        }
        state.remember(cx);
        Poll::Pending
    }

    /// How many wait to be accepted.
    pub fn len(&self) -> usize {
        self.state.lock().waiting.len()
    }

    /// Refuses all who wait for room, resets all who wait to be accepted, wakes all who accept.
    pub fn close(&self) {
        self.room.close();
        let (waiting, accepting) = {
            let mut state = self.state.lock();
            state.closed = true;
            (std::mem::take(&mut state.waiting), std::mem::take(&mut state.accepting))
        };
        for waker in accepting {
            waker.wake();
        }
        for stream in waiting {
            stream.reset();
        }
    }
}

/// Accepts connections; dropping it frees the port and resets what was not accepted.
#[derive(Debug)]
pub struct Listener {
    pub(super) backlog: Arc<Backlog>,
    pub(super) place: Place,
}

/// What a listener gives back when it goes.
#[derive(Debug)]
pub(super) enum Place {
    Pod(Lease),
    Host { fabric: Fabric, at: SocketAddr },
}

impl Listener {
    /// The address it listens at.
    pub fn local_addr(&self) -> SocketAddr {
        match &self.place {
            Place::Pod(lease) => lease.local,
            Place::Host { at, .. } => *at,
        }
    }

    /// The next connection and where it comes from.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// Only when the pod is gone; then every call fails, and the caller should stop.
    pub async fn accept(&self) -> Result<(Stream, SocketAddr), SocketError> {
        std::future::poll_fn(|cx| self.poll_accept(cx)).await
    }

    /// As [`Listener::accept`]; several tasks may wait.
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<Result<(Stream, SocketAddr), SocketError>> {
        self.backlog.poll_accept(cx).map_ok(|stream| {
            let peer = stream.peer_addr();
            (stream, peer)
        })
    }

    /// The next connection if one waits, else [`SocketError::WouldBlock`].
    pub fn try_accept(&self) -> Result<(Stream, SocketAddr), SocketError> {
        match self.poll_accept(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(accepted) => accepted,
            Poll::Pending => Err(SocketError::WouldBlock),
        }
    }

    /// Ready when [`Listener::try_accept`] would not block.
    pub fn poll_acceptable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.backlog.poll_acceptable(cx)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Place::Host { fabric, at } = &self.place {
            fabric.forget_host_listener(*at);
        }
        self.backlog.close();
    }
}
