//! `wasi:sockets/tcp`: the states of a socket.

use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures::future::BoxFuture;
use netproxy::fabric::{How, Listener, SocketError, Stream, TcpBinding};
use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, Pollable};

use super::address;
use super::bindings::wasi::sockets::network::{ErrorCode, IpAddressFamily, IpSocketAddress};
use super::bindings::wasi::sockets::tcp::ShutdownType;
use super::bindings::wasi::sockets::tcp_create_socket;
use super::options::Options;
use super::stream::{Connection, Reader, Writer};
use super::{Access, Result, View};

/// A TCP socket of a guest.
pub struct TcpSocket {
    pub(super) family: IpAddressFamily,
    pub(super) options: Options,
    pub(super) state: State,
}

/// As the interface has them. What an operation moves away from is `Closed` while it lasts, and stays so if it fails.
pub(super) enum State {
    Unbound,
    BindStarted(TcpBinding),
    Bound(TcpBinding),
    Connecting(BoxFuture<'static, std::result::Result<Stream, SocketError>>),
    /// Connected or not, and the guest has not asked yet.
    ConnectDone(std::result::Result<Stream, SocketError>),
    ListenStarted(Listener),
    Listening(Listener),
    Connected(Arc<Connection>),
    Closed,
}

impl TcpSocket {
    fn new(family: IpAddressFamily) -> TcpSocket {
        TcpSocket { family, options: Options::default(), state: State::Unbound }
    }

    fn take(&mut self) -> State {
        std::mem::replace(&mut self.state, State::Closed)
    }

    /// An operation that does not suit the state: one is under way, or it is the wrong one.
    fn misplaced(&self) -> ErrorCode {
        match &self.state {
            State::BindStarted(_) | State::Connecting(_) | State::ConnectDone(_) | State::ListenStarted(_) => {
                ErrorCode::ConcurrencyConflict
            }
            _ => ErrorCode::InvalidState,
        }
    }

    fn poll_connect(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let State::Connecting(attempt) = &mut self.state {
            self.state = State::ConnectDone(std::task::ready!(attempt.as_mut().poll(cx)));
        }
        Poll::Ready(())
    }

    pub(super) fn local(&self) -> Option<SocketAddr> {
        match &self.state {
            State::BindStarted(binding) | State::Bound(binding) => Some(binding.local_addr()),
            State::ListenStarted(listener) | State::Listening(listener) => Some(listener.local_addr()),
            State::Connected(connection) => Some(connection.fabric().local_addr()),
            State::ConnectDone(Ok(stream)) => Some(stream.local_addr()),
            State::Unbound | State::Connecting(_) | State::ConnectDone(Err(_)) | State::Closed => None,
        }
    }

    pub(super) fn remote(&self) -> Option<SocketAddr> {
        match &self.state {
            State::Connected(connection) => Some(connection.fabric().peer_addr()),
            _ => None,
        }
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for TcpSocket {
    async fn ready(&mut self) {
        match &self.state {
            State::Connecting(_) => std::future::poll_fn(|cx| self.poll_connect(cx)).await,
            State::Listening(listener) => std::future::poll_fn(|cx| listener.poll_acceptable(cx)).await,
            _ => {}
        }
    }
}

type Streams = (Resource<DynInputStream>, Resource<DynOutputStream>);

impl View<'_> {
    pub(super) fn start_tcp_bind(
        &mut self,
        this: Resource<TcpSocket>,
        network: Resource<Access>,
        local: IpSocketAddress,
    ) -> Result<()> {
        self.table.get(&network)?;
        let socket = self.table.get_mut(&this)?;
        let State::Unbound = socket.state else { return Err(socket.misplaced().into()) };
        let local = address::local(local, socket.family)?;
        socket.state = State::BindStarted(self.network.plug.bind_tcp(local)?);
        Ok(())
    }

    pub(super) fn finish_tcp_bind(&mut self, this: Resource<TcpSocket>) -> Result<()> {
        let socket = self.table.get_mut(&this)?;
        match socket.take() {
            State::BindStarted(binding) => {
                socket.state = State::Bound(binding);
                Ok(())
            }
            other => not_in_progress(socket, other),
        }
    }

    pub(super) fn start_tcp_connect(
        &mut self,
        this: Resource<TcpSocket>,
        network: Resource<Access>,
        remote: IpSocketAddress,
    ) -> Result<()> {
        self.table.get(&network)?;
        let socket = self.table.get_mut(&this)?;
        if !matches!(socket.state, State::Unbound | State::Bound(_)) {
            return Err(socket.misplaced().into());
        }
        let remote = address::remote(remote, socket.family)?;
        let plug = self.network.plug.clone();
        socket.state = State::Connecting(match socket.take() {
            State::Bound(binding) => Box::pin(binding.connect(remote)),
            _ => Box::pin(async move { plug.connect(remote).await }),
        });
        // Within the node a connection is there at once, and the guest need not wait for it.
        let _ = socket.poll_connect(&mut Context::from_waker(Waker::noop()));
        Ok(())
    }

    pub(super) fn finish_tcp_connect(&mut self, this: Resource<TcpSocket>) -> Result<Streams> {
        let socket = self.table.get_mut(&this)?;
        let _ = socket.poll_connect(&mut Context::from_waker(Waker::noop()));
        let stream = match socket.take() {
            State::ConnectDone(outcome) => outcome?,
            State::Connecting(attempt) => {
                socket.state = State::Connecting(attempt);
                return Err(ErrorCode::WouldBlock.into());
            }
            other => return not_in_progress(socket, other),
        };
        let connection = Connection::opened(stream, &self.network.gate);
        socket.state = State::Connected(Arc::clone(&connection));
        self.push_streams(&this, connection)
    }

    fn push_streams(&mut self, socket: &Resource<TcpSocket>, connection: Arc<Connection>) -> Result<Streams> {
        let input: DynInputStream = Box::new(Reader(Arc::clone(&connection)));
        let output: DynOutputStream = Box::new(Writer(connection));
        Ok((self.table.push_child(input, socket)?, self.table.push_child(output, socket)?))
    }

    pub(super) fn start_tcp_listen(&mut self, this: Resource<TcpSocket>) -> Result<()> {
        let socket = self.table.get_mut(&this)?;
        match socket.take() {
            State::Bound(binding) => {
                self.network.gate.serves();
                socket.state = State::ListenStarted(binding.listen(socket.options.backlog)?);
                Ok(())
            }
            other => {
                socket.state = other;
                Err(socket.misplaced().into())
            }
        }
    }

    pub(super) fn finish_tcp_listen(&mut self, this: Resource<TcpSocket>) -> Result<()> {
        let socket = self.table.get_mut(&this)?;
        match socket.take() {
            State::ListenStarted(listener) => {
                socket.state = State::Listening(listener);
                Ok(())
            }
            other => not_in_progress(socket, other),
        }
    }

    pub(super) fn accept_tcp(&mut self, this: Resource<TcpSocket>) -> Result<(Resource<TcpSocket>, Streams)> {
        let socket = self.table.get(&this)?;
        let State::Listening(listener) = &socket.state else { return Err(socket.misplaced().into()) };
        let stream = match listener.try_accept() {
            Ok((stream, _)) => stream,
            // The pod is going. An error would make accept loops spin until it is gone.
            Err(_) => return Err(ErrorCode::WouldBlock.into()),
        };
        let connection = Connection::accepted(stream, &self.network.gate);
        let accepted = TcpSocket {
            family: socket.family,
            options: socket.options.clone(),
            state: State::Connected(Arc::clone(&connection)),
        };
        let accepted = self.table.push(accepted)?;
        let streams = self.push_streams(&accepted, connection)?;
        Ok((accepted, streams))
    }

    pub(super) fn shut_tcp(&mut self, this: Resource<TcpSocket>, how: ShutdownType) -> Result<()> {
        let socket = self.table.get(&this)?;
        let State::Connected(connection) = &socket.state else { return Err(ErrorCode::InvalidState.into()) };
        let how = match how {
            ShutdownType::Receive => How::Read,
            ShutdownType::Send => How::Write,
            ShutdownType::Both => How::Both,
        };
        connection.end(how).map_err(SocketError::from)?;
        Ok(())
    }
}

/// `finish-…` without its `start-…`: the state is as it was.
fn not_in_progress<T>(socket: &mut TcpSocket, state: State) -> Result<T> {
    socket.state = state;
    Err(ErrorCode::NotInProgress.into())
}

impl tcp_create_socket::Host for View<'_> {
    fn create_tcp_socket(&mut self, family: IpAddressFamily) -> Result<Resource<TcpSocket>> {
        Ok(self.table.push(TcpSocket::new(family))?)
    }
}
