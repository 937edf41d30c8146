//! The states of a TCP socket.

use std::net::SocketAddr;
use std::sync::Arc;

use netproxy::fabric::{How, Listener, Stream, TcpBinding};
use tokio::sync::oneshot;
use wasmtime::component::{Access, Accessor, FutureReader, Resource, StreamReader};

use super::bindings::wasi::sockets::types::{ErrorCode, HostTcpSocketWithStore, IpSocketAddress};
use super::streams::{Accepting, Line, Receiving, Sending};
use super::{Result, Sockets, View, remote};
use crate::host::sockets::address::Family;
use crate::host::sockets::options::Options;

/// A TCP socket of a guest.
pub struct TcpSocket {
    pub(super) family: Family,
    pub(super) options: Options,
    pub(super) state: State,
}

pub(super) enum State {
    Unbound,
    Bound(TcpBinding),
    Connecting,
    Listening(Arc<Listener>),
    Connected {
        line: Arc<Line>,
        sends: bool,
        receives: bool,
    },
    /// A connect failed, and the socket is of no more use.
    Closed,
}

impl TcpSocket {
    pub(super) fn new(family: Family) -> TcpSocket {
        TcpSocket { family, options: Options::default(), state: State::Unbound }
    }

    fn connected(family: Family, options: Options, line: Line) -> TcpSocket {
        TcpSocket { family, options, state: State::Connected { line: Arc::new(line), sends: false, receives: false } }
    }

    /// The connection, for the first who asks for this direction of it.
    fn direction(&mut self, way: How) -> std::result::Result<Arc<Line>, ErrorCode> {
        let State::Connected { line, sends, receives } = &mut self.state else { return Err(ErrorCode::InvalidState) };
        let taken = if way == How::Write { sends } else { receives };
        if std::mem::replace(taken, true) { Err(ErrorCode::InvalidState) } else { Ok(Arc::clone(line)) }
    }

    pub(super) fn local(&self) -> Option<SocketAddr> {
        match &self.state {
            State::Bound(binding) => Some(binding.local_addr()),
            State::Listening(listener) => Some(listener.local_addr()),
            State::Connected { line, .. } => Some(line.stream.local_addr()),
            State::Unbound | State::Connecting | State::Closed => None,
        }
    }

    pub(super) fn remote(&self) -> Option<SocketAddr> {
        match &self.state {
            State::Connected { line, .. } => Some(line.stream.peer_addr()),
            _ => None,
        }
    }
}

fn accepted(view: &mut View<'_>, stream: Stream) -> TcpSocket {
    let family = Family::of(stream.local_addr());
    let unfinished = Some(view.network.gate.begin());
    TcpSocket::connected(family, Options::default(), Line { stream, _unfinished: unfinished })
}

impl<T: Send> HostTcpSocketWithStore<T> for Sockets {
    async fn connect(store: &Accessor<T, Self>, this: Resource<TcpSocket>, to: IpSocketAddress) -> Result<()> {
        let (from, plug, to) = store.with(|mut access| {
            let view = access.get();
            let socket = view.table.get_mut(&this)?;
            let to = remote(to, socket.family)?;
            if !matches!(socket.state, State::Unbound | State::Bound(_)) {
                return Err(ErrorCode::InvalidState.into());
            }
            Result::Ok((std::mem::replace(&mut socket.state, State::Connecting), view.network.plug.clone(), to))
        })?;
        let outcome = match from {
            State::Bound(binding) => binding.connect(to).await,
            _ => plug.connect(to).await,
        };
        store.with(|mut access| {
            // Dropped while it connected: then the connection goes, too.
            let socket = access.get().table.get_mut(&this)?;
            match outcome {
                Ok(stream) => {
                    let line = Line { stream, _unfinished: None };
                    *socket = TcpSocket::connected(socket.family, socket.options.clone(), line);
                    Ok(())
                }
                Err(error) => {
                    socket.state = State::Closed;
                    Err(error.into())
                }
            }
        })
    }

    fn listen(mut store: Access<'_, T, Self>, this: Resource<TcpSocket>) -> Result<StreamReader<Resource<TcpSocket>>> {
        let view = store.getter();
        let listener = store.get().listen(&this)?;
        Ok(StreamReader::new(&mut store, Accepting { listener, make: accepted, view })?)
    }

    fn send(
        mut store: Access<'_, T, Self>,
        this: Resource<TcpSocket>,
        mut data: StreamReader<u8>,
    ) -> wasmtime::Result<FutureReader<std::result::Result<(), ErrorCode>>> {
        let direction = store.get().table.get_mut(&this)?.direction(How::Write);
        let (outcome, result) = oneshot::channel();
        match direction {
            Ok(line) => data.pipe(&mut store, Sending::new(line, outcome))?,
            Err(code) => {
                data.close(&mut store)?;
                // Received below.
                let _ = outcome.send(Err(code));
            }
        }
        FutureReader::new(&mut store, result)
    }

    fn receive(
        mut store: Access<'_, T, Self>,
        this: Resource<TcpSocket>,
    ) -> wasmtime::Result<(StreamReader<u8>, FutureReader<std::result::Result<(), ErrorCode>>)> {
        let direction = store.get().table.get_mut(&this)?.direction(How::Read);
        let (outcome, result) = oneshot::channel();
        let stream = match direction {
            Ok(line) => StreamReader::new(&mut store, Receiving::new(line, outcome))?,
            Err(code) => {
                let _ = outcome.send(Err(code));
                StreamReader::new(&mut store, std::iter::empty())?
            }
        };
        Ok((stream, FutureReader::new(&mut store, result)?))
    }
}

impl View<'_> {
    /// WASI 0.3 lets a socket listen that was not bound: at a port of the network's choice.
    fn listen(&mut self, this: &Resource<TcpSocket>) -> Result<Arc<Listener>> {
        let socket = self.table.get_mut(this)?;
        let binding = match std::mem::replace(&mut socket.state, State::Closed) {
            State::Bound(binding) => binding,
            State::Unbound => match self.network.plug.bind_tcp(socket.family.any()) {
                Ok(binding) => binding,
                Err(error) => {
                    socket.state = State::Unbound;
                    return Err(error.into());
                }
            },
            other => {
                socket.state = other;
                return Err(ErrorCode::InvalidState.into());
            }
        };
        let listener = Arc::new(binding.listen(socket.options.backlog)?);
        self.network.gate.serves();
        socket.state = State::Listening(Arc::clone(&listener));
        Ok(listener)
    }
}
