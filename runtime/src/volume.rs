//! A pod's volumes: directories under the pod's own, filled before its first container starts.
//!
//! One file a source. Those whose content comes from the API make a list of files, and [`payload`] writes it so that a
//! reader sees all of the old content or all of the new. ConfigMaps, Secrets and projections are written again when
//! what they come from changes.

pub mod config_map;
pub mod downward_api;
pub mod empty_dir;
pub mod mounts;
pub mod payload;
pub mod projected;
pub mod secret;

use std::io;
use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::{KeyToPath, Pod, Volume};

use crate::pod::downward;
use crate::pod::given::Given;
use payload::File;

/// Why a volume is not there: the message of a `FailedMount` event.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What it shows does not exist.
    #[error("{kind} {name:?} not found")]
    Missing {
        /// `configmap` or `secret`.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// It lists a key that does not exist.
    #[error("{kind} references non-existent {what} key: {key}")]
    Key {
        /// `configmap` or `secret`.
        kind: &'static str,
        /// `config` or `secret`.
        what: &'static str,
        /// What is lacking.
        key: String,
    },
    /// A path that leaves the volume.
    #[error("invalid path {0:?}: must be relative and without '..'")]
    Path(String),
    /// A token was not given.
    #[error("failed to fetch token: {0}")]
    Token(String),
    /// The downward API.
    #[error(transparent)]
    Downward(#[from] downward::Error),
    /// A source this node does not have.
    #[error("{0} volumes are not supported")]
    Unsupported(&'static str),
    /// A volumeMount that names no volume.
    #[error("volume {0:?} not found")]
    NoSuchVolume(String),
    /// The disk said no.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// Makes or renews one volume in `directory`. Blocks on the disk.
pub fn provide(volume: &Volume, pod: &Pod, given: &Given, directory: &Path) -> Result<(), Error> {
    if let Some(files) = files(volume, pod, given)? {
        return payload::write(directory, &files);
    }
    match unsupported(volume) {
        Some(source) => Err(Error::Unsupported(source)),
        // No source at all is an emptyDir.
        None => empty_dir::provide(directory),
    }
}

/// Whether the content comes from objects that may change.
pub fn is_live(volume: &Volume) -> bool {
    volume.config_map.is_some()
        || volume.secret.is_some()
        || volume.projected.is_some()
        || volume.downward_api.is_some()
}

/// The content of a volume that comes from the API; None for the others.
fn files(volume: &Volume, pod: &Pod, given: &Given) -> Result<Option<Vec<File>>, Error> {
    Ok(Some(if let Some(source) = &volume.config_map {
        config_map::files(source, given)?
    } else if let Some(source) = &volume.secret {
        secret::files(source, given)?
    } else if let Some(source) = &volume.downward_api {
        downward_api::files(source.items.as_deref(), source.default_mode, pod, given)?
    } else if let Some(source) = &volume.projected {
        projected::files(&volume.name, source, pod, given)?
    } else {
        return Ok(None);
    }))
}

fn unsupported(volume: &Volume) -> Option<&'static str> {
    let sources = [
        ("hostPath", volume.host_path.is_some()),
        ("persistentVolumeClaim", volume.persistent_volume_claim.is_some()),
        ("ephemeral", volume.ephemeral.is_some()),
        ("csi", volume.csi.is_some()),
        ("image", volume.image.is_some()),
        ("nfs", volume.nfs.is_some()),
        ("iscsi", volume.iscsi.is_some()),
        ("gitRepo", volume.git_repo.is_some()),
    ];
    sources.into_iter().find(|(_, present)| *present).map(|(name, _)| name)
}

/// The chosen keys of a map as files, or all of them.
fn choose<V: AsRef<[u8]>>(
    kind: &'static str,
    what: &'static str,
    content: &[(&String, V)],
    items: Option<&[KeyToPath]>,
    mode: Option<i32>,
    optional: bool,
) -> Result<Vec<File>, Error> {
    let mode = mode.unwrap_or(payload::DEFAULT_MODE);
    let Some(items) = items.filter(|items| !items.is_empty()) else {
        return content.iter().map(|(key, value)| File::new(key, value.as_ref(), mode)).collect();
    };
    let mut files = Vec::with_capacity(items.len());
    for item in items {
        match content.iter().find(|(key, _)| **key == item.key) {
            Some((_, value)) => files.push(File::new(&item.path, value.as_ref(), item.mode.unwrap_or(mode))?),
            None if optional => {}
            None => return Err(Error::Key { kind, what, key: item.key.clone() }),
        }
    }
    Ok(files)
}
