//! A pod's volumes: directories under the pod's own, or elsewhere on the node, ready before its first container starts.
//!
//! One file a source. Those whose content comes from the API make a list of files, and [`payload`] writes it so that a
//! reader sees all of the old content or all of the new; they are written again when what they come from changes. The
//! others are [found](open): on disk, in memory, below a root that the node's owner allows, behind a claim.

pub(crate) mod beneath;
pub mod claim;
pub mod config_map;
pub mod downward_api;
pub mod empty_dir;
pub mod host_path;
pub mod image;
pub mod mounts;
pub mod payload;
pub mod places;
pub mod projected;
pub mod secret;

use std::io;
use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::{EmptyDirVolumeSource, KeyToPath, Pod, Volume};

use crate::image::PullError;
use crate::pod::downward;
use crate::pod::given::Given;
use beneath::Held;
use payload::File;
use places::Places;

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
    /// An emptyDir in memory where there is no such place.
    #[error("emptyDir medium Memory: this machine has no writable tmpfs at /dev/shm, /run/shm or /run")]
    NoMemory,
    /// An emptyDir on something else.
    #[error("unknown storage medium {0:?}")]
    Medium(String),
    /// A path of the host.
    #[error(transparent)]
    HostPath(#[from] host_path::Error),
    /// An image.
    #[error(transparent)]
    Image(#[from] PullError),
    /// A claim.
    #[error(transparent)]
    Claim(#[from] claim::Error),
    /// The part of the volume that a container wants.
    #[error("failed to prepare subPath for volumeMount {mount:?} of container {container:?}: {source}")]
    SubPath {
        /// The volume's name.
        mount: String,
        /// The container's.
        container: String,
        /// The cause.
        source: beneath::Error,
    },
    /// A variable that a subPathExpr uses and nobody has.
    #[error("missing value for {0:?}")]
    Variable(String),
    /// A file that can't be shown where it is wanted.
    #[error("cannot show the file {path} at {guest}: {why}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Where it is wanted.
        guest: String,
        /// What is in the way.
        why: String,
    },
    /// What is below a directory.
    #[error(transparent)]
    Beneath(#[from] beneath::Error),
    /// The disk said no.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// What is behind a pod's volumes and not on this node's disk from the first: found before the pod is made.
#[derive(Clone, Debug, Default)]
pub struct Elsewhere {
    /// What claims are bound to.
    pub claims: claim::Bound,
    /// Images, pulled.
    pub images: image::Unpacked,
}

/// The node's places, and the directory of one pod's volumes.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// The node's.
    pub places: &'a Places,
    /// The pod's, in which each volume has a directory by its name.
    pub directory: &'a Path,
}

/// Makes or renews one volume. Blocks on the disk.
pub fn provide(volume: &Volume, pod: &Pod, given: &Given, site: Site<'_>) -> Result<(), Error> {
    if let Some(files) = files(volume, pod, given)? {
        return payload::write(&site.directory.join(&volume.name), &files);
    }
    if let Some(directory) = empty_dir(volume, pod, site)? {
        return empty_dir::provide(&directory);
    }
    open(volume, pod, given, site).map(drop)
}

/// Opens what a volume shows. Blocks on the disk.
pub fn open(volume: &Volume, pod: &Pod, given: &Given, site: Site<'_>) -> Result<Held, Error> {
    let own = |path: &Path| Ok(beneath::open(path, Path::new(""))?);
    if is_live(volume) {
        own(&site.directory.join(&volume.name))
    } else if let Some(source) = &volume.host_path {
        Ok(host_path::open(source, site.places)?)
    } else if claim::name(pod, volume).is_some() {
        let bound = given.elsewhere.claims.get(&volume.name).ok_or(claim::Error::NotBound)?;
        Ok(claim::open(bound, site.places)?)
    } else if volume.image.is_some() {
        let path = given.elsewhere.images.get(&volume.name);
        own(path.ok_or_else(|| Error::NoSuchVolume(volume.name.clone()))?)
    } else if let Some(directory) = empty_dir(volume, pod, site)? {
        own(&directory)
    } else {
        Err(Error::Unsupported(unsupported(volume).unwrap_or("unknown")))
    }
}

/// The directory of an emptyDir; None for other sources. No source at all is an emptyDir.
fn empty_dir(volume: &Volume, pod: &Pod, site: Site<'_>) -> Result<Option<PathBuf>, Error> {
    let none = EmptyDirVolumeSource::default();
    let source = match &volume.empty_dir {
        Some(source) => source,
        None if is_sourceless(volume) => &none,
        None => return Ok(None),
    };
    empty_dir::locate(source, pod, &volume.name, site.places, site.directory.join(&volume.name)).map(Some)
}

fn is_sourceless(volume: &Volume) -> bool {
    *volume == Volume { name: volume.name.clone(), ..Volume::default() }
}

/// Whether the content comes from objects that may change.
pub fn is_live(volume: &Volume) -> bool {
    volume.config_map.is_some()
        || volume.secret.is_some()
        || volume.projected.is_some()
        || volume.downward_api.is_some()
}

/// Whether no container may write to it, whatever its mounts say.
pub fn is_read_only(volume: &Volume) -> bool {
    is_live(volume)
        || volume.image.is_some()
        || volume.persistent_volume_claim.as_ref().and_then(|claim| claim.read_only) == Some(true)
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
        ("csi", volume.csi.is_some()),
        ("nfs", volume.nfs.is_some()),
        ("iscsi", volume.iscsi.is_some()),
        ("gitRepo", volume.git_repo.is_some()),
        ("fc", volume.fc.is_some()),
        ("rbd", volume.rbd.is_some()),
        ("cephfs", volume.cephfs.is_some()),
        ("awsElasticBlockStore", volume.aws_elastic_block_store.is_some()),
        ("gcePersistentDisk", volume.gce_persistent_disk.is_some()),
        ("azureDisk", volume.azure_disk.is_some()),
        ("azureFile", volume.azure_file.is_some()),
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
