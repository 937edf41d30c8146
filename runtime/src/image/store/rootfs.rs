//! Images as directories: what their layers make when they are laid over each other.
//!
//! `rootfs/<manifest>` is made in a directory beside it and renamed when it is complete and on the disk. Nothing is ever
//! changed in it afterwards: guests see it read-only.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use sha2::{Digest as _, Sha256};

use super::unpack::{Budget, UnpackLayer as _, clean};
use super::{Error, Image, Module, Store, at, unless_missing};
use crate::image::config::Config;
use crate::image::digest::Digest;
use crate::image::layout::{self, Content};
use crate::image::manifest::{MAX_MANIFEST, Manifest, media};
use crate::image::platform::Purpose;

/// Where a program is looked for when the image does not say.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/";
/// What names a layer that is a file by itself.
const TITLE: &str = "org.opencontainers.image.title";

impl Store {
    /// The files of an image, as a directory to read from: its layers unpacked, or the files that they are. None when
    /// it is not here, or not whole.
    pub fn rootfs(&self, digest: &Digest) -> Result<Option<PathBuf>, Error> {
        let Some((digest, manifest)) = self.find_manifest(digest, Purpose::Volume)? else { return Ok(None) };
        let Some(config) = self.read_blob(&manifest.config.digest, MAX_MANIFEST)? else { return Ok(None) };
        match layout::content(&manifest, &config, Purpose::Volume)?.0 {
            Content::Files { diff_ids } => self.unpacked(&digest, &manifest, &diff_ids),
            Content::Wasm(_) | Content::Artifact => self.make_rootfs(&digest, |place| self.link(&manifest, place)),
        }
    }

    /// The directory of an image of tar layers, made when it is not there.
    pub(super) fn unpacked(
        &self,
        digest: &Digest,
        manifest: &Manifest,
        diff_ids: &[String],
    ) -> Result<Option<PathBuf>, Error> {
        self.make_rootfs(digest, |place| {
            let root = Dir::open_ambient_dir(place, ambient_authority()).map_err(at(place))?;
            let mut budget = Budget::default();
            for (index, layer) in manifest.layers.iter().enumerate() {
                let path = self.blob_path(&layer.digest);
                let file = match File::open(&path) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
                    file => file.map_err(at(&path))?,
                };
                let expected = diff_ids.get(index).filter(|_| diff_ids.len() == manifest.layers.len());
                root.unpack_layer(file, expected.map(String::as_str), &mut budget)?;
            }
            Ok(true)
        })
    }

    /// Layers that are files by themselves: the blobs under their titles.
    fn link(&self, manifest: &Manifest, place: &Path) -> Result<bool, Error> {
        for layer in &manifest.layers {
            let title = layer.annotations.as_ref().and_then(|annotations| annotations.get(TITLE));
            let name = match title.map(|title| clean(Path::new(title))).transpose()? {
                Some(name) if name != Path::new("") => name,
                _ if media::is_wasm_layer(&layer.media_type) => PathBuf::from("module.wasm"),
                _ => PathBuf::from(layer.digest.hex()),
            };
            let target = place.join(name);
            if let Some(parent) = target.parent() {
                fs::create_dir_all(parent).map_err(at(parent))?;
            }
            match fs::hard_link(self.blob_path(&layer.digest), &target) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
                // Two layers of one title: the first stays.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                linked => linked.map_err(at(&target))?,
            }
        }
        Ok(true)
    }

    fn make_rootfs(
        &self,
        digest: &Digest,
        fill: impl FnOnce(&Path) -> Result<bool, Error>,
    ) -> Result<Option<PathBuf>, Error> {
        let all = self.root.join("rootfs");
        let path = all.join(digest.hex());
        if path.is_dir() {
            return Ok(Some(path));
        }
        fs::create_dir_all(&all).map_err(at(&all))?;
        let place = tempfile::Builder::new().prefix(".making-").tempdir_in(&all).map_err(at(&all))?;
        if !fill(place.path())? {
            return Ok(None);
        }
        let synced = File::open(place.path()).and_then(|directory| Ok(rustix::fs::syncfs(directory)?));
        synced.map_err(at(place.path()))?;
        match fs::rename(place.path(), &path) {
            Ok(()) => {}
            // Somebody was faster; it is the same.
            Err(_) if path.is_dir() => {}
            Err(error) => return Err(at(&path)(error)),
        }
        Ok(Some(path))
    }

    pub(super) fn remove_rootfs(&self, digest: &Digest) -> Result<(), Error> {
        let path = self.root.join("rootfs").join(digest.hex());
        fs::remove_dir_all(&path).or_else(unless_missing).map_err(at(&path))
    }

    /// The program of an image of files.
    pub(super) fn program(&self, rootfs: &Path, config: &Config) -> Result<Module, Error> {
        let Some(name) = config.entrypoint.first().or(config.cmd.first()) else {
            return Err(Error::NoProgram(String::new()));
        };
        find(rootfs, config, name)?.ok_or_else(|| Error::NoProgram(name.clone()))
    }

    /// The program that `command` means in an image of files, as a container runtime would find it. None when the image
    /// has no such WebAssembly file.
    pub fn find_program(&self, image: &Image, command: &str) -> Result<Option<Module>, Error> {
        match &image.rootfs {
            Some(rootfs) => find(rootfs, &image.config, command),
            None => Ok(None),
        }
    }
}

fn find(rootfs: &Path, config: &Config, name: &str) -> Result<Option<Module>, Error> {
    let root = Dir::open_ambient_dir(rootfs, ambient_authority()).map_err(at(rootfs))?;
    for candidate in candidates(config, name) {
        // Links are followed within the root, and lead nowhere outside it.
        let Ok(inside) = root.canonicalize(&candidate) else { continue };
        let path = rootfs.join(inside);
        let Ok(mut file) = root.open(&candidate) else { continue };
        let mut head = Vec::with_capacity(4);
        if !file.metadata().is_ok_and(|found| found.is_file()) || file.by_ref().take(4).read_to_end(&mut head).is_err()
        {
            continue;
        }
        if head != b"\0asm" {
            continue;
        }
        let mut hash = Sha256::new();
        hash.update(&head);
        let mut chunk = vec![0; 64 << 10];
        loop {
            match file.read(&mut chunk).map_err(at(&path))? {
                0 => return Ok(Some(Module { path, digest: Digest::finish(hash) })),
                filled => hash.update(&chunk[..filled]),
            }
        }
    }
    Ok(None)
}

/// Where a name may lead, relative to the root.
fn candidates(config: &Config, name: &str) -> Vec<PathBuf> {
    let inside = |path: &str| -> PathBuf {
        Path::new(path)
            .components()
            .filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir))
            .collect()
    };
    let directory = config.working_dir.as_deref().unwrap_or("/");
    if name.starts_with('/') {
        return vec![inside(name)];
    }
    let mut candidates = vec![inside(directory).join(inside(name))];
    if !name.contains('/') {
        let path = config.env.iter().rev().find(|(key, _)| key == "PATH").map_or(PATH, |(_, value)| value);
        candidates.extend(path.split(':').map(|directory| inside(directory).join(name)));
    }
    candidates
}
