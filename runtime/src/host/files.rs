//! Opening files and [listing](listing) directories, within the container's [quota](crate::container::files): the
//! functions of `wasi:filesystem` that are not wasmtime's as they stand. WASI has no word for "too many open files"; a
//! guest is told of a quota (`EDQUOT`).

pub(super) mod concurrent;
mod listing;

use std::fs::File;
use std::sync::Arc;

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemView as _};
use wasmtime_wasi::p2::bindings::filesystem::types::{
    self, DescriptorFlags, ErrorCode, HostDescriptor as _, OpenFlags, PathFlags,
};

use super::Host;

type Where = (Resource<Descriptor>, PathFlags, String, OpenFlags, DescriptorFlags);
type Opened = Result<Resource<Descriptor>, ErrorCode>;

/// Puts our functions in the place of wasmtime's. The others must be there already.
pub(super) fn add_to_linker(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let mut instance = linker.instance(TYPES)?;
    instance.func_wrap_async(OPEN_AT, |store, at: Where| Box::new(async move { Ok((open(store, at).await?,)) }))?;
    listing::add_to_linker(&mut instance)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// As wasmtime's own bindings call it.
const TYPES: &str = "wasi:filesystem/types@0.2.12";

const OPEN_AT: &str = "[method]descriptor.open-at";

async fn open(mut store: StoreContextMut<'_, Host>, at: Where) -> wasmtime::Result<Opened> {
    let host = store.data_mut();
    if !host.files.promise() {
        return Ok(Err(ErrorCode::Quota));
    }
    let (directory, path_flags, path, open_flags, flags) = at;
    let opened = host.filesystem().open_at(directory, path_flags, path, open_flags, flags).await;
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
}

fn file(descriptor: &Descriptor) -> Arc<File> {
    match descriptor {
        Descriptor::File(file) => Arc::clone(&file.file),
        Descriptor::Dir(dir) => Arc::clone(&dir.dir),
    }
}
