//! An image, ready to run: checked, compiled, and bound to what the host offers.

pub(crate) mod sniff;

use wasmtime::component::{Component, InstancePre};
use wasmtime_wasi::p2::bindings::CommandPre;
use wasmtime_wasi_http::p2::bindings::ProxyPre;

use crate::engine::LoadError;
use crate::host::Host;

/// How a guest is run. Decided from what it exports, never from labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuestKind {
    /// Exports `wasi:cli/run`: started once, runs until it returns.
    Command,
    /// Exports `wasi:http/incoming-handler`: an instance a request, none while idle. A component that exports both is one
    /// of these: toolchains add `run` to handlers as a by-product, and never the other way round.
    HttpHandler,
}

/// What [`Engine::load`](crate::engine::Engine::load) makes of an image. Shared by every container of that image.
pub struct CompiledGuest {
    /// How it is run.
    pub kind: GuestKind,
    /// The interfaces it imports, as `wasi:cli/environment@0.2.3`.
    pub imports: Vec<String>,
    /// The interfaces it exports.
    pub exports: Vec<String>,
    pub(crate) entry: Entry,
    /// Linear memory of a fresh instance, in bytes.
    pub(crate) initial_memory: u64,
}

/// The pre-linked instance: making a real one from it takes microseconds.
#[derive(Clone)]
pub(crate) enum Entry {
    Command(CommandPre<Host>),
    Http(ProxyPre<Host>),
}

impl CompiledGuest {
    pub(crate) fn bind(
        component: &Component,
        linker: &wasmtime::component::Linker<Host>,
    ) -> Result<CompiledGuest, LoadError> {
        let engine = component.engine();
        let ty = component.component_type();
        let imports: Vec<String> = ty.imports(engine).map(|(name, _)| name.to_owned()).collect();
        let exports: Vec<String> = ty.exports(engine).map(|(name, _)| name.to_owned()).collect();
        let kind = kind(&exports)?;
        let pre = linker.instantiate_pre(component).map_err(|error| unmet(&error))?;
        let entry = enter(kind, pre).map_err(|error| LoadError::Entry(sniff::brief(&error)))?;
        Ok(CompiledGuest { kind, imports, exports, entry, initial_memory: initial_memory(component) })
    }
}

fn enter(kind: GuestKind, pre: InstancePre<Host>) -> wasmtime::Result<Entry> {
    Ok(match kind {
        GuestKind::Command => Entry::Command(CommandPre::new(pre)?),
        GuestKind::HttpHandler => Entry::Http(ProxyPre::new(pre)?),
    })
}

fn kind(exports: &[String]) -> Result<GuestKind, LoadError> {
    let has = |prefix: &str| exports.iter().any(|name| name.starts_with(prefix));
    match (has("wasi:http/incoming-handler@0.2."), has("wasi:cli/run@0.2.")) {
        (true, _) => Ok(GuestKind::HttpHandler),
        (false, true) => Ok(GuestKind::Command),
        (false, false) => Err(LoadError::NoEntry { exports: exports.to_vec() }),
    }
}

/// wasmtime names the first import that nothing matches between backticks.
fn unmet(error: &wasmtime::Error) -> LoadError {
    let text = format!("{error:#}");
    let name = text.split('`').nth(1).unwrap_or("unknown").to_owned();
    LoadError::Import { name, reason: sniff::shorten(&error.root_cause().to_string()) }
}

fn initial_memory(component: &Component) -> u64 {
    const PAGE: u64 = 64 << 10;
    component.resources_required().and_then(|needs| needs.max_initial_memory_size).unwrap_or(0) * PAGE
}

impl std::fmt::Debug for CompiledGuest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CompiledGuest")
            .field("kind", &self.kind)
            .field("exports", &self.exports)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_of(exports: &[&str]) -> Option<GuestKind> {
        kind(&exports.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).ok()
    }

    #[test]
    fn exports_decide_the_kind() {
        assert_eq!(kind_of(&["wasi:cli/run@0.2.3"]), Some(GuestKind::Command));
        assert_eq!(kind_of(&["wasi:http/incoming-handler@0.2.0"]), Some(GuestKind::HttpHandler));
        assert_eq!(kind_of(&["wasi:cli/run@0.2.3", "wasi:http/incoming-handler@0.2.3"]), Some(GuestKind::HttpHandler));
        assert_eq!(kind_of(&["wasi:http/handler@0.3.0", "my:own/thing"]), None);
    }
}
