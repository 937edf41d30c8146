//! Where the node keeps volumes, and which of its paths pods may ask for.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};

/// File systems in memory, the best first.
const IN_MEMORY: [&str; 3] = ["/dev/shm", "/run/shm", "/run"];

/// The places of volumes on one node.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// Everything of the server's own: no `hostPath` shows it.
    data: PathBuf,
    /// What claims hold: `<data>/volumes`.
    claims: PathBuf,
    /// Below these pods may name paths of the host.
    roots: Vec<PathBuf>,
    /// Where volumes in memory are; none where the machine has no such file system.
    memory: Option<PathBuf>,
}

impl Places {
    /// The places of a node whose data is in `data`. Makes no directory yet.
    ///
    /// # Errors
    /// When `data` is not there.
    pub fn new(data: &Path, roots: &[PathBuf]) -> io::Result<Self> {
        let data = fs::canonicalize(data)?;
        // Two servers on one machine must not sweep each other's.
        let hash = format!("{:x}", Sha256::digest(data.as_os_str().as_encoded_bytes()));
        let name = format!("sampan-{}", &hash[..16]);
        let memory = IN_MEMORY.into_iter().map(Path::new).find(|path| is_in_memory(path) && is_writable(path));
        Ok(Self {
            claims: data.join("volumes"),
            roots: roots.iter().map(|root| plain(root)).collect(),
            memory: memory.map(|path| path.join(name)),
            data,
        })
    }

    /// The directory of a claim's volume, which its PersistentVolume names by its last part: a data directory may be
    /// moved with all that is in it.
    pub fn claim(&self, name: &str) -> PathBuf {
        self.claims.join(name)
    }

    /// Where the provisioner makes directories.
    pub fn claims(&self) -> &Path {
        &self.claims
    }

    /// The directory in memory of a pod's volumes.
    pub fn memory(&self, pod: &str) -> Option<PathBuf> {
        Some(self.memory.as_ref()?.join(pod))
    }

    /// The directory that holds those of all pods.
    pub fn all_memory(&self) -> Option<&Path> {
        self.memory.as_deref()
    }

    /// The root below which `path` is, and the way from there.
    pub fn root_of<'a>(&self, path: &'a Path) -> Option<(&Path, &'a Path)> {
        let found = self.roots.iter().filter_map(|root| Some((root.as_path(), path.strip_prefix(root).ok()?)));
        // The innermost root leaves the least of the way to those who may have put links there.
        found.min_by_key(|(_, rest)| rest.components().count())
    }

    /// The roots, as they are told to people.
    pub fn roots(&self) -> String {
        self.roots.iter().map(|root| root.display().to_string()).collect::<Vec<_>>().join(", ")
    }

    /// Whether somebody who sees this (real) path sees the server's own data.
    pub fn is_own(&self, path: &Path) -> bool {
        path.starts_with(&self.data) || self.data.starts_with(path)
    }
}

/// A path without `.`, `..` and doubled slashes, as far as can be said without looking.
pub fn plain(path: &Path) -> PathBuf {
    let mut out = PathBuf::from("/");
    for part in path.components() {
        match part {
            Component::Normal(name) => out.push(name),
            Component::ParentDir => drop(out.pop()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    out
}

/// Makes a directory that is nobody else's business.
pub fn make_private(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(target_os = "linux")]
fn is_in_memory(path: &Path) -> bool {
    const TMPFS: i128 = 0x0102_1994;
    rustix::fs::statfs(path).is_ok_and(|found| i128::from(found.f_type) == TMPFS)
}

#[cfg(not(target_os = "linux"))]
fn is_in_memory(_: &Path) -> bool {
    false
}

fn is_writable(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_root_counts_and_the_data_is_nobodys() {
        let data = tempfile::tempdir().expect("directory");
        let roots = ["/srv", "/srv/media/", "/var/../opt"].map(PathBuf::from);
        let places = Places::new(data.path(), &roots).expect("places");
        let root = |path: &str| places.root_of(Path::new(path)).map(|(root, rest)| (root.to_owned(), rest.to_owned()));
        assert_eq!(root("/srv/media/a/b"), Some(("/srv/media".into(), "a/b".into())));
        assert_eq!(root("/srv"), Some(("/srv".into(), "".into())));
        assert_eq!(root("/srvice"), None);
        assert_eq!(root("/opt/x"), Some(("/opt".into(), "x".into())));
        assert_eq!(places.roots(), "/srv, /srv/media, /opt");
        let real = fs::canonicalize(data.path()).expect("real");
        assert!(
            places.is_own(&real.join("pods")) && places.is_own(Path::new("/")) && !places.is_own(Path::new("/srv"))
        );
    }
}
