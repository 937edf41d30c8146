//! A WebSocket whose messages are a stream of bytes, wherever one ends and the next begins.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::frame::{Decoder, Event, NORMAL, Opcode, put_control, put_header};
use crate::connection::READ;

/// So much waits to be written before a writer has to wait.
const WAITING: usize = 64 << 10;

/// The bytes in the messages of a WebSocket.
///
/// Reading and writing have to be polled by the same task: pongs are written where pings are read.
pub(crate) struct Tunnel<IO> {
    io: IO,
    decoder: Decoder,
    /// As it came.
    read: BytesMut,
    /// Taken out of its frame.
    piece: Bytes,
    closed: bool,
    /// In frames, to be written.
    written: BytesMut,
    saying_goodbye: bool,
}

impl<IO> Tunnel<IO> {
    pub(crate) fn new(io: IO) -> Self {
        Self {
            io,
            decoder: Decoder::default(),
            read: BytesMut::new(),
            piece: Bytes::new(),
            closed: false,
            written: BytesMut::new(),
            saying_goodbye: false,
        }
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Tunnel<IO> {
    /// The next bytes; none at the end.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.piece.is_empty() && !self.closed {
            let event = self.decoder.next(&mut self.read);
            match event.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))? {
                Some(Event::Data(bytes, _)) => self.piece = bytes,
                Some(Event::Ping(bytes)) => self.pong(cx, &bytes)?,
                Some(Event::Pong) => {}
                Some(Event::Close) => self.closed = true,
                None => self.closed = ready!(self.poll_more(cx))? == 0,
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.read.reserve(READ);
        tokio_util::io::poll_read_buf(Pin::new(&mut self.io), cx, &mut self.read)
    }

    /// Whoever pings and does not read is not answered.
    fn pong(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> io::Result<()> {
        if self.written.len() < WAITING {
            put_control(Opcode::Pong, bytes, &mut self.written);
        }
        match self.poll_drain(cx) {
            Poll::Ready(Err(error)) => Err(error),
            _ => Ok(()),
        }
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written.has_remaining() {
            let count = ready!(Pin::new(&mut self.io).poll_write(cx, &self.written))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written.advance(count);
        }
        Poll::Ready(Ok(()))
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncRead for Tunnel<IO> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_piece(cx))?;
        let length = self.piece.len().min(into.remaining());
        into.put_slice(&self.piece.split_to(length));
        Poll::Ready(Ok(()))
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Tunnel<IO> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        if self.written.len() >= WAITING {
            ready!(self.poll_drain(cx))?;
        }
        let length = from.len().min(WAITING);
        put_header(Opcode::Binary, length, &mut self.written);
        self.written.put_slice(&from[..length]);
        Poll::Ready(Ok(length))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(cx))?;
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !std::mem::replace(&mut self.saying_goodbye, true) {
            put_control(Opcode::Close, &NORMAL.to_be_bytes(), &mut self.written);
        }
        ready!(self.poll_drain(cx))?;
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::super::frame::tests::client_frame;
    use super::*;

    #[tokio::test]
    async fn messages_are_one_stream_of_bytes() {
        let (mut client, server) = tokio::io::duplex(1 << 16);
        let mut tunnel = Tunnel::new(server);
        let frames =
            [client_frame(0x82, b"ab"), client_frame(0x89, b"!"), client_frame(0x82, b"cd"), client_frame(0x88, b"")];
        client.write_all(&frames.concat()).await.expect("write");
        let mut read = String::new();
        tunnel.read_to_string(&mut read).await.expect("read");
        assert_eq!(read, "abcd");
        tunnel.write_all(b"answer").await.expect("write");
        tunnel.shutdown().await.expect("shutdown");
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.expect("read");
        assert_eq!(answer, b"\x8a\x01!\x82\x06answer\x88\x02\x03\xe8");
    }
}
