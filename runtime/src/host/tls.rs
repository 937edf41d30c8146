//! `wasi:tls`: the client's side of TLS, over whatever streams the guest has, which on a pod's network are ours.
//!
//! Trusted are the public authorities and the cluster's own: what the guest's `wasi:https` requests trust, too.

use netproxy::fabric::Fabric;
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;
use wasmtime::component::Linker;
use wasmtime_wasi_tls::{
    Error, TlsProvider, TlsStream, TlsTransport, WasiTlsCtx, WasiTlsCtxBuilder, WasiTlsCtxView, WasiTlsView,
};

use super::Host;

type Connecting = std::pin::Pin<Box<dyn Future<Output = Result<Box<dyn TlsStream>, Error>> + Send>>;

/// Shakes hands with the fabric's roots.
struct Client(Fabric);

impl TlsProvider for Client {
    fn connect(&self, server_name: String, transport: Box<dyn TlsTransport>) -> Connecting {
        let config = self.0.client_tls();
        Box::pin(async move {
            let config = config.map_err(|error| Error::msg(error.to_string()))?;
            let name = ServerName::try_from(server_name).map_err(|_| Error::msg("invalid server name"))?;
            let stream = TlsConnector::from(config).connect(name, transport).await;
            Ok(Box::new(stream.map_err(|error| Error::msg(error.to_string()))?) as Box<dyn TlsStream>)
        })
    }
}

pub(super) fn context(fabric: &Fabric) -> WasiTlsCtx {
    WasiTlsCtxBuilder::new().provider(Box::new(Client(fabric.clone()))).build()
}

impl WasiTlsView for Host {
    fn tls(&mut self) -> WasiTlsCtxView<'_> {
        WasiTlsCtxView { ctx: &mut self.tls, table: &mut self.table }
    }
}

pub(super) fn add_to_linker(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    let mut options = wasmtime_wasi_tls::p2::LinkOptions::default();
    wasmtime_wasi_tls::p2::add_to_linker(linker, options.tls(true))
}

/// Its form of 0.3.
pub(super) fn add_concurrent_to_linker(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    wasmtime_wasi_tls::p3::add_to_linker(linker)
}
