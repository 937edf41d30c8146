//! A folder of manifests: what is in it, and when that changes. Nothing is polled while it is there.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use rustix::fs::inotify::{self, CreateFlags, Reader, WatchFlags};
use rustix::io::Errno;
use tokio::io::unix::AsyncFd;
use tokio::time::sleep;

use super::manifest::{self, Invalid};

/// Longer files are not read.
const MOST: u64 = 1 << 20;
/// An editor writes a file in several steps.
const SETTLE: Duration = Duration::from_millis(100);
/// How often a folder that is not there is looked for.
const RETRY: Duration = Duration::from_secs(20);

/// What was found: the pods by file, and the files that hold none.
#[derive(Debug, Default)]
pub struct Found {
    /// Pods.
    pub pods: BTreeMap<PathBuf, Pod>,
    /// Files that were passed over.
    pub invalid: BTreeMap<PathBuf, Invalid>,
}

/// Reads all manifests of a folder. Hidden files and folders in it are passed over, as kubelets do. Blocks on the disk.
pub fn read(folder: &Path, node: &str) -> io::Result<Found> {
    let mut found = Found::default();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
        let Some(file) = fs::metadata(&path).ok().filter(|file| !hidden && file.is_file()) else { continue };
        let text = match file.len() {
            long if long > MOST => Err(Invalid::Long(MOST)),
            _ => fs::read_to_string(&path).map_err(|error| Invalid::Unreadable(error.to_string())),
        };
        match text.and_then(|text| manifest::parse(&text, node)) {
            Ok(pod) => drop(found.pods.insert(path, pod)),
            Err(error) => drop(found.invalid.insert(path, error)),
        }
    }
    Ok(found)
}

/// Tells of changes in a folder.
pub struct Watch {
    folder: PathBuf,
    fd: Option<AsyncFd<OwnedFd>>,
}

impl Watch {
    /// Of this folder, whether it is there or not.
    pub fn new(folder: PathBuf) -> Self {
        Self { fd: None, folder }
    }

    /// Waits until something has changed. The first time, and as long as the folder cannot be watched, that is soon.
    pub async fn changed(&mut self) {
        let Some(fd) = &self.fd else {
            match open(&self.folder) {
                Ok(fd) => self.fd = Some(fd),
                Err(error) => {
                    tracing::warn!(folder = %self.folder.display(), %error, "the folder of static pods cannot be watched");
                    sleep(RETRY).await;
                }
            }
            return;
        };
        let seen = loop {
            let Ok(mut ready) = fd.readable().await else { break Seen::Gone };
            match drain(fd.get_ref()) {
                Seen::Nothing => ready.clear_ready(),
                seen => break seen,
            }
        };
        sleep(SETTLE).await;
        if let Seen::Gone = seen {
            self.fd = None;
        }
    }
}

enum Seen {
    Nothing,
    Something,
    /// The folder itself.
    Gone,
}

fn open(folder: &Path) -> io::Result<AsyncFd<OwnedFd>> {
    let fd = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
    let all = WatchFlags::CLOSE_WRITE
        | WatchFlags::CREATE
        | WatchFlags::DELETE
        | WatchFlags::MOVED_FROM
        | WatchFlags::MOVED_TO
        | WatchFlags::DELETE_SELF
        | WatchFlags::MOVE_SELF
        | WatchFlags::ONLYDIR;
    inotify::add_watch(&fd, folder, all)?;
    watched(fd)
}

#[expect(deprecated, reason = "its successor is unsafe; nobody but the AsyncFd has this descriptor, or ever closes it")]
fn watched(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::new(fd)
}

fn drain(fd: &OwnedFd) -> Seen {
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut reader = Reader::new(fd, &mut buffer);
    let mut seen = Seen::Nothing;
    loop {
        match reader.next() {
            Ok(event) => {
                let gone =
                    inotify::ReadFlags::DELETE_SELF | inotify::ReadFlags::MOVE_SELF | inotify::ReadFlags::IGNORED;
                match seen {
                    Seen::Gone => {}
                    _ if event.events().intersects(gone) => seen = Seen::Gone,
                    _ => seen = Seen::Something,
                }
            }
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return seen,
            Err(_) => return Seen::Gone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POD: &str = "{kind: Pod, apiVersion: v1, metadata: {name: a}, spec: {containers: [{name: c, image: i}]}}";

    #[test]
    fn manifests_are_read_and_bad_ones_told() {
        let folder = tempfile::tempdir().expect("folder");
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("write");
        write("a.yaml", POD);
        write(".hidden.yaml", POD);
        write("b.json", "{");
        fs::create_dir(folder.path().join("deeper")).expect("folder");
        let found = read(folder.path(), "pi").expect("read");
        assert_eq!(found.pods.len(), 1);
        assert_eq!(found.invalid.into_keys().collect::<Vec<_>>(), [folder.path().join("b.json")]);
    }

    #[tokio::test]
    async fn a_new_file_is_noticed() {
        let folder = tempfile::tempdir().expect("folder");
        let mut watch = Watch::new(folder.path().to_owned());
        watch.changed().await;
        fs::write(folder.path().join("a.yaml"), POD).expect("write");
        tokio::time::timeout(Duration::from_secs(5), watch.changed()).await.expect("noticed");
        assert!(tokio::time::timeout(SETTLE * 3, watch.changed()).await.is_err(), "and nothing since");
    }
}
