//! An image, ready to run: checked, compiled, and bound to what the host offers.

mod command;
pub mod interfaces;
mod service;
pub(crate) mod sniff;
pub(crate) mod unmet;

use wasmtime::component::{Component, InstancePre};
use wasmtime_wasi::p2::bindings::CommandPre;
use wasmtime_wasi::p3::bindings::CommandPre as ConcurrentCommandPre;
use wasmtime_wasi_http::p2::bindings::ProxyPre;
use wasmtime_wasi_http::p3::bindings::ServicePre;

use crate::engine::LoadError;
use crate::host::Host;

pub(crate) use command::Command;
pub(crate) use service::Service;

/// How a guest is run. Decided from what it exports, never from labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuestKind {
    /// Exports `wasi:cli/run`: started once, runs until it returns.
    Command,
    /// Exports `wasi:http/incoming-handler` (0.2) or `wasi:http/handler` (0.3): an instance a request, none while idle. A
    /// component that exports `run` as well is one of these: toolchains add `run` to handlers as a by-product, and never
    /// the other way round.
    HttpHandler,
}

/// What is called, and in which version of WASI. A component that exports both versions is called by the newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum World {
    Command,
    Proxy,
    ConcurrentCommand,
    Service,
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
    Command(Command),
    Http(Service),
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
        let world = world(&exports)?;
        let pre = linker.instantiate_pre(component).map_err(|error| unmet::told(&imports, linker, &error))?;
        let entry = enter(world, pre).map_err(|error| LoadError::Entry(sniff::brief(&error)))?;
        Ok(CompiledGuest { kind: world.kind(), imports, exports, entry, initial_memory: initial_memory(component) })
    }
}

impl World {
    fn kind(self) -> GuestKind {
        match self {
            World::Command | World::ConcurrentCommand => GuestKind::Command,
            World::Proxy | World::Service => GuestKind::HttpHandler,
        }
    }
}

fn enter(world: World, pre: InstancePre<Host>) -> wasmtime::Result<Entry> {
    Ok(match world {
        World::Command => Entry::Command(Command::Sequential(CommandPre::new(pre)?)),
        World::ConcurrentCommand => Entry::Command(Command::Concurrent(ConcurrentCommandPre::new(pre)?)),
        World::Proxy => Entry::Http(Service::Sequential(ProxyPre::new(pre)?)),
        World::Service => Entry::Http(Service::Concurrent(ServicePre::new(pre)?)),
    })
}

fn world(exports: &[String]) -> Result<World, LoadError> {
    const BY_RANK: [(&str, World); 4] = [
        ("wasi:http/handler@0.3.", World::Service),
        ("wasi:http/incoming-handler@0.2.", World::Proxy),
        ("wasi:cli/run@0.3.", World::ConcurrentCommand),
        ("wasi:cli/run@0.2.", World::Command),
    ];
    let exported = |(prefix, _): &&(&str, World)| exports.iter().any(|name| name.starts_with(prefix));
    let found = BY_RANK.iter().find(exported).map(|(_, world)| *world);
    found.ok_or_else(|| LoadError::NoEntry { exports: exports.to_vec() })
}

fn initial_memory(component: &Component) -> u64 {
    const PAGE: u64 = 64 << 10;
    component.resources_required().and_then(|needs| needs.max_initial_memory_size).unwrap_or(0) * PAGE
}

impl CompiledGuest {
    /// The engine that its code was compiled for.
    pub(crate) fn engine(&self) -> &wasmtime::Engine {
        match &self.entry {
            Entry::Command(command) => command.engine(),
            Entry::Http(service) => service.engine(),
        }
    }
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

    fn world_of(exports: &[&str]) -> Option<World> {
        world(&exports.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).ok()
    }

    #[test]
    fn exports_decide_the_world() {
        assert_eq!(world_of(&["wasi:cli/run@0.2.3"]), Some(World::Command));
        assert_eq!(world_of(&["wasi:http/incoming-handler@0.2.0"]), Some(World::Proxy));
        assert_eq!(world_of(&["wasi:cli/run@0.2.3", "wasi:http/incoming-handler@0.2.3"]), Some(World::Proxy));
        assert_eq!(world_of(&["wasi:http/handler@0.3.0", "my:own/thing"]), Some(World::Service));
        assert_eq!(world_of(&["wasi:cli/run@0.2.3", "wasi:cli/run@0.3.0"]), Some(World::ConcurrentCommand));
        assert_eq!(world_of(&["my:own/thing", "wasi:cli/run@0.4.0"]), None);
    }
}
