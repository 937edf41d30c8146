//! `/tmp`: the one place of its own where every container may write, for programs that need one and for `kubectl cp`.
//!
//! Containers have a writable layer over their image; guests have an image of one file and nothing over it. What is written
//! here counts as such a layer would: to the container's `ephemeral-storage`, and gone with the instance.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Container;

use crate::container::{LazyMount, Mount};

const GUEST: &str = "/tmp";

/// The directory of a new instance of `container`, whose own folder on this node is `own`, made when it first looks. None
/// with `readOnlyRootFilesystem`, and where a volume is mounted at the root: that has a `/tmp` or has none. Blocks on the
/// disk.
///
/// # Errors
/// When what the instance before has left can't be removed.
pub fn of(container: &Container, own: &Path, mounts: &[Mount]) -> io::Result<Option<LazyMount>> {
    let host = own.join("tmp");
    match fs::remove_dir_all(&host) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let read_only = container.security_context.as_ref().and_then(|security| security.read_only_root_filesystem);
    if read_only == Some(true) || mounts.iter().any(|mount| mount.guest == "/") {
        return Ok(None);
    }
    let mount = Mount { host: host.clone(), guest: GUEST.to_owned(), read_only: false, pin: None };
    Ok(Some(LazyMount { mount, make: Arc::new(move || fs::create_dir_all(&host)) }))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn container(more: Value) -> Container {
        let mut container = json!({"name": "c"});
        container.as_object_mut().expect("object").extend(more.as_object().expect("object").clone());
        from_value(container).expect("container")
    }

    #[test]
    fn each_instance_begins_with_an_empty_one() {
        let own = tempfile::tempdir().expect("directory");
        let first = of(&container(json!({})), own.path(), &[]).expect("made").expect("one");
        assert!(!first.mount.host.exists(), "nobody has looked");
        (first.make)().expect("made");
        fs::write(first.mount.host.join("left"), "x").expect("written");
        (first.make)().expect("made before");
        assert!(first.mount.host.join("left").exists(), "the instance is the same");
        let second = of(&container(json!({})), own.path(), &[]).expect("made").expect("one");
        (second.make)().expect("made");
        assert!(!second.mount.host.join("left").exists());
    }

    #[test]
    fn a_read_only_root_has_none() {
        let own = tempfile::tempdir().expect("directory");
        let strict = container(json!({"securityContext": {"readOnlyRootFilesystem": true}}));
        assert!(of(&strict, own.path(), &[]).expect("looked").is_none());
        let root = Mount { host: own.path().to_owned(), guest: "/".to_owned(), read_only: false, pin: None };
        assert!(of(&container(json!({})), own.path(), &[root]).expect("looked").is_none());
    }
}
