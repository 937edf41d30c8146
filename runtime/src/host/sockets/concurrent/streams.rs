//! The streams of a TCP socket: connections that come in, bytes in both directions.
//!
//! The guest's memory is read and written in place. A direction ends when its stream is dropped, and then the other side
//! sees it; what the guest handed over before is in the fabric's pipe and is delivered.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::BytesMut;
use netproxy::fabric::{How, Listener, Stream};
use tokio::sync::oneshot;
use wasmtime::component::{Destination, Resource, Source, StreamConsumer, StreamProducer, StreamResult};
use wasmtime::{AsContextMut as _, StoreContextMut};

use super::View;
use super::bindings::wasi::sockets::types::ErrorCode;
use super::failure::of_io;
use super::tcp::TcpSocket;
use crate::container::gate::Unfinished;

/// Bytes read at a time for a guest that does not say how many it wants.
const CHUNK: usize = 16 << 10;

/// A connection, held by the socket and its two directions. The last one closes it.
pub(super) struct Line {
    pub(super) stream: Stream,
    /// Of connections that the guest accepted.
    pub(super) _unfinished: Option<Unfinished>,
}

/// Where the outcome of a direction goes.
type Outcome = oneshot::Sender<Result<(), ErrorCode>>;

/// A poll that the guest may call off.
fn pending(finish: bool) -> Poll<wasmtime::Result<StreamResult>> {
    if finish { Poll::Ready(Ok(StreamResult::Cancelled)) } else { Poll::Pending }
}

fn ready(result: StreamResult) -> Poll<wasmtime::Result<StreamResult>> {
    Poll::Ready(Ok(result))
}

/// Connections that come in.
pub(super) struct Accepting<T: 'static> {
    pub(super) listener: Arc<Listener>,
    pub(super) make: fn(&mut View<'_>, Stream) -> TcpSocket,
    pub(super) view: for<'a> fn(&'a mut T) -> View<'a>,
}

impl<T: 'static> StreamProducer<T> for Accepting<T> {
    type Item = Resource<TcpSocket>;
    type Buffer = Option<Self::Item>;

    fn poll_produce<'a>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut store: StoreContextMut<'a, T>,
        mut to: Destination<'a, Self::Item, Self::Buffer>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        if to.remaining(&mut store) == Some(0) {
            return match self.listener.poll_acceptable(cx) {
                Poll::Ready(()) => ready(StreamResult::Completed),
                Poll::Pending => pending(finish),
            };
        }
        let Poll::Ready(Ok((stream, _))) = self.listener.poll_accept(cx) else {
            // An error says that the pod is going: the guest goes on waiting until it is gone.
            return pending(finish);
        };
        let mut view = (self.view)(store.data_mut());
        let socket = (self.make)(&mut view, stream);
        to.set_buffer(Some(view.table.push(socket)?));
        ready(StreamResult::Completed)
    }
}

/// Bytes that come in.
pub(super) struct Receiving {
    line: Arc<Line>,
    outcome: Option<Outcome>,
}

impl Receiving {
    pub(super) fn new(line: Arc<Line>, outcome: Outcome) -> Receiving {
        Receiving { line, outcome: Some(outcome) }
    }

    fn end(&mut self, result: Result<(), ErrorCode>) -> Poll<wasmtime::Result<StreamResult>> {
        close(&mut self.outcome, result);
        ready(StreamResult::Dropped)
    }
}

impl<T> StreamProducer<T> for Receiving {
    type Item = u8;
    type Buffer = BytesMut;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut store: StoreContextMut<'a, T>,
        to: Destination<'a, Self::Item, Self::Buffer>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        if self.outcome.is_none() {
            return ready(StreamResult::Dropped);
        }
        // An error is ready, too: the read will say which.
        if self.line.stream.poll_readable(cx).is_pending() {
            return pending(finish);
        }
        if to.remaining(store.as_context_mut()) == Some(0) {
            return ready(StreamResult::Completed);
        }
        let mut to = to.as_direct(store, CHUNK);
        match self.line.stream.try_read(to.remaining()) {
            Ok(0) => self.end(Ok(())),
            Ok(count) => {
                to.mark_written(count);
                ready(StreamResult::Completed)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => again(cx, finish),
            Err(error) => self.end(Err(of_io(&error))),
        }
    }
}

impl Drop for Receiving {
    fn drop(&mut self) {
        // The other side may be gone, and then there is nobody to tell.
        let _ = self.line.stream.shutdown_now(How::Read);
        close(&mut self.outcome, Ok(()));
    }
}

/// Bytes that go out.
pub(super) struct Sending {
    line: Arc<Line>,
    outcome: Option<Outcome>,
}

impl Sending {
    pub(super) fn new(line: Arc<Line>, outcome: Outcome) -> Sending {
        Sending { line, outcome: Some(outcome) }
    }
}

impl<T> StreamConsumer<T> for Sending {
    type Item = u8;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        store: StoreContextMut<T>,
        from: Source<Self::Item>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        if self.outcome.is_none() {
            return ready(StreamResult::Dropped);
        }
        if self.line.stream.poll_writable(cx).is_pending() {
            return pending(finish);
        }
        let mut from = from.as_direct(store);
        if from.remaining().is_empty() {
            return ready(StreamResult::Completed);
        }
        match self.line.stream.try_write(from.remaining()) {
            Ok(count) => {
                from.mark_read(count);
                ready(StreamResult::Completed)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => again(cx, finish),
            Err(error) => {
                close(&mut self.outcome, Err(of_io(&error)));
                ready(StreamResult::Dropped)
            }
        }
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        let _ = self.line.stream.shutdown_now(How::Write);
        close(&mut self.outcome, Ok(()));
    }
}

/// Somebody else was quicker between the look and the attempt.
fn again(cx: &Context<'_>, finish: bool) -> Poll<wasmtime::Result<StreamResult>> {
    cx.waker().wake_by_ref();
    pending(finish)
}

fn close(outcome: &mut Option<Outcome>, result: Result<(), ErrorCode>) {
    if let Some(outcome) = outcome.take() {
        // The guest may have dropped the future: it does not want to know.
        let _ = outcome.send(result);
    }
}
