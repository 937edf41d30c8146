//! A connection, whatever carries it: a pipe inside the node, or a TCP socket of the host.
//!
//! All non-blocking operations take `&self`, because a guest holds the socket, its input and its output apart; the
//! `AsyncRead` and `AsyncWrite` for the host's own code are built on them.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustix::net::Shutdown;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::pipe::End;
use super::pod::{Attachment, Lease};

/// A connected stream of bytes. Dropping it closes both directions, and resets the other side where bytes were unread.
#[derive(Debug)]
pub struct Stream {
    // The order matters: the connection closes before its port and its place in the budget are free.
    io: Io,
    local: SocketAddr,
    peer: SocketAddr,
    _attachment: Option<Attachment>,
    _lease: Option<Lease>,
}

#[derive(Debug)]
enum Io {
    Pipe(End),
    Host(Arc<TcpStream>),
}

/// Which direction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// No more is read.
    Read,
    /// No more is written; the other side reads to the end.
    Write,
    /// Both.
    Both,
}

impl Stream {
    pub(super) fn piped(end: End, ends: (SocketAddr, SocketAddr), held: (Option<Attachment>, Option<Lease>)) -> Self {
        Self { io: Io::Pipe(end), local: ends.0, peer: ends.1, _attachment: held.0, _lease: held.1 }
    }

    pub(super) fn outside(
        tcp: Arc<TcpStream>,
        ends: (SocketAddr, SocketAddr),
        held: (Option<Attachment>, Option<Lease>),
    ) -> Self {
        Self { io: Io::Host(tcp), local: ends.0, peer: ends.1, _attachment: held.0, _lease: held.1 }
    }

    /// This side's address.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// The other side's address, as this side knows it: of a service, when it was the service that was called.
    pub fn peer_addr(&self) -> SocketAddr {
        self.peer
    }

    /// Reads what is there; `Ok(0)` at the end of the stream, `WouldBlock` when nothing is there yet.
    pub fn try_read(&self, into: &mut [u8]) -> io::Result<usize> {
        match &self.io {
            Io::Pipe(end) => end.try_read(into),
            Io::Host(tcp) => tcp.try_read(into),
        }
    }

    /// Writes what fits, `WouldBlock` when nothing does.
    pub fn try_write(&self, from: &[u8]) -> io::Result<usize> {
        match &self.io {
            Io::Pipe(end) => end.try_write(from),
            Io::Host(tcp) => tcp.try_write(from),
        }
    }

    /// Ready when [`Stream::try_read`] is worth a try. One task waits at a time; the last one is woken.
    pub fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &self.io {
            Io::Pipe(end) => end.poll_readable(cx).map(Ok),
            Io::Host(tcp) => tcp.poll_read_ready(cx),
        }
    }

    /// Ready when [`Stream::try_write`] is worth a try. One task waits at a time; the last one is woken.
    pub fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &self.io {
            Io::Pipe(end) => end.poll_writable(cx).map(Ok),
            Io::Host(tcp) => tcp.poll_write_ready(cx),
        }
    }

    /// Waits for [`Stream::poll_readable`].
    pub async fn readable(&self) -> io::Result<()> {
        std::future::poll_fn(|cx| self.poll_readable(cx)).await
    }

    /// Waits for [`Stream::poll_writable`].
    pub async fn writable(&self) -> io::Result<()> {
        std::future::poll_fn(|cx| self.poll_writable(cx)).await
    }

    /// Ends one direction or both.
    pub fn shutdown_now(&self, how: How) -> io::Result<()> {
        match &self.io {
            Io::Pipe(end) => {
                if how != How::Read {
                    end.finish();
                }
                if how != How::Write {
                    end.deafen();
                }
                Ok(())
            }
            Io::Host(tcp) => {
                let how = match how {
                    How::Read => Shutdown::Read,
                    How::Write => Shutdown::Write,
                    How::Both => Shutdown::Both,
                };
                Ok(rustix::net::shutdown(tcp, how)?)
            }
        }
    }

    /// Breaks the connection: the other side sees a reset.
    pub fn reset(self) {
        match &self.io {
            Io::Pipe(end) => end.pipe().reset(),
            Io::Host(tcp) => drop(tcp.set_zero_linger()),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = self.poll_with(cx, Self::poll_readable, |stream| stream.try_read(buf.initialize_unfilled()));
        read.map_ok(|count| buf.advance(count))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_with(cx, Self::poll_writable, |stream| stream.try_write(from))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_with(cx, Self::poll_writable, |stream| match &stream.io {
            Io::Pipe(end) => end.try_write_vectored(from),
            Io::Host(tcp) => tcp.try_write_vectored(from),
        })
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.shutdown_now(How::Write))
    }
}

impl Stream {
    fn poll_with<T>(
        &self,
        cx: &mut Context<'_>,
        ready: impl Fn(&Self, &mut Context<'_>) -> Poll<io::Result<()>>,
        mut attempt: impl FnMut(&Self) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        // A pipe is always ready while the other side is fast: without tokio's budget one task could starve the rest.
        let coop = ready!(tokio::task::coop::poll_proceed(cx));
        loop {
            ready!(ready(self, cx))?;
            match attempt(self) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => {
                    coop.made_progress();
                    return Poll::Ready(done);
                }
            }
        }
    }
}
