//! A program's standard streams, and how WASI sees them.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use wasmtime_wasi::cli::{IsTerminal, StdinStream, StdoutStream};
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};

use super::pipe::{Broken, Reader, Writer};
use super::terminal::Tty;
use crate::container::Stdio;
use crate::container::console::Console;
use crate::container::gate::Gate;

/// Bytes a guest may write at a time.
const PERMIT: usize = 64 << 10;

/// The three of them, and the terminal that its interrupts come from, wherever they lead.
#[derive(Clone)]
pub(crate) struct Streams {
    pub(crate) stdin: Input,
    pub(crate) stdout: Out,
    pub(crate) stderr: Out,
    pub(crate) terminal: Option<Arc<Tty>>,
}

impl Streams {
    /// All three at a terminal. The gate is that of a container's own guest.
    pub(crate) fn terminal(tty: &Arc<Tty>, gate: Option<Arc<Gate>>) -> Streams {
        Streams {
            stdin: Input::Terminal(tty.clone(), gate),
            stdout: Out::Terminal(tty.clone()),
            stderr: Out::Terminal(tty.clone()),
            terminal: Some(tty.clone()),
        }
    }
}

/// Where a program's input comes from.
#[derive(Clone)]
pub(crate) enum Input {
    /// At its end from the start.
    Empty,
    /// From whoever holds the other end.
    Pipe(Reader),
    /// A container's own: the same, and it ends when the container is told to stop.
    Open(Reader, Arc<Gate>),
    /// The same, typed.
    Terminal(Arc<Tty>, Option<Arc<Gate>>),
}

/// Where its output goes.
#[derive(Clone)]
pub(crate) enum Out {
    /// Nowhere.
    Discard,
    /// To the container's log and clients.
    Console(Arc<Console>, Stdio),
    /// To whoever holds the other end.
    Pipe(Writer),
    /// Onto the screen.
    Terminal(Arc<Tty>),
}

impl Input {
    fn take(&self, most: usize) -> Option<Bytes> {
        match self {
            Input::Empty => None,
            Input::Pipe(reader) => reader.take(most),
            Input::Open(reader, gate) => {
                gate.watches_stdin();
                reader.take(most).filter(|bytes| !bytes.is_empty() || !gate.is_closed())
            }
            Input::Terminal(tty, gate) => {
                let stopped = gate.as_ref().is_some_and(|gate| {
                    gate.watches_stdin();
                    gate.is_closed()
                });
                tty.take(most).filter(|bytes| !bytes.is_empty() || !stopped)
            }
        }
    }

    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Input::Empty => Poll::Ready(()),
            Input::Pipe(reader) | Input::Open(reader, _) => reader.poll_readable(cx),
            Input::Terminal(tty, _) => tty.poll_readable(cx),
        }
    }

    fn gate(&self) -> Option<&Arc<Gate>> {
        match self {
            Input::Open(_, gate) => Some(gate),
            Input::Terminal(_, gate) => gate.as_ref(),
            Input::Empty | Input::Pipe(_) => None,
        }
    }

    async fn readable(&self) {
        let readable = poll_fn(|cx| self.poll_readable(cx));
        match self.gate() {
            None => readable.await,
            Some(gate) => {
                gate.watches_stdin();
                tokio::select! {
                    () = readable => {}
                    () = gate.closed() => {}
                }
            }
        }
    }
}

impl IsTerminal for Input {
    fn is_terminal(&self) -> bool {
        matches!(self, Input::Terminal(..))
    }
}

impl StdinStream for Input {
    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        let closed = self.gate().map(|gate| gate.closed());
        Box::new(Reading { input: self.clone(), closed: closed.map(Box::pin) })
    }

    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl InputStream for Input {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.take(size).ok_or(StreamError::Closed)
    }

    /// Programs may share an input: what made this one ready may be gone when it looks.
    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        loop {
            self.readable().await;
            let bytes = self.read(size)?;
            if !bytes.is_empty() || size == 0 {
                return Ok(bytes);
            }
        }
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Input {
    async fn ready(&mut self) {
        self.readable().await;
    }
}

/// The form of WASI 0.3.
struct Reading {
    input: Input,
    closed: Option<Pin<Box<tokio_util::sync::WaitForCancellationFutureOwned>>>,
}

impl AsyncRead for Reading {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        loop {
            let readable = self.input.poll_readable(cx).is_ready();
            let closed = self.closed.as_mut().is_some_and(|closed| closed.as_mut().poll(cx).is_ready());
            match self.input.take(buffer.remaining()) {
                Some(bytes) if bytes.is_empty() && buffer.remaining() > 0 => {
                    if !readable && !closed {
                        return Poll::Pending;
                    }
                }
                taken => {
                    buffer.put_slice(&taken.unwrap_or_default());
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }
}

impl Out {
    /// How much may be written now.
    pub(crate) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<Result<usize, Broken>> {
        match self {
            Out::Discard => Poll::Ready(Ok(PERMIT)),
            Out::Console(console, _) => console.poll_ready(cx).map(|()| Ok(PERMIT)),
            Out::Pipe(writer) => writer.poll_room(cx),
            Out::Terminal(tty) => tty.poll_room(cx),
        }
    }

    pub(crate) fn has_room(&self) -> bool {
        matches!(self.poll_room(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(_)))
    }

    /// Writes all of it, past the room too.
    pub(crate) fn push(&self, bytes: &[u8]) -> Result<(), Broken> {
        match self {
            Out::Discard => Ok(()),
            Out::Console(console, stream) => {
                console.write(*stream, bytes);
                Ok(())
            }
            Out::Pipe(writer) => writer.push(bytes),
            Out::Terminal(tty) => tty.print(bytes),
        }
    }

    /// Forgets what is on its way to a client. A log forgets nothing.
    pub(crate) fn discard(&self) {
        if let Out::Pipe(writer) = self {
            writer.discard();
        }
    }
}

impl IsTerminal for Out {
    fn is_terminal(&self) -> bool {
        matches!(self, Out::Terminal(_))
    }
}

impl StdoutStream for Out {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl OutputStream for Out {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.push(&bytes).map_err(|Broken| StreamError::Closed)
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        match self.poll_room(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(room)) => Ok(room.min(PERMIT)),
            Poll::Ready(Err(Broken)) => Err(StreamError::Closed),
            Poll::Pending => Ok(0),
        }
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Out {
    async fn ready(&mut self) {
        // A broken one is ready to say so.
        let _ = poll_fn(|cx| self.poll_room(cx)).await;
    }
}

impl AsyncWrite for Out {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        let broken = |Broken| std::io::Error::from(std::io::ErrorKind::BrokenPipe);
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
