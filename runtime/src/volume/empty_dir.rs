//! A directory that lives as long as its pod, on disk or (`medium: Memory`) on a file system in memory.
//!
//! What is in memory is the machine's, not the guest's: it does not count towards the container's memory limit. It
//! survives a restart of the server, as a kubelet's does, and not one of the machine.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::{EmptyDirVolumeSource, Pod};

use super::Error;
use super::places::{Places, make_private};

/// Where the volume is: `directory`, unless it is to be in memory.
pub fn locate(
    source: &EmptyDirVolumeSource,
    pod: &Pod,
    volume: &str,
    places: &Places,
    directory: PathBuf,
) -> Result<PathBuf, Error> {
    match source.medium.as_deref() {
        None | Some("") => Ok(directory),
        Some("Memory") => {
            let uid = pod.metadata.uid.as_deref().unwrap_or("none");
            places.memory(uid).map(|memory| memory.join(volume)).ok_or(Error::NoMemory)
        }
        Some(other) => Err(Error::Medium(other.to_owned())),
    }
}

/// Makes the directory, or finds it as the pod's last container left it.
pub fn provide(directory: &Path) -> Result<(), Error> {
    make_private(directory).map_err(|source| Error::Io { path: directory.to_owned(), source })
}

/// Removes what pods have in memory that are not there any more: nobody did it when the server was killed.
pub fn sweep(places: &Places, is_there: impl Fn(&str) -> bool) -> io::Result<()> {
    let Some(all) = places.all_memory() else { return Ok(()) };
    let entries = match fs::read_dir(all) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if !entry.file_name().to_str().is_some_and(&is_there) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn memory_is_swept_of_pods_that_are_gone() {
        let data = tempfile::tempdir().expect("directory");
        let places = Places::new(data.path(), &[]).expect("places");
        // Where the machine has no file system in memory there is nothing to sweep.
        let Some(all) = places.all_memory() else { return };
        let source = EmptyDirVolumeSource { medium: Some("Memory".to_owned()), size_limit: None };
        let located = |uid: &str| {
            let pod: Pod = from_value(json!({"metadata": {"uid": uid}})).expect("pod");
            locate(&source, &pod, "cache", &places, "/disk".into()).expect("a place")
        };
        for uid in ["a", "b"] {
            provide(&located(uid)).expect("made");
        }
        assert!(!located("a").starts_with(data.path()));
        sweep(&places, |uid| uid == "a").expect("swept");
        assert!(located("a").is_dir() && !located("b").exists());
        fs::remove_dir_all(all).expect("removed");
    }
}
