//! Datagrams.

use std::sync::Arc;

use netproxy::fabric::UdpSocket as Bound;
use wasmtime::component::{Accessor, Resource};

use super::bindings::wasi::sockets::types::{
    ErrorCode, HostUdpSocket, HostUdpSocketWithStore, IpAddressFamily, IpSocketAddress,
};
use super::tcp_options::set;
use super::{Result, Sockets, View, family, local, remote, to_guest};
use crate::host::sockets::address::Family;
use crate::host::sockets::options::Options;

/// A UDP socket of a guest.
pub struct UdpSocket {
    family: Family,
    options: Options,
    bound: Option<Arc<Bound>>,
}

impl UdpSocket {
    fn bound(&self) -> Result<&Arc<Bound>> {
        self.bound.as_ref().ok_or_else(|| ErrorCode::InvalidState.into())
    }
}

impl<T: Send> HostUdpSocketWithStore<T> for Sockets {
    async fn send(
        store: &Accessor<T, Self>,
        this: Resource<UdpSocket>,
        data: Vec<u8>,
        to: Option<IpSocketAddress>,
    ) -> Result<()> {
        store.with(|mut access| {
            let mut view = access.get();
            let to = to.map(|to| remote(to, view.table.get(&this)?.family)).transpose()?;
            let bound = view.bound(&this)?;
            if to.is_none() && bound.peer_addr().is_none() {
                return Err(ErrorCode::InvalidArgument.into());
            }
            Ok(bound.try_send_to(&data, to)?)
        })
    }

    async fn receive(store: &Accessor<T, Self>, this: Resource<UdpSocket>) -> Result<(Vec<u8>, IpSocketAddress)> {
        let (bound, family) = store.with(|mut access| {
            let socket = access.get().table.get(&this)?;
            Result::Ok((Arc::clone(socket.bound()?), socket.family))
        })?;
        let (data, from) = bound.recv_from().await?;
        Ok((data.into(), to_guest(from, family)))
    }
}

impl View<'_> {
    /// As POSIX has it, a socket that sends or connects without an address gets one.
    fn bound(&mut self, this: &Resource<UdpSocket>) -> Result<Arc<Bound>> {
        let socket = self.table.get_mut(this)?;
        if let Some(bound) = &socket.bound {
            return Ok(Arc::clone(bound));
        }
        let bound = Arc::new(self.network.plug.bind_udp(socket.family.any())?);
        socket.bound = Some(Arc::clone(&bound));
        Ok(bound)
    }
}

impl HostUdpSocket for View<'_> {
    fn create(&mut self, of: IpAddressFamily) -> Result<Resource<UdpSocket>> {
        Ok(self.table.push(UdpSocket { family: family(of), options: Options::default(), bound: None })?)
    }

    fn bind(&mut self, this: Resource<UdpSocket>, at: IpSocketAddress) -> Result<()> {
        let socket = self.table.get_mut(&this)?;
        if socket.bound.is_some() {
            return Err(ErrorCode::InvalidState.into());
        }
        let at = local(at, socket.family)?;
        socket.bound = Some(Arc::new(self.network.plug.bind_udp(at)?));
        Ok(())
    }

    fn connect(&mut self, this: Resource<UdpSocket>, to: IpSocketAddress) -> Result<()> {
        let to = remote(to, self.table.get(&this)?.family)?;
        Ok(self.bound(&this)?.connect(Some(to))?)
    }

    fn disconnect(&mut self, this: Resource<UdpSocket>) -> Result<()> {
        let bound = self.table.get(&this)?.bound()?;
        if bound.peer_addr().is_none() {
            return Err(ErrorCode::InvalidState.into());
        }
        Ok(bound.connect(None)?)
    }

    fn get_local_address(&mut self, this: Resource<UdpSocket>) -> Result<IpSocketAddress> {
        let socket = self.table.get(&this)?;
        Ok(to_guest(socket.bound()?.local_addr(), socket.family))
    }

    fn get_remote_address(&mut self, this: Resource<UdpSocket>) -> Result<IpSocketAddress> {
        let socket = self.table.get(&this)?;
        Ok(to_guest(socket.bound()?.peer_addr().ok_or(ErrorCode::InvalidState)?, socket.family))
    }

    fn get_address_family(&mut self, this: Resource<UdpSocket>) -> wasmtime::Result<IpAddressFamily> {
        Ok(self.table.get(&this)?.family.into())
    }

    fn get_unicast_hop_limit(&mut self, this: Resource<UdpSocket>) -> Result<u8> {
        Ok(self.table.get(&this)?.options.hop_limit)
    }

    fn set_unicast_hop_limit(&mut self, this: Resource<UdpSocket>, value: u8) -> Result<()> {
        set(&mut self.table.get_mut(&this)?.options.hop_limit, value)
    }

    fn get_receive_buffer_size(&mut self, this: Resource<UdpSocket>) -> Result<u64> {
        Ok(self.table.get(&this)?.options.receive_buffer)
    }

    fn set_receive_buffer_size(&mut self, this: Resource<UdpSocket>, value: u64) -> Result<()> {
        set(&mut self.table.get_mut(&this)?.options.receive_buffer, value)
    }

    fn get_send_buffer_size(&mut self, this: Resource<UdpSocket>) -> Result<u64> {
        Ok(self.table.get(&this)?.options.send_buffer)
    }

    fn set_send_buffer_size(&mut self, this: Resource<UdpSocket>, value: u64) -> Result<()> {
        set(&mut self.table.get_mut(&this)?.options.send_buffer, value)
    }

    fn drop(&mut self, this: Resource<UdpSocket>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}
