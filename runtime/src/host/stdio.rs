//! Standard input, output and error.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use wasmtime_wasi::cli::{IsTerminal, StdinStream, StdoutStream};
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};

use crate::container::gate::Gate;
use crate::container::{Output, Stdio};

/// Bytes a guest may write at a time.
const PERMIT: usize = 64 << 10;

/// Standard output or error, into the container's log.
#[derive(Clone)]
pub(super) struct Log {
    pub(super) output: Arc<dyn Output>,
    pub(super) stream: Stdio,
}

impl IsTerminal for Log {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Log {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl OutputStream for Log {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.output.write(self.stream, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        let ready = self.output.poll_ready(&mut Context::from_waker(std::task::Waker::noop()));
        Ok(if ready.is_ready() { PERMIT } else { 0 })
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Log {
    async fn ready(&mut self) {
        poll_fn(|cx| self.output.poll_ready(cx)).await;
    }
}

impl AsyncWrite for Log {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.output.poll_ready(cx).map(|()| {
            self.output.write(self.stream, bytes);
            Ok(bytes.len())
        })
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Standard input that says nothing, and ends when the container is told to stop.
#[derive(Clone)]
pub(super) struct Silence(pub(super) Arc<Gate>);

impl IsTerminal for Silence {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdinStream for Silence {
    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        Box::new(tokio::io::empty())
    }

    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl InputStream for Silence {
    fn read(&mut self, _size: usize) -> StreamResult<Bytes> {
        self.0.watches_stdin();
        if self.0.is_closed() { Err(StreamError::Closed) } else { Ok(Bytes::new()) }
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Silence {
    async fn ready(&mut self) {
        self.0.watches_stdin();
        self.0.closed().await;
    }
}
