//! The functions of `wasi:sockets/tcp`: the [states'](super::tcp) and, most of them, the options'.

use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, DynPollable, subscribe};

use super::bindings::wasi::sockets::network::{ErrorCode, IpAddressFamily, IpSocketAddress};
use super::bindings::wasi::sockets::tcp::{Host, HostTcpSocket, ShutdownType};
use super::options::{self, Options};
use super::tcp::{State, TcpSocket};
use super::{Access, Result, View, address};

impl View<'_> {
    fn tcp(&self, this: &Resource<TcpSocket>) -> Result<&Options> {
        Ok(&self.table.get(this)?.options)
    }

    fn tcp_mut(&mut self, this: &Resource<TcpSocket>) -> Result<&mut Options> {
        Ok(&mut self.table.get_mut(this)?.options)
    }
}

impl Host for View<'_> {}

impl HostTcpSocket for View<'_> {
    fn start_bind(
        &mut self,
        this: Resource<TcpSocket>,
        network: Resource<Access>,
        local: IpSocketAddress,
    ) -> Result<()> {
        self.start_tcp_bind(this, network, local)
    }

    fn finish_bind(&mut self, this: Resource<TcpSocket>) -> Result<()> {
        self.finish_tcp_bind(this)
    }

    fn start_connect(
        &mut self,
        this: Resource<TcpSocket>,
        network: Resource<Access>,
        remote: IpSocketAddress,
    ) -> Result<()> {
        self.start_tcp_connect(this, network, remote)
    }

    fn finish_connect(
        &mut self,
        this: Resource<TcpSocket>,
    ) -> Result<(Resource<DynInputStream>, Resource<DynOutputStream>)> {
        self.finish_tcp_connect(this)
    }

    fn start_listen(&mut self, this: Resource<TcpSocket>) -> Result<()> {
        self.start_tcp_listen(this)
    }

    fn finish_listen(&mut self, this: Resource<TcpSocket>) -> Result<()> {
        self.finish_tcp_listen(this)
    }

    fn accept(
        &mut self,
        this: Resource<TcpSocket>,
    ) -> Result<(Resource<TcpSocket>, Resource<DynInputStream>, Resource<DynOutputStream>)> {
        let (socket, (input, output)) = self.accept_tcp(this)?;
        Ok((socket, input, output))
    }

    fn local_address(&mut self, this: Resource<TcpSocket>) -> Result<IpSocketAddress> {
        let socket = self.table.get(&this)?;
        let local = socket.local().ok_or(ErrorCode::InvalidState)?;
        Ok(address::to_guest(local, socket.family))
    }

    fn remote_address(&mut self, this: Resource<TcpSocket>) -> Result<IpSocketAddress> {
        let socket = self.table.get(&this)?;
        let remote = socket.remote().ok_or(ErrorCode::InvalidState)?;
        Ok(address::to_guest(remote, socket.family))
    }

    fn is_listening(&mut self, this: Resource<TcpSocket>) -> wasmtime::Result<bool> {
        Ok(matches!(self.table.get(&this)?.state, State::Listening(_)))
    }

    fn address_family(&mut self, this: Resource<TcpSocket>) -> wasmtime::Result<IpAddressFamily> {
        Ok(self.table.get(&this)?.family)
    }

    fn set_listen_backlog_size(&mut self, this: Resource<TcpSocket>, value: u64) -> Result<()> {
        let socket = self.table.get_mut(&this)?;
        if let State::Connected(_) | State::Connecting(_) = socket.state {
            return Err(ErrorCode::InvalidState.into());
        }
        options::set(&mut socket.options.backlog, usize::try_from(value).unwrap_or(usize::MAX))
    }

    fn keep_alive_enabled(&mut self, this: Resource<TcpSocket>) -> Result<bool> {
        Ok(self.tcp(&this)?.keep_alive)
    }

    fn set_keep_alive_enabled(&mut self, this: Resource<TcpSocket>, value: bool) -> Result<()> {
        self.tcp_mut(&this)?.keep_alive = value;
        Ok(())
    }

    fn keep_alive_idle_time(&mut self, this: Resource<TcpSocket>) -> Result<u64> {
        Ok(self.tcp(&this)?.keep_alive_idle)
    }

    fn set_keep_alive_idle_time(&mut self, this: Resource<TcpSocket>, value: u64) -> Result<()> {
        options::set(&mut self.tcp_mut(&this)?.keep_alive_idle, value)
    }

    fn keep_alive_interval(&mut self, this: Resource<TcpSocket>) -> Result<u64> {
        Ok(self.tcp(&this)?.keep_alive_interval)
    }

    fn set_keep_alive_interval(&mut self, this: Resource<TcpSocket>, value: u64) -> Result<()> {
        options::set(&mut self.tcp_mut(&this)?.keep_alive_interval, value)
    }

    fn keep_alive_count(&mut self, this: Resource<TcpSocket>) -> Result<u32> {
        Ok(self.tcp(&this)?.keep_alive_count)
    }

    fn set_keep_alive_count(&mut self, this: Resource<TcpSocket>, value: u32) -> Result<()> {
        options::set(&mut self.tcp_mut(&this)?.keep_alive_count, value)
    }

    fn hop_limit(&mut self, this: Resource<TcpSocket>) -> Result<u8> {
        Ok(self.tcp(&this)?.hop_limit)
    }

    fn set_hop_limit(&mut self, this: Resource<TcpSocket>, value: u8) -> Result<()> {
        options::set(&mut self.tcp_mut(&this)?.hop_limit, value)
    }

    fn receive_buffer_size(&mut self, this: Resource<TcpSocket>) -> Result<u64> {
        Ok(self.tcp(&this)?.receive_buffer)
    }

    fn set_receive_buffer_size(&mut self, this: Resource<TcpSocket>, value: u64) -> Result<()> {
        options::set(&mut self.tcp_mut(&this)?.receive_buffer, value)
    }

    fn send_buffer_size(&mut self, this: Resource<TcpSocket>) -> Result<u64> {
        Ok(self.tcp(&this)?.send_buffer)
    }

    fn set_send_buffer_size(&mut self, this: Resource<TcpSocket>, value: u64) -> Result<()> {
        options::set(&mut self.tcp_mut(&this)?.send_buffer, value)
    }

    fn subscribe(&mut self, this: Resource<TcpSocket>) -> wasmtime::Result<Resource<DynPollable>> {
        subscribe(self.table, this)
    }

    fn shutdown(&mut self, this: Resource<TcpSocket>, how: ShutdownType) -> Result<()> {
        self.shut_tcp(this, how)
    }

    fn drop(&mut self, this: Resource<TcpSocket>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}
