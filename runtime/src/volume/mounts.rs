//! Where a container sees the pod's volumes.
//!
//! WASI knows directories only. A `subPath` that is a file is shown through a directory of its own, in which it is
//! linked (or copied, when it is itself a link into a live volume, which `subPath` never follows in Kubernetes either).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use k8s_openapi::api::core::v1::{Container, Pod, VolumeMount};

use super::{Error, is_live};
use crate::container::Mount;
use crate::pod::expand::expand;

/// The mounts of one container. `volumes` holds the pod's volumes by name; `own` is a directory for this container
/// alone, made when needed. Blocks on the disk.
pub fn mounts(
    pod: &Pod,
    container: &Container,
    variables: &BTreeMap<String, String>,
    volumes: &Path,
    own: &Path,
) -> Result<Vec<Mount>, Error> {
    let mut mounts: Vec<Mount> = Vec::new();
    for (index, wanted) in container.volume_mounts.iter().flatten().enumerate() {
        let defined = pod.spec.as_ref().and_then(|spec| spec.volumes.iter().flatten().find(|v| v.name == wanted.name));
        let volume = defined.ok_or_else(|| Error::NoSuchVolume(wanted.name.clone()))?;
        let read_only = wanted.read_only == Some(true) || is_live(volume);
        let host = sub_path(wanted, variables, volumes.join(&wanted.name))?;
        if host.is_file() {
            file_mount(wanted, &host, read_only, &own.join(index.to_string()), &mut mounts)?;
        } else {
            if !is_live(volume) {
                fs::create_dir_all(&host).map_err(|source| Error::Io { path: host.clone(), source })?;
            }
            mounts.push(Mount { host, guest: wanted.mount_path.clone(), read_only });
        }
    }
    Ok(mounts)
}

fn sub_path(mount: &VolumeMount, variables: &BTreeMap<String, String>, root: PathBuf) -> Result<PathBuf, Error> {
    let sub = match (&mount.sub_path_expr, &mount.sub_path) {
        (Some(expression), _) => expand(expression, |name| variables.get(name).map(String::as_str)),
        (None, Some(path)) => path.clone(),
        (None, None) => return Ok(root),
    };
    let inside = Path::new(&sub).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if inside { Ok(root.join(sub)) } else { Err(Error::Path(sub)) }
}

/// Shows one file at `mountPath`: several files of one directory share one mount.
fn file_mount(
    mount: &VolumeMount,
    host: &Path,
    read_only: bool,
    own: &Path,
    mounts: &mut Vec<Mount>,
) -> Result<(), Error> {
    let target = Path::new(&mount.mount_path);
    let (Some(parent), Some(name)) = (target.parent(), target.file_name()) else {
        return Err(Error::Path(mount.mount_path.clone()));
    };
    let guest = parent.to_string_lossy().into_owned();
    let shared = mounts.iter().find(|other| other.guest == guest && own.parent() == other.host.parent());
    let directory = shared.map_or_else(|| own.to_owned(), |other| other.host.clone());
    let fill = || {
        fs::create_dir_all(&directory)?;
        let place = directory.join(name);
        let _ = fs::remove_file(&place);
        let linked = fs::symlink_metadata(host)?.is_file() && fs::hard_link(host, &place).is_ok();
        if linked { Ok(()) } else { fs::copy(host, &place).map(drop) }
    };
    fill().map_err(|source| Error::Io { path: directory.clone(), source })?;
    if shared.is_none() {
        mounts.push(Mount { host: directory, guest, read_only });
    }
    Ok(())
}
