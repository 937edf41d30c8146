//! The same for guests of WASI 0.3.

use wasmtime::component::{Accessor, Linker, Resource};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystem, WasiFilesystemView as _};
use wasmtime_wasi::p3::bindings::filesystem::types::{
    self, DescriptorFlags, ErrorCode, HostDescriptorWithStore, OpenFlags, PathFlags,
};

use super::{Host, OPEN_AT, file, listing};

type Where = (Resource<Descriptor>, PathFlags, String, OpenFlags, DescriptorFlags);
type Opened = Result<Resource<Descriptor>, ErrorCode>;

/// As wasmtime's own bindings call it.
const TYPES: &str = "wasi:filesystem/types@0.3.0";

/// Puts our functions in the place of wasmtime's. The others must be there already.
pub(in crate::host) fn add_to_linker(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let mut instance = linker.instance(TYPES)?;
    instance
        .func_wrap_concurrent(OPEN_AT, |store, at: Where| Box::pin(async move { Ok((open(store, at).await?,)) }))?;
    listing::concurrent::add_to_linker(&mut instance)?;
    linker.allow_shadowing(false);
    Ok(())
}

async fn open(store: &Accessor<Host>, at: Where) -> wasmtime::Result<Opened> {
    if !store.with(|mut store| store.get().files.promise()) {
        return Ok(Err(ErrorCode::Quota));
    }
    let (directory, path_flags, path, open_flags, flags) = at;
    let files = store.with_getter::<WasiFilesystem>(Host::filesystem);
    let opened = WasiFilesystem::open_at(&files, directory, path_flags, path, open_flags, flags).await;
    store.with(|mut store| {
        let host = store.get();
        match opened {
            Ok(descriptor) => {
                let file = file(host.table.get(&descriptor)?);
                host.files.opened(&file);
                Ok(Ok(descriptor))
            }
            Err(error) => {
                host.files.failed();
                types::Host::convert_error_code(&mut host.filesystem(), error).map(Err)
            }
        }
    })
}
