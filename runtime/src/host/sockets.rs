//! `wasi:sockets` over the pod's plug: 0.2 here, 0.3 in [concurrent].
//!
//! A guest opens, binds, connects and listens as on any machine; the addresses are its pod's, the loopback is shared
//! with the pod's other containers, and names are the cluster's. The adapter holds the state machines of the interface
//! and nothing else: addresses, ports and bytes are the fabric's.

mod address;
pub(super) mod concurrent;
mod failure;
mod lookup;
mod options;
mod stream;
mod tcp;
mod tcp_options;
mod udp;

use std::sync::Arc;

use netproxy::fabric::Plug;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};

use super::Host;
use crate::container::gate::Gate;
use failure::Failure;

pub(super) mod bindings {
    wasmtime::component::bindgen!({
        path: "wit/sockets",
        world: "sampan:host/sockets",
        imports: { default: trappable },
        require_store_data_send: true,
        trappable_error_type: {
            "wasi:sockets/network.error-code" => super::Failure,
        },
        with: {
            "wasi:io": wasmtime_wasi_io::bindings::wasi::io,
            "wasi:clocks": wasmtime_wasi::p2::bindings::clocks,
            "wasi:sockets/network.network": super::Access,
            "wasi:sockets/tcp.tcp-socket": super::tcp::TcpSocket,
            "wasi:sockets/udp.udp-socket": super::udp::UdpSocket,
            "wasi:sockets/udp.incoming-datagram-stream": super::udp::Incoming,
            "wasi:sockets/udp.outgoing-datagram-stream": super::udp::Outgoing,
            "wasi:sockets/ip-name-lookup.resolve-address-stream": super::lookup::Addresses,
        },
    });
}

use bindings::wasi::sockets::network::{self, ErrorCode};
use bindings::wasi::sockets::{instance_network, ip_name_lookup, tcp_create_socket, udp_create_socket};

type Result<T> = std::result::Result<T, Failure>;

/// An instance's way to its pod's network.
pub(super) struct Network {
    plug: Plug,
    gate: Arc<Gate>,
}

impl Network {
    pub(super) fn new(plug: Plug, gate: Arc<Gate>) -> Network {
        Network { plug, gate }
    }
}

/// What the interface's functions work on.
pub(super) struct View<'a> {
    pub(super) network: &'a mut Network,
    pub(super) table: &'a mut ResourceTable,
}

pub(super) struct Sockets;

impl HasData for Sockets {
    type Data<'a> = View<'a>;
}

pub(super) fn add_to_linker(linker: &mut Linker<Host>, view: fn(&mut Host) -> View<'_>) -> wasmtime::Result<()> {
    network::add_to_linker::<Host, Sockets>(linker, view)?;
    instance_network::add_to_linker::<Host, Sockets>(linker, view)?;
    bindings::wasi::sockets::tcp::add_to_linker::<Host, Sockets>(linker, view)?;
    tcp_create_socket::add_to_linker::<Host, Sockets>(linker, view)?;
    bindings::wasi::sockets::udp::add_to_linker::<Host, Sockets>(linker, view)?;
    udp_create_socket::add_to_linker::<Host, Sockets>(linker, view)?;
    ip_name_lookup::add_to_linker::<Host, Sockets>(linker, view)?;
    Ok(())
}

/// The `network` resource: a token that WASI 0.2 wants to see. There is one network, the pod's.
pub struct Access;

impl network::Host for View<'_> {
    fn convert_error_code(&mut self, failure: Failure) -> wasmtime::Result<ErrorCode> {
        failure.code()
    }

    fn network_error_code(&mut self, error: Resource<wasmtime::Error>) -> wasmtime::Result<Option<ErrorCode>> {
        let error = self.table.get(&error)?;
        Ok(error.downcast_ref::<std::io::Error>().map(|error| failure::of_kind(error.kind())))
    }
}

impl network::HostNetwork for View<'_> {
    fn drop(&mut self, this: Resource<Access>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl instance_network::Host for View<'_> {
    fn instance_network(&mut self) -> wasmtime::Result<Resource<Access>> {
        Ok(self.table.push(Access)?)
    }
}
