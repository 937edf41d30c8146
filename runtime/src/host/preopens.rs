//! The directories that a guest sees.
//!
//! They are looked at when the container starts, so that one that is missing is found then, and opened when an instance
//! first asks what it has.

use std::fs;

use wasmtime_wasi::filesystem::WasiFilesystemCtx;
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

use crate::container::{Mount, Spec, StartError};

/// Whether the container's directories can be opened.
pub(crate) fn check(spec: &Spec) -> Result<(), StartError> {
    for mount in &spec.mounts {
        let Mount { host, guest, .. } = mount;
        let looked = fs::read_dir(mount.source()).map(drop);
        looked.map_err(|error| StartError::Mount {
            host: host.clone(),
            guest: guest.clone(),
            reason: error.to_string(),
        })?;
    }
    Ok(())
}

/// Opens them. One that has gone since the container started is left out.
pub(super) fn open(spec: &Spec) -> WasiFilesystemCtx {
    let mut wasi = WasiCtxBuilder::new();
    let lazy = spec.lazy_mounts.iter().filter_map(|lazy| match (lazy.make)() {
        Ok(()) => Some(&lazy.mount),
        Err(error) => {
            tracing::warn!(path = %lazy.mount.host.display(), %error, "a directory for a guest could not be made");
            None
        }
    });
    for mount in spec.mounts.iter().chain(lazy) {
        let perms = if mount.read_only { FsPerms::ReadOnly } else { FsPerms::ReadWrite };
        if let Err(error) = wasi.preopened_dir(mount.source(), &mount.guest, perms) {
            tracing::warn!(path = %mount.host.display(), %error, "a guest's directory could not be opened");
        }
    }
    wasi.build().filesystem().clone()
}
