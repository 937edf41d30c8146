//! `wasi:sockets/ip-name-lookup`: the cluster's names and the world's, as the pod's plug resolves them.

use std::net::IpAddr;

use wasmtime::component::Accessor;

use super::bindings::wasi::sockets::ip_name_lookup::{ErrorCode, Host, HostWithStore, IpAddress};
use super::failure::of_lookup;
use super::{Sockets, View, to_ipv4, to_ipv6};

impl Host for View<'_> {}

impl<T: Send> HostWithStore<T> for Sockets {
    async fn resolve_addresses(
        store: &Accessor<T, Self>,
        name: String,
    ) -> wasmtime::Result<Result<Vec<IpAddress>, ErrorCode>> {
        if let Ok(ip) = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            return Ok(Ok(vec![to_guest(ip)]));
        }
        let plug = store.with(|mut view| view.get().network.plug.clone());
        let found = plug.resolve(&name).await;
        Ok(found.map(|found| found.into_iter().map(to_guest).collect()).map_err(of_lookup))
    }
}

fn to_guest(ip: IpAddr) -> IpAddress {
    match ip.to_canonical() {
        IpAddr::V4(v4) => IpAddress::Ipv4(to_ipv4(v4)),
        IpAddr::V6(v6) => IpAddress::Ipv6(to_ipv6(v6)),
    }
}
