//! `wasi:sockets/udp`: datagrams.

use std::net::SocketAddr;
use std::sync::Arc;

use netproxy::fabric::{SocketError, UdpSocket as Bound};
use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};

use super::bindings::wasi::sockets::network::{ErrorCode, IpAddressFamily, IpSocketAddress};
use super::bindings::wasi::sockets::udp::{
    Host, HostIncomingDatagramStream, HostOutgoingDatagramStream, HostUdpSocket, IncomingDatagram, OutgoingDatagram,
};
use super::bindings::wasi::sockets::udp_create_socket;
use super::options::{self, Options};
use super::{Access, Failure, Result, View, address};

/// Datagrams a guest may send at a time, and bytes that one `receive` brings at most, a datagram more or less.
const MAX_DATAGRAMS: usize = 64;
const MAX_BYTES: usize = 64 << 10;

/// A UDP socket of a guest.
pub struct UdpSocket {
    family: IpAddressFamily,
    options: Options,
    state: State,
}

enum State {
    Unbound,
    BindStarted(Arc<Bound>),
    Bound(Arc<Bound>),
}

/// What the guest receives from.
pub struct Incoming {
    socket: Arc<Bound>,
    family: IpAddressFamily,
}

/// What the guest sends through.
pub struct Outgoing {
    socket: Arc<Bound>,
    family: IpAddressFamily,
    permitted: usize,
}

impl UdpSocket {
    fn bound(&self) -> Result<&Arc<Bound>> {
        match &self.state {
            State::Bound(socket) => Ok(socket),
            State::Unbound | State::BindStarted(_) => Err(ErrorCode::InvalidState.into()),
        }
    }
}

impl udp_create_socket::Host for View<'_> {
    fn create_udp_socket(&mut self, family: IpAddressFamily) -> Result<Resource<UdpSocket>> {
        Ok(self.table.push(UdpSocket { family, options: Options::default(), state: State::Unbound })?)
    }
}

impl Host for View<'_> {}

impl HostUdpSocket for View<'_> {
    fn start_bind(
        &mut self,
        this: Resource<UdpSocket>,
        network: Resource<Access>,
        local: IpSocketAddress,
    ) -> Result<()> {
        self.table.get(&network)?;
        let socket = self.table.get_mut(&this)?;
        match socket.state {
            State::Unbound => {}
            State::BindStarted(_) => return Err(ErrorCode::ConcurrencyConflict.into()),
            State::Bound(_) => return Err(ErrorCode::InvalidState.into()),
        }
        let local = address::local(local, socket.family)?;
        socket.state = State::BindStarted(Arc::new(self.network.plug.bind_udp(local)?));
        Ok(())
    }

    fn finish_bind(&mut self, this: Resource<UdpSocket>) -> Result<()> {
        let socket = self.table.get_mut(&this)?;
        let State::BindStarted(bound) = &socket.state else { return Err(ErrorCode::NotInProgress.into()) };
        socket.state = State::Bound(Arc::clone(bound));
        Ok(())
    }

    fn stream(
        &mut self,
        this: Resource<UdpSocket>,
        remote: Option<IpSocketAddress>,
    ) -> Result<(Resource<Incoming>, Resource<Outgoing>)> {
        if self.table.iter_children(&this)?.any(|child| child.is::<Incoming>() || child.is::<Outgoing>()) {
            return Err(Failure::trap("the socket's former datagram streams are still there"));
        }
        let socket = self.table.get(&this)?;
        let family = socket.family;
        let remote = remote.map(|remote| address::remote(remote, family)).transpose()?;
        let bound = Arc::clone(socket.bound()?);
        bound.connect(remote)?;
        let incoming = Incoming { socket: Arc::clone(&bound), family };
        let outgoing = Outgoing { socket: bound, family, permitted: 0 };
        Ok((self.table.push_child(incoming, &this)?, self.table.push_child(outgoing, &this)?))
    }

    fn local_address(&mut self, this: Resource<UdpSocket>) -> Result<IpSocketAddress> {
        let socket = self.table.get(&this)?;
        let local = match &socket.state {
            State::Unbound => return Err(ErrorCode::InvalidState.into()),
            State::BindStarted(bound) | State::Bound(bound) => bound.local_addr(),
        };
        Ok(address::to_guest(local, socket.family))
    }

    fn remote_address(&mut self, this: Resource<UdpSocket>) -> Result<IpSocketAddress> {
        let socket = self.table.get(&this)?;
        let remote = socket.bound()?.peer_addr().ok_or(ErrorCode::InvalidState)?;
        Ok(address::to_guest(remote, socket.family))
    }

    fn address_family(&mut self, this: Resource<UdpSocket>) -> wasmtime::Result<IpAddressFamily> {
        Ok(self.table.get(&this)?.family)
    }

    fn unicast_hop_limit(&mut self, this: Resource<UdpSocket>) -> Result<u8> {
        Ok(self.table.get(&this)?.options.hop_limit)
    }

    fn set_unicast_hop_limit(&mut self, this: Resource<UdpSocket>, value: u8) -> Result<()> {
        options::set(&mut self.table.get_mut(&this)?.options.hop_limit, value)
    }

    fn receive_buffer_size(&mut self, this: Resource<UdpSocket>) -> Result<u64> {
        Ok(self.table.get(&this)?.options.receive_buffer)
    }

    fn set_receive_buffer_size(&mut self, this: Resource<UdpSocket>, value: u64) -> Result<()> {
        options::set(&mut self.table.get_mut(&this)?.options.receive_buffer, value)
    }

    fn send_buffer_size(&mut self, this: Resource<UdpSocket>) -> Result<u64> {
        Ok(self.table.get(&this)?.options.send_buffer)
    }

    fn set_send_buffer_size(&mut self, this: Resource<UdpSocket>, value: u64) -> Result<()> {
        options::set(&mut self.table.get_mut(&this)?.options.send_buffer, value)
    }

    fn subscribe(&mut self, this: Resource<UdpSocket>) -> wasmtime::Result<Resource<DynPollable>> {
        subscribe(self.table, this)
    }

    fn drop(&mut self, this: Resource<UdpSocket>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl HostIncomingDatagramStream for View<'_> {
    fn receive(&mut self, this: Resource<Incoming>, max: u64) -> Result<Vec<IncomingDatagram>> {
        let Incoming { socket, family } = self.table.get(&this)?;
        let max = usize::try_from(max).unwrap_or(usize::MAX).min(MAX_DATAGRAMS);
        let mut datagrams = Vec::new();
        let mut bytes = 0;
        while datagrams.len() < max && bytes < MAX_BYTES {
            match socket.try_recv_from() {
                Ok((data, from)) => {
                    bytes += data.len();
                    let remote_address = address::to_guest(from, *family);
                    datagrams.push(IncomingDatagram { data: data.into(), remote_address });
                }
                Err(SocketError::WouldBlock) => break,
                Err(_) if !datagrams.is_empty() => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(datagrams)
    }

    fn subscribe(&mut self, this: Resource<Incoming>) -> wasmtime::Result<Resource<DynPollable>> {
        subscribe(self.table, this)
    }

    fn drop(&mut self, this: Resource<Incoming>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl HostOutgoingDatagramStream for View<'_> {
    fn check_send(&mut self, this: Resource<Outgoing>) -> Result<u64> {
        let outgoing = self.table.get_mut(&this)?;
        outgoing.permitted = MAX_DATAGRAMS;
        Ok(MAX_DATAGRAMS as u64)
    }

    fn send(&mut self, this: Resource<Outgoing>, datagrams: Vec<OutgoingDatagram>) -> Result<u64> {
        let outgoing = self.table.get_mut(&this)?;
        if datagrams.len() > outgoing.permitted {
            return Err(Failure::trap("more datagrams than `check-send` permitted"));
        }
        outgoing.permitted = 0;
        let mut sent = 0;
        for datagram in datagrams {
            match outgoing.send(datagram) {
                Ok(()) => sent += 1,
                Err(Failure::Code(ErrorCode::WouldBlock)) => break,
                Err(_) if sent > 0 => break,
                Err(failure) => return Err(failure),
            }
        }
        Ok(sent)
    }

    fn subscribe(&mut self, this: Resource<Outgoing>) -> wasmtime::Result<Resource<DynPollable>> {
        subscribe(self.table, this)
    }

    fn drop(&mut self, this: Resource<Outgoing>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl Outgoing {
    fn send(&self, datagram: OutgoingDatagram) -> Result<()> {
        let to: Option<SocketAddr> =
            datagram.remote_address.map(|remote| address::remote(remote, self.family)).transpose()?;
        if to.is_none() && self.socket.peer_addr().is_none() {
            return Err(ErrorCode::InvalidArgument.into());
        }
        Ok(self.socket.try_send_to(&datagram.data, to)?)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for UdpSocket {
    /// Nothing that is asked of the socket itself waits.
    async fn ready(&mut self) {}
}

#[wasmtime_wasi::async_trait]
impl Pollable for Incoming {
    async fn ready(&mut self) {
        std::future::poll_fn(|cx| self.socket.poll_receivable(cx)).await;
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Outgoing {
    /// There is always room: what nobody has room for is lost, as datagrams are.
    async fn ready(&mut self) {}
}
