//! What a path below `/v2` names. Repository names hold slashes, so paths are read from their ends.

use super::failure::{Code, Failure};
use crate::image::{Digest, Reference};

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub enum Route {
    /// Whether there is a registry.
    Base,
    /// The repositories.
    Catalog,
    /// The tags of a repository.
    Tags(Name),
    /// A manifest by tag or digest.
    Manifest(Name, String),
    /// Content.
    Blob(Name, Digest),
    /// A new upload.
    Uploads(Name),
    /// One that was begun.
    Upload(Name, String),
    /// What refers to a manifest.
    Referrers(Name, Digest),
}

/// A repository's name, checked: `team/app`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = || Failure::new(Code::NameInvalid, format!("{text:?} is no name of a repository"));
        let reference = Reference::parse(&format!("localhost/{text}")).map_err(|_| wrong())?;
        if reference.path() == text { Ok(Self(text.to_owned())) } else { Err(wrong()) }
    }

    /// As pods call it.
    pub fn repository(&self) -> String {
        format!("localhost/{}", self.0)
    }

    /// An image in it, by tag or digest.
    pub fn image(&self, target: &str) -> Result<Reference, Failure> {
        let separator = if target.contains(':') { '@' } else { ':' };
        Reference::parse(&format!("{}{separator}{target}", self.repository()))
            .map_err(|_| Failure::new(Code::ManifestInvalid, format!("{target:?} is neither a tag nor a digest")))
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Route {
    /// Reads a path.
    pub fn parse(path: &str) -> Result<Self, Failure> {
        let words: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let name = |words: &[&str]| Name::parse(&words.join("/"));
        let digest =
            |text: &str| text.parse::<Digest>().map_err(|error| Failure::new(Code::DigestInvalid, error.to_string()));
        match words.as_slice() {
            ["v2"] | ["v2", ""] => Ok(Self::Base),
            ["v2", "_catalog"] => Ok(Self::Catalog),
            ["v2", of @ .., "tags", "list"] => Ok(Self::Tags(name(of)?)),
            ["v2", of @ .., "blobs", "uploads"] | ["v2", of @ .., "blobs", "uploads", ""] => {
                Ok(Self::Uploads(name(of)?))
            }
            ["v2", of @ .., "blobs", "uploads", id] => Ok(Self::Upload(name(of)?, (*id).to_owned())),
            ["v2", of @ .., "manifests", target] => Ok(Self::Manifest(name(of)?, (*target).to_owned())),
            ["v2", of @ .., "blobs", text] => Ok(Self::Blob(name(of)?, digest(text)?)),
            ["v2", of @ .., "referrers", text] => Ok(Self::Referrers(name(of)?, digest(text)?)),
            _ => Err(Failure::new(Code::NameUnknown, "There is nothing at this path.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_have_slashes_and_any_word() {
        let name = |text: &str| Name(text.to_owned());
        let parsed = |path: &str| Route::parse(path).expect(path);
        assert_eq!(parsed("/v2/"), Route::Base);
        assert_eq!(parsed("/v2/team/app/tags/list"), Route::Tags(name("team/app")));
        assert_eq!(parsed("/v2/blobs/manifests/v1"), Route::Manifest(name("blobs"), "v1".into()));
        assert_eq!(parsed("/v2/a/blobs/uploads/"), Route::Uploads(name("a")));
        assert_eq!(parsed("/v2/a/blobs/uploads/x1"), Route::Upload(name("a"), "x1".into()));
        let digest = Digest::of(b"x");
        assert_eq!(parsed(&format!("/v2/a/b/c/blobs/{digest}")), Route::Blob(name("a/b/c"), digest));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for path in ["/v2/A/tags/list", "/v2//tags/list", "/v2/../x/manifests/v1", "/v2/a/blobs/sha256:12", "/v2/a"] {
            assert!(Route::parse(path).is_err(), "{path}");
        }
        assert!(Name("a".into()).image("v1").is_ok() && Name("a".into()).image("no tag").is_err());
        assert!(Name("a".into()).image("sha256:12").is_err());
    }
}
