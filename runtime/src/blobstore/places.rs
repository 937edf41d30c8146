//! Which buckets a container has.

use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use k8s_openapi::api::core::v1::Container;

use super::name::is_bucket;
use super::{Bucket, Error};
use crate::container::Mount;
use crate::container::files::Quota;
use crate::volume::places::plain;

/// The volume in which guests make buckets of their own.
pub const HOME: &str = "blobstore";

/// Where every pod has its token. It is no bucket, so that a pod without volumes has none.
const TOKENS: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// A volume, as a container mounts it.
#[derive(Debug, Clone)]
pub struct Place {
    /// The volume's name.
    pub name: String,
    /// The directory, and whether it may be written to.
    pub mount: Mount,
}

/// The volumes that a container mounts as directories. Of several mounts of one volume the first counts.
pub fn of_mounts(container: &Container, mounts: &[Mount]) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    for wanted in container.volume_mounts.iter().flatten() {
        let path = plain(Path::new(&wanted.mount_path));
        let mount = mounts.iter().find(|mount| Path::new(&mount.guest) == path && path != Path::new(TOKENS));
        if let Some(mount) = mount
            && places.iter().all(|place| place.name != wanted.name)
        {
            places.push(Place { name: wanted.name.clone(), mount: mount.clone() });
        }
    }
    places
}

/// The buckets of one container. All of it blocks on the disk.
#[derive(Debug)]
pub(crate) struct Buckets {
    places: Vec<Place>,
    files: Quota,
}

impl Buckets {
    pub(crate) fn new(places: Vec<Place>, files: Quota) -> Buckets {
        Buckets { places, files }
    }

    pub(crate) fn open(&self, name: &str) -> Result<Bucket, Error> {
        if let Some(place) = self.volume(name) {
            return self.bucket(name, root(place)?, place.mount.read_only);
        }
        let Some((home, root)) = self.home().filter(|_| is_bucket(name)).map(|home| (home, root(home))) else {
            return Err(Error::NoBucket(name.to_owned()));
        };
        match root?.open_dir(name) {
            Ok(dir) => self.bucket(name, dir, home.mount.read_only),
            Err(_) => Err(Error::NoBucket(name.to_owned())),
        }
    }

    pub(crate) fn create(&self, name: &str) -> Result<Bucket, Error> {
        if self.volume(name).is_some() {
            return Err(Error::Exists(name.to_owned()));
        }
        match self.own(name)?.create_dir(name) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(Error::Exists(name.to_owned())),
            made => made.map_err(Error::Io).and_then(|()| self.open(name)),
        }
    }

    pub(crate) fn exists(&self, name: &str) -> Result<bool, Error> {
        match self.open(name) {
            Ok(_) => Ok(true),
            Err(Error::NoBucket(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// A bucket that may be removed. It has to be [emptied](Bucket::clear_some) first.
    pub(crate) fn removable(&self, name: &str) -> Result<Bucket, Error> {
        match self.volume(name) {
            Some(_) => Err(Error::Volume(name.to_owned())),
            None => self.own(name).and_then(|_| self.open(name)),
        }
    }

    /// Removes an empty one.
    pub(crate) fn remove(&self, name: &str) -> Result<(), Error> {
        self.own(name)?.remove_dir(name).map_err(Error::Io)
    }

    /// Any that can be written to: where a value waits that nobody has said the place of.
    pub(super) fn writable(&self) -> Result<Bucket, Error> {
        let place = self.places.iter().find(|place| !place.mount.read_only);
        let place = place.ok_or_else(|| Error::ReadOnly("all".to_owned()))?;
        self.bucket(&place.name, root(place)?, false)
    }

    fn volume(&self, name: &str) -> Option<&Place> {
        self.places.iter().find(|place| place.name == name && name != HOME)
    }

    fn home(&self) -> Option<&Place> {
        self.places.iter().find(|place| place.name == HOME)
    }

    /// The directory for a bucket that the guest makes or removes.
    fn own(&self, name: &str) -> Result<Dir, Error> {
        let home = self.home().ok_or(Error::NoHome)?;
        match (is_bucket(name), home.mount.read_only) {
            (false, _) => Err(Error::BucketName),
            (_, true) => Err(Error::ReadOnly(HOME.to_owned())),
            _ => root(home),
        }
    }

    fn bucket(&self, name: &str, dir: Dir, read_only: bool) -> Result<Bucket, Error> {
        Bucket::new(name, dir, read_only, &self.files)
    }
}

fn root(place: &Place) -> Result<Dir, Error> {
    Ok(Dir::open_ambient_dir(place.mount.source(), ambient_authority())?)
}
