//! A connection's two directions as WASI streams.
//!
//! Reading and writing go straight to the fabric's pipe. When a pipe is full in the middle of a write that the guest was
//! permitted, the rest goes out in a task of its own: a guest may turn to reading, close the socket or exit, and what it
//! wrote is still delivered.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use bytes::{Buf, Bytes};
use netproxy::fabric::{How, Stream};
use parking_lot::Mutex;
use tokio::sync::Notify;
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};

use crate::container::gate::{Gate, Unfinished};

/// Bytes a guest may read or write at a time.
const CHUNK: usize = 64 << 10;

/// How long what a guest wrote last may outlive the guest, when the other side does not read it.
const LAST_WORDS: Duration = Duration::from_secs(30);

/// A connection, held by the socket, its input and its output. The last one closes it.
pub(super) struct Connection {
    stream: Stream,
    sending: Mutex<Sending>,
    sent: Notify,
    gate: Arc<Gate>,
    /// Of connections that the guest accepted.
    _unfinished: Option<Unfinished>,
}

#[derive(Debug)]
enum Sending {
    Open,
    /// A task is writing; then the direction ends, or not.
    Busy {
        then_end: bool,
    },
    Ended,
    Failed(io::ErrorKind),
}

impl Connection {
    pub(super) fn opened(stream: Stream, gate: &Arc<Gate>) -> Arc<Connection> {
        Connection::new(stream, gate, None)
    }

    pub(super) fn accepted(stream: Stream, gate: &Arc<Gate>) -> Arc<Connection> {
        Connection::new(stream, gate, Some(gate.begin()))
    }

    fn new(stream: Stream, gate: &Arc<Gate>, unfinished: Option<Unfinished>) -> Arc<Connection> {
        Arc::new(Connection {
            stream,
            sending: Mutex::new(Sending::Open),
            sent: Notify::new(),
            gate: Arc::clone(gate),
            _unfinished: unfinished,
        })
    }

    pub(super) fn fabric(&self) -> &Stream {
        &self.stream
    }

    pub(super) fn end(&self, how: How) -> io::Result<()> {
        if how != How::Write {
            self.stream.shutdown_now(How::Read)?;
        }
        if how != How::Read {
            self.end_sending()?;
        }
        Ok(())
    }

    fn end_sending(&self) -> io::Result<()> {
        let mut sending = self.sending.lock();
        match &mut *sending {
            Sending::Busy { then_end } => *then_end = true,
            Sending::Open => {
                *sending = Sending::Ended;
                self.stream.shutdown_now(How::Write)?;
            }
            Sending::Ended | Sending::Failed(_) => {}
        }
        Ok(())
    }

    /// Writes what fits now.
    fn push(&self, bytes: &mut Bytes) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.stream.try_write(bytes) {
                Ok(count) => bytes.advance(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn push_all(&self, mut bytes: Bytes) -> io::Result<()> {
        while !bytes.is_empty() {
            self.stream.writable().await?;
            self.push(&mut bytes)?;
        }
        Ok(())
    }

    async fn finish(self: Arc<Connection>, rest: Bytes) {
        let outcome = tokio::select! {
            outcome = self.push_all(rest) => outcome,
            () = async { self.gate.gone().await; tokio::time::sleep(LAST_WORDS).await } => return,
        };
        let mut sending = self.sending.lock();
        *sending = match (outcome, &*sending) {
            (Err(error), _) => Sending::Failed(error.kind()),
            (Ok(()), Sending::Busy { then_end: true }) => {
                // The other side may have closed first; then there is nobody to tell.
                let _ = self.stream.shutdown_now(How::Write);
                Sending::Ended
            }
            (Ok(()), _) => Sending::Open,
        };
        drop(sending);
        self.sent.notify_waiters();
    }
}

/// The end that the guest reads from.
pub(super) struct Reader(pub(super) Arc<Connection>);

#[wasmtime_wasi::async_trait]
impl InputStream for Reader {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        if size == 0 {
            return Ok(Bytes::new());
        }
        let mut buffer = vec![0; size.min(CHUNK)];
        match self.0.stream.try_read(&mut buffer) {
            Ok(0) => Err(StreamError::Closed),
            Ok(count) => {
                buffer.truncate(count);
                Ok(buffer.into())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Bytes::new()),
            Err(error) => Err(StreamError::LastOperationFailed(error.into())),
        }
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Reader {
    async fn ready(&mut self) {
        // An error is ready, too: the read will say which.
        let _ = self.0.stream.readable().await;
    }
}

/// The end that the guest writes to.
pub(super) struct Writer(pub(super) Arc<Connection>);

impl Writer {
    fn fail(&self, kind: io::ErrorKind) -> StreamError {
        *self.0.sending.lock() = Sending::Failed(kind);
        failed(kind)
    }
}

fn failed(kind: io::ErrorKind) -> StreamError {
    match kind {
        io::ErrorKind::BrokenPipe => StreamError::Closed,
        kind => StreamError::LastOperationFailed(io::Error::from(kind).into()),
    }
}

#[wasmtime_wasi::async_trait]
impl OutputStream for Writer {
    fn write(&mut self, mut bytes: Bytes) -> StreamResult<()> {
        match &*self.0.sending.lock() {
            Sending::Open => {}
            Sending::Busy { .. } => return Err(StreamError::trap("write without a permit")),
            Sending::Ended => return Err(StreamError::Closed),
            Sending::Failed(kind) => return Err(failed(*kind)),
        }
        if let Err(error) = self.0.push(&mut bytes) {
            return Err(self.fail(error.kind()));
        }
        if !bytes.is_empty() {
            *self.0.sending.lock() = Sending::Busy { then_end: false };
            tokio::spawn(Arc::clone(&self.0).finish(bytes));
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        match &*self.0.sending.lock() {
            Sending::Open | Sending::Busy { .. } => Ok(()),
            Sending::Ended => Err(StreamError::Closed),
            Sending::Failed(kind) => Err(failed(*kind)),
        }
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        match &*self.0.sending.lock() {
            Sending::Open => {}
            Sending::Busy { .. } => return Ok(0),
            Sending::Ended => return Err(StreamError::Closed),
            Sending::Failed(kind) => return Err(failed(*kind)),
        }
        let room = self.0.stream.poll_writable(&mut Context::from_waker(Waker::noop()));
        Ok(if room.is_ready() { CHUNK } else { 0 })
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Writer {
    async fn ready(&mut self) {
        loop {
            let sent = self.0.sent.notified();
            match &*self.0.sending.lock() {
                Sending::Busy { .. } => {}
                Sending::Open => break,
                Sending::Ended | Sending::Failed(_) => return,
            }
            sent.await;
        }
        let _ = poll_fn(|cx| self.0.stream.poll_writable(cx)).await;
    }
}
