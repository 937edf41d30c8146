//! What an object may be called.

use std::path::{Path, PathBuf};

use super::Error;

/// Where unfinished objects are, in every bucket that has some.
pub(super) const UNFINISHED: &str = ".sampan-blobs";

/// Bytes of a name.
const MAX_NAME: usize = 1_024;
/// Bytes between two slashes: what a file may be called.
const MAX_PART: usize = 255;
/// Directories and the file: a walk has as many of them open.
pub(super) const MAX_PARTS: usize = 16;

/// An object's name, which is a path that leads down and nowhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name(PathBuf);

impl Name {
    pub(crate) fn new(name: &str) -> Result<Name, Error> {
        let refused = |why| Err(Error::Name(why));
        if name.is_empty() || name.len() > MAX_NAME {
            return refused("has to have 1 to 1024 bytes");
        }
        let parts: Vec<&str> = name.split('/').collect();
        if parts.len() > MAX_PARTS {
            return refused("has more than 16 parts");
        }
        if parts.iter().any(|part| part.is_empty() || *part == "." || *part == ".." || part.contains('\0')) {
            return refused("has an empty part, . or .., or a zero byte");
        }
        if parts.iter().any(|part| part.len() > MAX_PART) {
            return refused("has a part of more than 255 bytes");
        }
        if is_hidden(parts[0]) {
            return refused("is reserved");
        }
        Ok(Name(parts.iter().collect()))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// The directories that it is in, from the inside out.
    pub(super) fn directories(&self) -> impl Iterator<Item = &Path> {
        self.0.ancestors().skip(1).filter(|path| *path != Path::new(""))
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.display().fmt(f)
    }
}

/// What is at the top of a bucket and no object: what is unfinished, and the directories behind a ConfigMap's files.
pub(super) fn is_hidden(name: &str) -> bool {
    name.eq_ignore_ascii_case(UNFINISHED) || name.starts_with("..")
}

/// Whether a guest may make a bucket of this name.
pub(super) fn is_bucket(name: &str) -> bool {
    (1..=MAX_PART).contains(&name.len()) && !name.starts_with('.') && !name.contains(['/', '\0'])
}
