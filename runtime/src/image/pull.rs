//! Getting a container's image under its pull policy, and what a kubelet says when it cannot.

use super::reference::{InvalidReference, Reference};
use super::store::{self, Image, Store};

/// `imagePullPolicy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Ask the registry each time. The local store is the registry of `localhost/…` and, for now, of all names.
    Always,
    /// Ask only when the image is not here.
    IfNotPresent,
    /// Never ask.
    Never,
}

impl Policy {
    /// The API server has filled in the default; this one is for objects that did not pass through it.
    pub fn of(policy: Option<&str>, image: &str) -> Self {
        match policy {
            Some("Always") => Self::Always,
            Some("Never") => Self::Never,
            Some(_) => Self::IfNotPresent,
            None if Reference::parse(image).is_ok_and(|reference| reference.is_latest()) => Self::Always,
            None => Self::IfNotPresent,
        }
    }
}

/// How the image came.
#[derive(Debug)]
pub struct Pulled {
    /// What to run.
    pub image: Image,
    /// Whether the policy made us ask for it (events differ).
    pub asked: bool,
}

/// Why there is no image to run.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The name is not one.
    #[error("Failed to apply default image tag {name:?}: couldn't parse image name {name:?}: {source}")]
    InvalidName {
        /// As the manifest has it.
        name: String,
        /// What is wrong with it.
        source: InvalidReference,
    },
    /// Policy `Never`, and it is not here.
    #[error("Container image {0:?} is not present with pull policy of Never")]
    NeverPull(String),
    /// It is not here, and there is nowhere to get it from.
    #[error("{0:?} is not in this node's image store (add it: `sampan image import FILE {0}`)")]
    NotFound(String),
    /// The store could not be read.
    #[error("read {name:?} from the image store: {source}")]
    Store {
        /// As the manifest has it.
        name: String,
        /// The cause.
        source: store::Error,
    },
}

impl PullError {
    /// The waiting container's reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::InvalidName { .. } => "InvalidImageName",
            Self::NeverPull(_) => "ErrImageNeverPull",
            Self::NotFound(_) | Self::Store { .. } => "ErrImagePull",
        }
    }
}

/// Finds the image of one container. Reads a small file or two: not for an async worker's own thread.
pub fn pull(store: &Store, name: &str, policy: Policy) -> Result<Pulled, PullError> {
    match store.resolve(name) {
        Ok(Some(image)) => Ok(Pulled { image, asked: policy == Policy::Always }),
        Ok(None) if policy == Policy::Never => Err(PullError::NeverPull(name.to_owned())),
        Ok(None) => Err(PullError::NotFound(name.to_owned())),
        Err(store::Error::Reference { reference, source }) => Err(PullError::InvalidName { name: reference, source }),
        Err(source) => Err(PullError::Store { name: name.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_policy_has_its_own_failure() {
        let directory = tempfile::tempdir().expect("directory");
        let store = Store::open(directory.path()).expect("open");
        let reason = |name: &str, policy| pull(&store, name, policy).expect_err("absent").reason();
        assert_eq!(reason("localhost/x", Policy::Never), "ErrImageNeverPull");
        assert_eq!(reason("localhost/x", Policy::IfNotPresent), "ErrImagePull");
        assert_eq!(reason("localhost/x", Policy::Always), "ErrImagePull");
        assert_eq!(reason("localhost/X", Policy::Always), "InvalidImageName");
    }

    #[test]
    fn the_default_policy_follows_the_tag() {
        assert_eq!(Policy::of(None, "web"), Policy::Always);
        assert_eq!(Policy::of(None, "web:1"), Policy::IfNotPresent);
        assert_eq!(Policy::of(Some("Never"), "web"), Policy::Never);
    }
}
