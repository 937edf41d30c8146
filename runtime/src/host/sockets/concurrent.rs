//! `wasi:sockets` 0.3 over the same plug: what was polled for in 0.2 is awaited, and bytes come as streams.

mod failure;
mod lookup;
mod streams;
mod tcp;
mod tcp_options;
mod udp;

use std::net::SocketAddr;

use wasmtime::component::Linker;

use super::address::{Family, from_ipv4, from_ipv6, to_ipv4, to_ipv6};
use super::{Sockets, View};
use crate::host::Host;
use failure::Failure;

mod bindings {
    wasmtime::component::bindgen!({
        path: "wit/sockets-0.3",
        world: "sampan:host/sockets",
        imports: {
            "wasi:sockets/types.[method]tcp-socket.listen": store | trappable,
            "wasi:sockets/types.[method]tcp-socket.send": store | trappable,
            "wasi:sockets/types.[method]tcp-socket.receive": store | trappable,
            default: trappable,
        },
        require_store_data_send: true,
        trappable_error_type: {
            "wasi:sockets/types.error-code" => super::Failure,
        },
        with: {
            "wasi:clocks": wasmtime_wasi::p3::bindings::clocks,
            "wasi:sockets/types.tcp-socket": super::tcp::TcpSocket,
            "wasi:sockets/types.udp-socket": super::udp::UdpSocket,
        },
    });
}

use bindings::wasi::sockets::ip_name_lookup;
use bindings::wasi::sockets::types::{
    self, ErrorCode, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
};

type Result<T> = std::result::Result<T, Failure>;

pub(in crate::host) fn add_to_linker(
    linker: &mut Linker<Host>,
    view: fn(&mut Host) -> View<'_>,
) -> wasmtime::Result<()> {
    types::add_to_linker::<Host, Sockets>(linker, view)?;
    ip_name_lookup::add_to_linker::<Host, Sockets>(linker, view)?;
    Ok(())
}

impl types::Host for View<'_> {
    fn convert_error_code(&mut self, failure: Failure) -> wasmtime::Result<ErrorCode> {
        failure.code()
    }
}

fn family(family: IpAddressFamily) -> Family {
    match family {
        IpAddressFamily::Ipv4 => Family::Ipv4,
        IpAddressFamily::Ipv6 => Family::Ipv6,
    }
}

impl From<Family> for IpAddressFamily {
    fn from(family: Family) -> IpAddressFamily {
        match family {
            Family::Ipv4 => IpAddressFamily::Ipv4,
            Family::Ipv6 => IpAddressFamily::Ipv6,
        }
    }
}

fn from_guest(address: IpSocketAddress) -> SocketAddr {
    match address {
        IpSocketAddress::Ipv4(v4) => SocketAddr::new(from_ipv4(v4.address).into(), v4.port),
        IpSocketAddress::Ipv6(v6) => {
            std::net::SocketAddrV6::new(from_ipv6(v6.address), v6.port, v6.flow_info, v6.scope_id).into()
        }
    }
}

fn to_guest(address: SocketAddr, family: Family) -> IpSocketAddress {
    match family.shows(address) {
        SocketAddr::V4(v4) => IpSocketAddress::Ipv4(Ipv4SocketAddress { port: v4.port(), address: to_ipv4(*v4.ip()) }),
        SocketAddr::V6(v6) => IpSocketAddress::Ipv6(Ipv6SocketAddress {
            port: v6.port(),
            flow_info: v6.flowinfo(),
            address: to_ipv6(*v6.ip()),
            scope_id: v6.scope_id(),
        }),
    }
}

fn local(address: IpSocketAddress, family: Family) -> Result<SocketAddr> {
    family.local(from_guest(address)).ok_or_else(|| ErrorCode::InvalidArgument.into())
}

fn remote(address: IpSocketAddress, family: Family) -> Result<SocketAddr> {
    family.remote(from_guest(address)).ok_or_else(|| ErrorCode::InvalidArgument.into())
}
