//! A path of the host, below the roots that the node's owner allows.

use std::path::Path;

use k8s_openapi::api::core::v1::HostPathVolumeSource;
use rustix::fs::FileType;

use super::beneath::{self, Held};
use super::places::{Places, plain};

/// Why a path is not shown.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody may have any.
    #[error("hostPath {0:?} is not allowed: this node allows no paths of its host (--host-path-root)")]
    NoRoots(String),
    /// It is elsewhere.
    #[error("hostPath {path:?} is not allowed: it is not below {roots} (--host-path-root)")]
    Outside {
        /// The path.
        path: String,
        /// Where it could be.
        roots: String,
    },
    /// It would show the cluster's own secrets.
    #[error("hostPath {0:?} is not allowed: it shows the server's own data")]
    Own(String),
    /// It is not what the volume says it is.
    #[error("hostPath type check failed: {path} is not a {what}")]
    Kind {
        /// The path.
        path: String,
        /// `directory` or `file`.
        what: &'static str,
    },
    /// Something that no guest can use.
    #[error("hostPath type {0} is not supported: a guest sees directories and files")]
    Unsupported(String),
    /// What the disk says.
    #[error(transparent)]
    Beneath(#[from] beneath::Error),
}

/// Opens the path where there is something.
pub fn open_existing(source: &HostPathVolumeSource, places: &Places) -> Result<Option<Held>, Error> {
    match places.root_of(&plain(Path::new(&source.path))) {
        Some((root, rest)) if !root.join(rest).exists() => Ok(None),
        _ => open(source, places).map(Some),
    }
}

/// Opens the path, and makes it where the volume's type says so.
pub fn open(source: &HostPathVolumeSource, places: &Places) -> Result<Held, Error> {
    let path = plain(Path::new(&source.path));
    let shown = || source.path.clone();
    let Some((root, rest)) = places.root_of(&path) else {
        return Err(match places.roots() {
            none if none.is_empty() => Error::NoRoots(shown()),
            roots => Error::Outside { path: shown(), roots },
        });
    };
    if places.is_own(&path) {
        return Err(Error::Own(shown()));
    }
    let held = match source.type_.as_deref().unwrap_or_default() {
        // Container runtimes make what is missing and not said to be a file.
        "" => match beneath::open(root, rest) {
            Err(beneath::Error::Io { .. }) => beneath::make(root, rest, 0o755)?,
            opened => opened?,
        },
        "DirectoryOrCreate" => match beneath::open(root, rest) {
            Ok(held) => directory(held, source)?,
            Err(_) => beneath::make(root, rest, 0o755)?,
        },
        "Directory" => {
            directory(beneath::open(root, rest).or_else(|error| missing(error, source, "directory"))?, source)?
        }
        "FileOrCreate" => match beneath::open(root, rest) {
            Ok(held) => file(held, source)?,
            Err(_) => beneath::make_file(root, rest, 0o644)?,
        },
        "File" => file(beneath::open(root, rest).or_else(|error| missing(error, source, "file"))?, source)?,
        other => return Err(Error::Unsupported(other.to_owned())),
    };
    if places.is_own(held.path()) {
        return Err(Error::Own(shown()));
    }
    match held.kind() {
        FileType::Directory | FileType::RegularFile => Ok(held),
        other => Err(Error::Unsupported(format!("{other:?}"))),
    }
}

fn missing(error: beneath::Error, source: &HostPathVolumeSource, what: &'static str) -> Result<Held, Error> {
    match error {
        beneath::Error::Io { source: cause, .. } if cause.kind() == std::io::ErrorKind::NotFound => {
            Err(Error::Kind { path: source.path.clone(), what })
        }
        other => Err(other.into()),
    }
}

fn directory(held: Held, source: &HostPathVolumeSource) -> Result<Held, Error> {
    match held.is_directory() {
        true => Ok(held),
        false => Err(Error::Kind { path: source.path.clone(), what: "directory" }),
    }
}

fn file(held: Held, source: &HostPathVolumeSource) -> Result<Held, Error> {
    match held.kind() {
        FileType::RegularFile => Ok(held),
        _ => Err(Error::Kind { path: source.path.clone(), what: "file" }),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_below_the_roots_and_only_what_it_says_it_is() {
        let machine = tempfile::tempdir().expect("directory");
        let base = fs::canonicalize(machine.path()).expect("real");
        let (data, root) = (base.join("data"), base.join("srv"));
        for path in [&data, &root, &base.join("private")] {
            fs::create_dir(path).expect("directory");
        }
        fs::write(root.join("app.conf"), "x").expect("file");
        symlink(base.join("private"), root.join("sneaky")).expect("link");
        symlink(&data, root.join("own")).expect("link");
        let places = Places::new(&data, &[root.clone(), base.join("data/x"), base.join("missing")]).expect("places");
        let tried = |path: &str, kind: &str| {
            let source =
                HostPathVolumeSource { path: base.join(path).display().to_string(), type_: Some(kind.to_owned()) };
            let opened = open(&source, &places).map(|held| held.is_directory());
            opened.map_err(|error| error.to_string().replace(&base.display().to_string(), ""))
        };
        assert_eq!(tried("srv", ""), Ok(true));
        assert_eq!(tried("srv/app.conf", ""), Ok(false));
        assert_eq!(tried("srv/app.conf", "File"), Ok(false));
        assert_eq!(tried("srv/new", "File"), Err("hostPath type check failed: /srv/new is not a file".into()));
        assert_eq!(tried("srv/new/deep", "DirectoryOrCreate"), Ok(true));
        assert_eq!(tried("srv/empty", "FileOrCreate"), Ok(false));
        assert_eq!(tried("srv/plain", ""), Ok(true));
        let wrong = "hostPath type check failed: /srv/app.conf is not a directory";
        assert_eq!(tried("srv/app.conf", "Directory"), Err(wrong.into()));
        assert_eq!(tried("srv/app.conf", "DirectoryOrCreate"), Err(wrong.into()));
        let socket = "hostPath type Socket is not supported: a guest sees directories and files";
        assert_eq!(tried("srv", "Socket"), Err(socket.into()));
        assert_eq!(tried("srv/sneaky", ""), Err("/srv/sneaky leads out of /srv".into()));
        assert_eq!(tried("srv/sneaky/new", "DirectoryOrCreate"), Err("/srv/sneaky leads out of /srv".into()));
        assert_eq!(tried("srv/own", "Directory"), Err("/srv/own leads out of /srv".into()));
        assert_eq!(
            tried("missing/x", "DirectoryOrCreate"),
            Err("/missing: No such file or directory (os error 2)".into()),
            "a root is the owner's to make"
        );
        let outside =
            "hostPath \"/private\" is not allowed: it is not below /srv, /data/x, /missing (--host-path-root)";
        assert_eq!(tried("private", ""), Err(outside.into()));
        assert_eq!(tried("srv/../private", ""), Err(outside.replace("/private", "/srv/../private")));
        let own = "hostPath \"/data/x\" is not allowed: it shows the server's own data";
        assert_eq!(tried("data/x", ""), Err(own.into()));
    }
}
