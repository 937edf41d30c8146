//! `wasi:sockets/ip-name-lookup`: the cluster's names and the world's, as the pod's plug resolves them.

use std::net::IpAddr;
use std::task::{Context, Poll, Waker};
use std::vec;

use futures::future::BoxFuture;
use netproxy::fabric::ResolveError;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};

use super::address;
use super::bindings::wasi::sockets::ip_name_lookup::{Host, HostResolveAddressStream};
use super::bindings::wasi::sockets::network::{ErrorCode, IpAddress};
use super::{Access, Failure, Result, View};

/// A look-up under way, or what it found.
pub enum Addresses {
    Asking(BoxFuture<'static, std::result::Result<Vec<IpAddr>, ResolveError>>),
    Found(vec::IntoIter<IpAddr>),
    Failed(ErrorCode),
}

impl Addresses {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Addresses::Asking(question) = self {
            *self = match std::task::ready!(question.as_mut().poll(cx)) {
                Ok(found) => Addresses::Found(found.into_iter()),
                Err(error) => Addresses::Failed(Failure::from(error).code().unwrap_or(ErrorCode::Unknown)),
            };
        }
        Poll::Ready(())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Addresses {
    async fn ready(&mut self) {
        std::future::poll_fn(|cx| self.poll(cx)).await;
    }
}

impl Host for View<'_> {
    fn resolve_addresses(&mut self, network: Resource<Access>, name: String) -> Result<Resource<Addresses>> {
        self.table.get(&network)?;
        let literal = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let addresses = match literal {
            Ok(ip) => Addresses::Found(vec![ip].into_iter()),
            Err(_) => {
                let plug = self.network.plug.clone();
                Addresses::Asking(Box::pin(async move { plug.resolve(&name).await }))
            }
        };
        Ok(self.table.push(addresses)?)
    }
}

impl HostResolveAddressStream for View<'_> {
    fn resolve_next_address(&mut self, this: Resource<Addresses>) -> Result<Option<IpAddress>> {
        let addresses = self.table.get_mut(&this)?;
        let _ = addresses.poll(&mut Context::from_waker(Waker::noop()));
        match addresses {
            Addresses::Asking(_) => Err(ErrorCode::WouldBlock.into()),
            Addresses::Failed(code) => Err((*code).into()),
            Addresses::Found(found) => Ok(found.next().map(address::ip_to_guest)),
        }
    }

    fn subscribe(&mut self, this: Resource<Addresses>) -> wasmtime::Result<Resource<DynPollable>> {
        subscribe(self.table, this)
    }

    fn drop(&mut self, this: Resource<Addresses>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}
