//! A directory that lives as long as its pod. `medium: Memory` is a directory like the others, and `sizeLimit` is
//! not held: WASI has no quotas, and a file system in memory would need root.

use std::fs;
use std::path::Path;

use super::Error;

/// Makes the directory, or finds it as the pod's last container left it.
pub fn provide(directory: &Path) -> Result<(), Error> {
    fs::create_dir_all(directory).map_err(|source| Error::Io { path: directory.to_owned(), source })
}
