//! `wasi:config`: what the pod says that the container is configured with.
//!
//! That is its own environment by the names it has there, and every key of the ConfigMaps and Secrets that `envFrom`
//! lists, by the name it has there: keys that no variable can be called are no trouble here.

use wasmtime::component::Linker;
use wasmtime_wasi_config::WasiConfig;

use super::Host;

impl Host {
    fn config(&mut self) -> WasiConfig<'_> {
        WasiConfig::new(&self.setting.config)
    }
}

pub(super) fn add_to_linker(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    wasmtime_wasi_config::add_to_linker(linker, Host::config)
}
