//! What a guest can see of the world outside: the host side of WASI.
//!
//! Clocks, random numbers, files and streams are wasmtime's. The network is ours: [sockets] and outgoing [HTTP](http)
//! go through the pod's plug, so a guest sees the pod's addresses and never the host's. Output goes to the
//! [container's log](stdio). [Configuration](config), [pairs](keyvalue) and [objects](blobstore) that are kept, [log lines](logging) and [TLS](tls) are
//! each a file with the same parts: what the interface works on, its functions, its place in the linker.

mod blobstore;
mod config;
mod files;
pub(crate) mod http;
mod keyvalue;
mod logging;
pub(crate) mod pipe;
pub(crate) mod preopens;
mod processes;
mod sockets;
pub(crate) mod stdio;
pub(crate) mod terminal;
mod tls;

use std::sync::Arc;

use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime::{Store, UpdateDeadline};
use wasmtime_wasi::cli::{WasiCli, WasiCliView as _};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView as _};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemCtxView, WasiFilesystemView as _};
use wasmtime_wasi::random::{WasiRandom, WasiRandomView as _};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};
use wasmtime_wasi_tls::WasiTlsCtx;

use crate::container::files::Files;
use crate::container::limits::Limits;
use crate::container::program::Program;
use crate::container::{Setting, StartError};
use crate::engine::slice;
use http::Outgoing;
use sockets::Network;

/// Resources (open files, sockets, streams, pollables) of a guest at once.
const RESOURCES: usize = 32_768;

/// Bytes of the headers of one request or response.
const HEADERS: usize = 64 << 10;

/// Bytes that a guest may ask chance for in one call.
const RANDOM: u64 = 16 << 20;

/// Bytes that a guest may hand to the host in one call.
const HOSTCALL_BYTES: usize = 32 << 20;

/// A Store's data: one instance's side of the host.
pub(crate) struct Host {
    wasi: WasiCtx,
    /// What the directories are opened from, until they are.
    unopened: Option<Arc<Setting>>,
    http: WasiHttpCtx,
    table: ResourceTable,
    network: Network,
    outgoing: Outgoing,
    tls: WasiTlsCtx,
    setting: Arc<Setting>,
    program: Arc<Program>,
    pub(crate) limits: Limits,
    files: Files,
}

impl Host {
    pub(crate) fn new(setting: &Arc<Setting>, program: Arc<Program>) -> Result<Host, StartError> {
        let mut table = ResourceTable::new();
        table.set_max_capacity(RESOURCES);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(HEADERS);
        let plug = &setting.sandbox.plug;
        Ok(Host {
            wasi: wasi(&program),
            unopened: Some(setting.clone()),
            http,
            table,
            network: Network::new(plug.clone(), program.gate.clone()),
            outgoing: Outgoing::new(plug.clone(), setting.requests.clone()),
            tls: tls::context(plug.fabric()),
            files: Files::new(setting.files.clone()),
            limits: Limits::new(setting.memory.clone(), program.process.meter.clone()),
            setting: setting.clone(),
            program,
        })
    }

    /// The file system, its directories opened. Few instances ever ask for them: an HTTP handler is spared the system
    /// calls, an idle pod the descriptors.
    pub(crate) fn preopened(&mut self) -> WasiFilesystemCtxView<'_> {
        if let Some(setting) = self.unopened.take() {
            *self.wasi.filesystem() = preopens::open(&setting.spec);
        }
        self.filesystem()
    }

    /// Whether the guest may write so many bytes more into headers and the like.
    fn http_room(&mut self, bytes: usize) -> bool {
        self.outgoing.room(&mut self.table, bytes)
    }

    fn sockets(&mut self) -> sockets::View<'_> {
        sockets::View { network: &mut self.network, table: &mut self.table }
    }

    /// What it is an instance of.
    pub(crate) fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// A Store that yields at every tick and keeps to its limits.
    pub(crate) fn into_store(self) -> Store<Host> {
        let engine = self.program.guest.engine().clone();
        let mut store = Store::new(&engine, self);
        store.limiter(|host| &mut host.limits);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|_| {
            Ok(if slice::is_over() { UpdateDeadline::Yield(1) } else { UpdateDeadline::Continue(1) })
        });
        store.set_hostcall_fuel(HOSTCALL_BYTES);
        store
    }
}

fn wasi(program: &Program) -> WasiCtx {
    let mut wasi = WasiCtx::builder();
    wasi.max_random_size(RANDOM);
    wasi.args(&program.args).envs(&program.env);
    if let Some(dir) = &program.dir {
        wasi.initial_cwd(dir);
    }
    let streams = program.streams.clone();
    wasi.stdin(streams.stdin).stdout(streams.stdout).stderr(streams.stderr);
    wasi.build()
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Host {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        self.outgoing.look(&mut self.table);
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.outgoing }
    }
}

struct Table;

impl HasData for Table {
    type Data<'a> = &'a mut ResourceTable;
}

/// Everything that a guest of WASI 0.3 may import: one component may mix both versions.
pub(crate) fn concurrent_linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<Host>> {
    use wasmtime_wasi::p3::bindings::filesystem;

    let mut linker = linker(engine)?;
    let l = &mut linker;
    wasmtime_wasi::p3::cli::add_to_linker(l)?;
    wasmtime_wasi::p3::clocks::add_to_linker(l)?;
    filesystem::types::add_to_linker::<Host, WasiFilesystem>(l, Host::filesystem)?;
    files::concurrent::add_to_linker(l)?;
    filesystem::preopens::add_to_linker::<Host, WasiFilesystem>(l, Host::preopened)?;
    wasmtime_wasi::p3::random::add_to_linker(l)?;
    wasmtime_wasi_http::p3::add_to_linker(l)?;
    http::sized::add_concurrent_to_linker(l)?;
    sockets::concurrent::add_to_linker(l, Host::sockets)?;
    tls::add_concurrent_to_linker(l)?;
    Ok(linker)
}

/// Everything that a guest of WASI 0.2 may import, once for all guests. Handlers get the command's interfaces too: Rust's standard
/// library imports them everywhere.
pub(crate) fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<Host>> {
    use wasmtime_wasi::p2::bindings::{cli, clocks, filesystem, random};
    use wasmtime_wasi_io::bindings::wasi::io;

    let mut linker = Linker::new(engine);
    let l = &mut linker;
    io::error::add_to_linker::<Host, Table>(l, |host| &mut host.table)?;
    io::poll::add_to_linker::<Host, Table>(l, |host| &mut host.table)?;
    io::streams::add_to_linker::<Host, Table>(l, |host| &mut host.table)?;
    clocks::wall_clock::add_to_linker::<Host, WasiClocks>(l, Host::clocks)?;
    clocks::monotonic_clock::add_to_linker::<Host, WasiClocks>(l, Host::clocks)?;
    random::random::add_to_linker::<Host, WasiRandom>(l, Host::random)?;
    random::insecure::add_to_linker::<Host, WasiRandom>(l, Host::random)?;
    random::insecure_seed::add_to_linker::<Host, WasiRandom>(l, Host::random)?;
    filesystem::preopens::add_to_linker::<Host, WasiFilesystem>(l, Host::preopened)?;
    filesystem::types::add_to_linker::<Host, WasiFilesystem>(l, Host::filesystem)?;
    files::add_to_linker(l)?;
    cli::environment::add_to_linker::<Host, WasiCli>(l, Host::cli)?;
    cli::exit::add_to_linker::<Host, WasiCli>(l, Host::cli)?;
    cli::stdin::add_to_linker::<Host, WasiCli>(l, Host::cli)?;
    cli::stdout::add_to_linker::<Host, WasiCli>(l, Host::cli)?;
    cli::stderr::add_to_linker::<Host, WasiCli>(l, Host::cli)?;
    cli::terminal_input::add_to_linker::<Host, WasiCli>(l, Host::cli)?;
    cli::terminal_output::add_to_linker::<Host, WasiCli>(l, Host::cli)?;
    cli::terminal_stdin::add_to_linker::<Host, WasiCli>(l, Host::cli)?;
    cli::terminal_stdout::add_to_linker::<Host, WasiCli>(l, Host::cli)?;
    cli::terminal_stderr::add_to_linker::<Host, WasiCli>(l, Host::cli)?;
    sockets::add_to_linker(l, Host::sockets)?;
    processes::add_to_linker(l, |host| processes::View {
        table: &mut host.table,
        setting: &host.setting,
        program: &host.program,
    })?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(l)?;
    http::sized::add_to_linker(l)?;
    config::add_to_linker(l)?;
    logging::add_to_linker(l)?;
    keyvalue::add_to_linker(l)?;
    blobstore::add_to_linker(l)?;
    tls::add_to_linker(l)?;
    Ok(linker)
}
