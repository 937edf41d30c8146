//! What containers print, kept as a kubelet keeps it and read back as `kubectl logs` asks.
//!
//! One file per container instance, in the CRI format, under
//! `<data>/logs/pods/<namespace>_<name>_<uid>/<container>/<instance>.log`. A guest's write only appends to memory;
//! one task writes the files in batches and wakes those who follow. No file is open between batches, so ten
//! thousand quiet pods cost no file descriptors. A file is turned over at [`sink::MAX_FILE`] and one old file is
//! kept beside it. There is no fsync: a log lost in a power cut is not worth the wear of the card.

mod cri;
mod query;
mod reader;
mod sink;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use cri::Channel;
pub use query::{InvalidQuery, Query};
pub use reader::{Source, stream};
pub use sink::{Sink, Writer};

/// The logs of this node's pods.
#[derive(Clone, Debug)]
pub struct Logs {
    root: Arc<Path>,
    writer: Writer,
}

impl Logs {
    /// Logs under `<data>/logs/pods`. Starts the writing task, which ends with the last clone.
    pub fn new(data: &Path) -> Self {
        Self { root: data.join("logs/pods").into(), writer: Writer::spawn() }
    }

    /// The directory of one pod.
    pub fn pod_directory(&self, namespace: &str, name: &str, uid: &str) -> PathBuf {
        self.root.join(format!("{namespace}_{name}_{uid}"))
    }

    /// A place for one instance's output. Older instances than the one before it are removed.
    pub fn open(&self, pod: &Path, container: &str, instance: u32) -> io::Result<Arc<Sink>> {
        let directory = pod.join(container);
        fs::create_dir_all(&directory)?;
        if let Some(outdated) = instance.checked_sub(2) {
            let path = instance_path(pod, container, outdated);
            for path in [sink::rotated(&path), path] {
                match fs::remove_file(&path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
        }
        Ok(self.writer.sink(instance_path(pod, container, instance)))
    }

    /// Removes the logs of pods for which `known` (namespace, name, uid) is false: they were deleted while the node
    /// was down.
    pub fn sweep(&self, known: impl Fn(&str) -> bool) -> io::Result<()> {
        let entries = match fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let uid = name.to_str().and_then(|name| name.rsplit('_').next());
            if !uid.is_some_and(&known) {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }
}

/// Where one instance's lines are.
pub fn instance_path(pod: &Path, container: &str, instance: u32) -> PathBuf {
    pod.join(container).join(format!("{instance}.log"))
}
