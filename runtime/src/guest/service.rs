//! Handlers of HTTP requests, in both versions.

use wasmtime_wasi_http::p2::bindings::ProxyPre;
use wasmtime_wasi_http::p3::bindings::ServicePre;

use crate::host::Host;

/// A component that is called with requests.
#[derive(Clone)]
pub(crate) enum Service {
    /// `wasi:http/incoming-handler` of 0.2.
    Sequential(ProxyPre<Host>),
    /// `wasi:http/handler` of 0.3.
    Concurrent(ServicePre<Host>),
}

impl Service {
    pub(super) fn engine(&self) -> &wasmtime::Engine {
        match self {
            Service::Sequential(entry) => entry.engine(),
            Service::Concurrent(entry) => entry.engine(),
        }
    }
}
