//! The functions of a TCP socket that wait for nothing: its making, its addresses and its options.

use wasmtime::component::Resource;

use super::bindings::wasi::sockets::types::{ErrorCode, HostTcpSocket, IpAddressFamily, IpSocketAddress};
use super::tcp::{State, TcpSocket};
use super::{Result, View, family, local, to_guest};
use crate::host::sockets::options::Options;

impl View<'_> {
    fn options(&self, this: &Resource<TcpSocket>) -> Result<&Options> {
        Ok(&self.table.get(this)?.options)
    }

    fn set<V: Default + PartialEq>(
        &mut self,
        this: &Resource<TcpSocket>,
        option: fn(&mut Options) -> &mut V,
        value: V,
    ) -> Result<()> {
        set(option(&mut self.table.get_mut(this)?.options), value)
    }
}

/// All numbers but 0 will do.
pub(super) fn set<V: Default + PartialEq>(option: &mut V, value: V) -> Result<()> {
    if value == V::default() {
        return Err(ErrorCode::InvalidArgument.into());
    }
    *option = value;
    Ok(())
}

impl HostTcpSocket for View<'_> {
    fn create(&mut self, of: IpAddressFamily) -> Result<Resource<TcpSocket>> {
        Ok(self.table.push(TcpSocket::new(family(of)))?)
    }

    fn bind(&mut self, this: Resource<TcpSocket>, at: IpSocketAddress) -> Result<()> {
        let socket = self.table.get_mut(&this)?;
        let State::Unbound = socket.state else { return Err(ErrorCode::InvalidState.into()) };
        let at = local(at, socket.family)?;
        socket.state = State::Bound(self.network.plug.bind_tcp(at)?);
        Ok(())
    }

    fn get_local_address(&mut self, this: Resource<TcpSocket>) -> Result<IpSocketAddress> {
        let socket = self.table.get(&this)?;
        Ok(to_guest(socket.local().ok_or(ErrorCode::InvalidState)?, socket.family))
    }

    fn get_remote_address(&mut self, this: Resource<TcpSocket>) -> Result<IpSocketAddress> {
        let socket = self.table.get(&this)?;
        Ok(to_guest(socket.remote().ok_or(ErrorCode::InvalidState)?, socket.family))
    }

    fn get_is_listening(&mut self, this: Resource<TcpSocket>) -> wasmtime::Result<bool> {
        Ok(matches!(self.table.get(&this)?.state, State::Listening(_)))
    }

    fn get_address_family(&mut self, this: Resource<TcpSocket>) -> wasmtime::Result<IpAddressFamily> {
        Ok(self.table.get(&this)?.family.into())
    }

    fn set_listen_backlog_size(&mut self, this: Resource<TcpSocket>, value: u64) -> Result<()> {
        let socket = self.table.get_mut(&this)?;
        if let State::Connected { .. } | State::Connecting = socket.state {
            return Err(ErrorCode::InvalidState.into());
        }
        set(&mut socket.options.backlog, usize::try_from(value).unwrap_or(usize::MAX))
    }

    fn get_keep_alive_enabled(&mut self, this: Resource<TcpSocket>) -> Result<bool> {
        Ok(self.options(&this)?.keep_alive)
    }

    fn set_keep_alive_enabled(&mut self, this: Resource<TcpSocket>, value: bool) -> Result<()> {
        self.table.get_mut(&this)?.options.keep_alive = value;
        Ok(())
    }

    fn get_keep_alive_idle_time(&mut self, this: Resource<TcpSocket>) -> Result<u64> {
        Ok(self.options(&this)?.keep_alive_idle)
    }

    fn set_keep_alive_idle_time(&mut self, this: Resource<TcpSocket>, value: u64) -> Result<()> {
        self.set(&this, |options| &mut options.keep_alive_idle, value)
    }

    fn get_keep_alive_interval(&mut self, this: Resource<TcpSocket>) -> Result<u64> {
        Ok(self.options(&this)?.keep_alive_interval)
    }

    fn set_keep_alive_interval(&mut self, this: Resource<TcpSocket>, value: u64) -> Result<()> {
        self.set(&this, |options| &mut options.keep_alive_interval, value)
    }

    fn get_keep_alive_count(&mut self, this: Resource<TcpSocket>) -> Result<u32> {
        Ok(self.options(&this)?.keep_alive_count)
    }

    fn set_keep_alive_count(&mut self, this: Resource<TcpSocket>, value: u32) -> Result<()> {
        self.set(&this, |options| &mut options.keep_alive_count, value)
    }

    fn get_hop_limit(&mut self, this: Resource<TcpSocket>) -> Result<u8> {
        Ok(self.options(&this)?.hop_limit)
    }

    fn set_hop_limit(&mut self, this: Resource<TcpSocket>, value: u8) -> Result<()> {
        self.set(&this, |options| &mut options.hop_limit, value)
    }

    fn get_receive_buffer_size(&mut self, this: Resource<TcpSocket>) -> Result<u64> {
        Ok(self.options(&this)?.receive_buffer)
    }

    fn set_receive_buffer_size(&mut self, this: Resource<TcpSocket>, value: u64) -> Result<()> {
        self.set(&this, |options| &mut options.receive_buffer, value)
    }

    fn get_send_buffer_size(&mut self, this: Resource<TcpSocket>) -> Result<u64> {
        Ok(self.options(&this)?.send_buffer)
    }

    fn set_send_buffer_size(&mut self, this: Resource<TcpSocket>, value: u64) -> Result<()> {
        self.set(&this, |options| &mut options.send_buffer, value)
    }

    fn drop(&mut self, this: Resource<TcpSocket>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}
