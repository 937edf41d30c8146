//! Where a container sees the pod's volumes.
//!
//! WASI knows directories only, each at a path of its own; a guest asks the one with the longest path that fits. So a
//! mount below another is simply one more directory, and its mount point is made in the outer one, as a container runtime
//! makes it, so that a listing shows it. A single file is shown through the directory around it: the outer mount where
//! there is one, else a directory of the container's own, in which the very file is linked.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use k8s_openapi::api::core::v1::{Container, Pod, VolumeMount};

use super::beneath::{self, Held};
use super::places::{make_private, plain};
use super::{Error, Site, is_read_only};
use crate::container::Mount;
use crate::pod::expand::expand;
use crate::pod::given::Given;

/// One of the container's mounts, opened.
struct Wanted {
    guest: PathBuf,
    held: Held,
    read_only: bool,
}

/// The mounts of one container, outer ones first. `own` is a directory for this container alone, made when needed. Blocks
/// on the disk.
pub fn mounts(
    pod: &Pod,
    container: &Container,
    variables: &BTreeMap<String, String>,
    given: &Given,
    site: Site<'_>,
    own: &Path,
) -> Result<Vec<Mount>, Error> {
    let mut wanted: BTreeMap<PathBuf, Wanted> = BTreeMap::new();
    for mount in container.volume_mounts.iter().flatten() {
        let one = one(pod, container, mount, variables, given, site)?;
        // Of two at one place the later hides the earlier.
        wanted.insert(one.guest.clone(), one);
    }
    let (directories, files): (Vec<_>, Vec<_>) = wanted.into_values().partition(|one| one.held.is_directory());
    make_mount_points(&directories);
    let mut shown = directories;
    show_files(files, &mut shown, own)?;
    shown.sort_by(|a, b| a.guest.cmp(&b.guest));
    Ok(shown.into_iter().map(mount_of).collect())
}

/// The directory of the container's own at this place, when there is one: what is in it are single files.
pub fn own_directory<'a>(mounts: &'a [Mount], guest: &str, own: &Path) -> Option<&'a Path> {
    let found = mounts.iter().find(|mount| mount.guest == guest)?;
    // A mount's path has no links in it.
    let files = fs::canonicalize(files_in(own)).ok()?;
    found.host.starts_with(files).then_some(&*found.host)
}

fn files_in(own: &Path) -> PathBuf {
    own.join("files")
}

fn mount_of(one: Wanted) -> Mount {
    Mount {
        host: one.held.path().to_owned(),
        guest: one.guest.to_string_lossy().into_owned(),
        read_only: one.read_only,
        pin: one.held.pin(),
    }
}

fn one(
    pod: &Pod,
    container: &Container,
    mount: &VolumeMount,
    variables: &BTreeMap<String, String>,
    given: &Given,
    site: Site<'_>,
) -> Result<Wanted, Error> {
    let defined = pod.spec.as_ref().and_then(|spec| spec.volumes.iter().flatten().find(|v| v.name == mount.name));
    let volume = defined.ok_or_else(|| Error::NoSuchVolume(mount.name.clone()))?;
    let whole = super::open(volume, pod, given, site)?;
    let held = match sub_path(mount, variables)? {
        Some(part) if part != Path::new("") => {
            let failed =
                |source| Error::SubPath { mount: mount.name.clone(), container: container.name.clone(), source };
            part_of(&whole, &part).map_err(failed)?
        }
        _ => whole,
    };
    let read_only = mount.read_only == Some(true) || is_read_only(volume);
    Ok(Wanted { guest: plain(Path::new(&mount.mount_path)), held, read_only })
}

/// A part of a volume; a directory where there is nothing.
fn part_of(whole: &Held, part: &Path) -> Result<Held, beneath::Error> {
    match whole.open(part) {
        Err(beneath::Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => whole.make(part, 0o755),
        opened => opened,
    }
}

fn sub_path(mount: &VolumeMount, variables: &BTreeMap<String, String>) -> Result<Option<PathBuf>, Error> {
    let missing = OnceCell::new();
    let sub = match (mount.sub_path_expr.as_deref(), mount.sub_path.as_deref()) {
        (Some(expression), _) if !expression.is_empty() => expand(expression, |name| {
            let found = variables.get(name).map(String::as_str);
            if found.is_none() {
                let _ = missing.set(name.to_owned());
            }
            found
        }),
        (_, Some(path)) => path.to_owned(),
        _ => return Ok(None),
    };
    if let Some(name) = missing.into_inner() {
        return Err(Error::Variable(name));
    }
    let inside = Path::new(&sub).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    let plain = |path: &Path| path.components().filter(|part| *part != Component::CurDir).collect();
    if inside { Ok(Some(plain(Path::new(&sub)))) } else { Err(Error::Path(sub)) }
}

/// The innermost of these directories that is around a path, and the way from there.
fn around<'a, 'b>(directories: &'a [Wanted], path: &'b Path) -> Option<(&'a Wanted, &'b Path)> {
    let outer = directories.iter().filter(|one| one.guest != path && path.starts_with(&one.guest));
    let inner = outer.max_by_key(|one| one.guest.components().count())?;
    Some((inner, path.strip_prefix(&inner.guest).ok()?))
}

/// Makes the places of inner mounts in outer ones. Where that can't be, the mount is there all the same, and a listing of
/// the outer one does not show it.
fn make_mount_points(directories: &[Wanted]) {
    for inner in directories {
        if let Some((outer, way)) = around(directories, &inner.guest)
            && !outer.read_only
            && let Err(error) = outer.held.make(way, 0o755)
        {
            tracing::debug!(mount = %inner.guest.display(), %error, "a mount point was not made");
        }
    }
}

/// Shows each file in the directory at its parent's place.
fn show_files(files: Vec<Wanted>, shown: &mut Vec<Wanted>, own: &Path) -> Result<(), Error> {
    let files_of = files_in(own);
    match fs::remove_dir_all(&files_of) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(Error::Io { path: files_of, source }),
        _ => {}
    }
    let mut parents: BTreeMap<PathBuf, Vec<(OsString, Wanted)>> = BTreeMap::new();
    for file in files {
        let (Some(parent), Some(name)) = (file.guest.parent(), file.guest.file_name()) else {
            return Err(refused(&file, "there is no name in the path"));
        };
        parents.entry(parent.to_owned()).or_default().push((name.to_owned(), file));
    }
    for (number, (guest, files)) in parents.into_iter().enumerate() {
        if let Some(outer) = shown.iter().find(|one| one.guest == guest) {
            for (name, file) in files {
                if outer.read_only {
                    return Err(refused(&file, "the volume around it is read-only"));
                }
                show(&file, &outer.held, Path::new(&name), false)?;
            }
            continue;
        }
        let path = files_of.join(number.to_string());
        make_private(&path).map_err(|source| Error::Io { path: path.clone(), source })?;
        let held = beneath::open(&path, Path::new(""))?;
        let read_only = files.iter().all(|(_, file)| file.read_only);
        for (name, file) in &files {
            show(file, &held, Path::new(name), read_only)?;
        }
        shown.push(Wanted { guest, held, read_only });
    }
    Ok(())
}

/// The very file, or a copy where only reading is wanted and the file is on another file system, or where a guest that may
/// write to the directory must not write to the file.
fn show(file: &Wanted, directory: &Held, name: &Path, read_only: bool) -> Result<(), Error> {
    directory.remove(name).map_err(|error| refused(file, &error.to_string()))?;
    let copy = || file.held.copy_into(directory, name).map_err(|error| refused(file, &error.to_string()));
    if file.read_only && !read_only {
        return copy();
    }
    match file.held.link_into(directory, name) {
        Ok(()) => Ok(()),
        Err(_) if file.read_only => copy(),
        Err(error) => Err(refused(
            file,
            &format!("{error}; a file that is written to has to be on the file system of the data directory"),
        )),
    }
}

fn refused(file: &Wanted, why: &str) -> Error {
    Error::File { path: file.held.path().to_owned(), guest: file.guest.display().to_string(), why: why.to_owned() }
}

#[cfg(test)]
mod tests;
