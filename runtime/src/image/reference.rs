//! The name of an image, normalised as Docker's and containerd's clients do it.

use std::fmt;

use super::digest::Digest;

/// `domain/path[:tag][@digest]`, complete: `web` is `docker.io/library/web:latest`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    domain: String,
    path: String,
    tag: Option<String>,
    digest: Option<String>,
}

/// Why a text is not an image name, in the words of the reference library that kubelets use.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidReference {
    /// The grammar does not allow it.
    #[error("invalid reference format")]
    Format,
    /// The usual slip, told apart.
    #[error("invalid reference format: repository name ({0}) must be lowercase")]
    UpperCase(String),
    /// Longer than any registry takes.
    #[error("repository name must not be more than 255 characters")]
    TooLong,
}

const DEFAULT_DOMAIN: &str = "docker.io";
const LOCAL_DOMAIN: &str = "localhost";
const DEFAULT_TAG: &str = "latest";

impl Reference {
    /// Reads a name as people write it in a manifest.
    pub fn parse(text: &str) -> Result<Self, InvalidReference> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) if is_digest(digest) => (rest, Some(digest.to_owned())),
            Some(_) => return Err(InvalidReference::Format),
            None => (text, None),
        };
        // A colon after the last slash starts the tag; one before it belongs to the domain's port.
        let name_end = rest.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match rest[name_end..].find(':') {
            Some(colon) => {
                let (name, tag) = rest.split_at(name_end + colon);
                (name, Some(tag[1..].to_owned()))
            }
            None => (rest, None),
        };
        if tag.as_deref().is_some_and(|tag| !is_tag(tag)) {
            return Err(InvalidReference::Format);
        }
        let (domain, path) = split_domain(name);
        if path.chars().any(|c| c.is_ascii_uppercase()) && path.to_ascii_lowercase().split('/').all(is_component) {
            return Err(InvalidReference::UpperCase(path));
        }
        if path.is_empty() || !path.split('/').all(is_component) || !is_domain(&domain) {
            return Err(InvalidReference::Format);
        }
        if domain.len() + path.len() + 1 > 255 {
            return Err(InvalidReference::TooLong);
        }
        let tag = if tag.is_none() && digest.is_none() { Some(DEFAULT_TAG.to_owned()) } else { tag };
        Ok(Self { domain, path, tag, digest })
    }

    /// `domain/path`, without tag and digest.
    pub fn repository(&self) -> String {
        format!("{}/{}", self.domain, self.path)
    }

    /// The registry's name: `docker.io`, `localhost:5000`.
    pub fn registry(&self) -> &str {
        &self.domain
    }

    /// The repository within the registry: `library/web`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The tag.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// What a registry is asked for: the digest, or else the tag.
    pub fn target(&self) -> &str {
        self.digest.as_deref().or(self.tag.as_deref()).unwrap_or(DEFAULT_TAG)
    }

    /// Whether it is of this node's own store, and of no registry anywhere.
    pub fn is_local(&self) -> bool {
        self.domain == LOCAL_DOMAIN
    }

    /// The pinned digest, `sha256:…`.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// The last word of the path: the name a program in this image goes by.
    pub fn program(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Whether the name follows whatever was pushed last (`:latest`), which makes `Always` the default policy.
    pub fn is_latest(&self) -> bool {
        self.digest.is_none() && self.tag.as_deref() == Some(DEFAULT_TAG)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.domain, self.path)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

/// The first part is a domain only when it looks like one; else the name lives on Docker Hub.
fn split_domain(name: &str) -> (String, String) {
    let (domain, path) = match name.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" || first.to_lowercase() != first => {
            (first, rest)
        }
        _ => (DEFAULT_DOMAIN, name),
    };
    let domain = if domain == "index.docker.io" { DEFAULT_DOMAIN } else { domain };
    let library = domain == DEFAULT_DOMAIN && !path.contains('/') && !path.is_empty();
    (domain.to_owned(), if library { format!("library/{path}") } else { path.to_owned() })
}

fn is_domain(domain: &str) -> bool {
    let (host, port) = domain.split_once(':').unwrap_or((domain, "0"));
    let label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.split('.').all(label) && !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit())
}

/// `[a-z0-9]+` runs, joined by `.`, `_`, `__` or any number of `-`.
fn is_component(component: &str) -> bool {
    let word = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = component.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    if !word(first) || !word(last) {
        return false;
    }
    bytes
        .split(word)
        .all(|separator| matches!(separator, b"" | b"." | b"_" | b"__") || separator.iter().all(|b| *b == b'-'))
}

fn is_tag(tag: &str) -> bool {
    let bytes = tag.as_bytes();
    let word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
    bytes.len() <= 128 && bytes.first().is_some_and(word) && bytes.iter().all(|b| word(b) || matches!(b, b'.' | b'-'))
}

fn is_digest(digest: &str) -> bool {
    digest.parse::<Digest>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_completed() {
        let pinned = format!("ghcr.io/a/b@sha256:{}", "0".repeat(64));
        let cases = [
            ("web", "docker.io/library/web:latest"),
            ("web:1.21", "docker.io/library/web:1.21"),
            ("me/web", "docker.io/me/web:latest"),
            ("localhost/web:v1", "localhost/web:v1"),
            ("localhost:5000/a/b", "localhost:5000/a/b:latest"),
            ("ghcr.io/a/b__c-d.e:x_Y.2", "ghcr.io/a/b__c-d.e:x_Y.2"),
            (pinned.as_str(), pinned.as_str()),
        ];
        for (text, whole) in cases {
            assert_eq!(Reference::parse(text).expect(text).to_string(), whole);
        }
    }

    #[test]
    fn bad_names_are_refused_in_the_librarys_words() {
        for text in ["", "a b", ":v1", "a:", "a:-x", "a//b", "a/", "-a", "a@sha256:12", "localhost/.a", "http://x/y"] {
            assert_eq!(Reference::parse(text), Err(InvalidReference::Format), "{text:?}");
        }
        let upper = Reference::parse("UPPER:v1").expect_err("upper case");
        assert_eq!(upper.to_string(), "invalid reference format: repository name (library/UPPER) must be lowercase");
    }

    #[test]
    fn the_program_is_the_last_word() {
        let reference = Reference::parse("localhost/samples/echo-hostname:v2").expect("valid");
        assert_eq!(reference.program(), "echo-hostname");
        assert!(!reference.is_latest());
        assert!(Reference::parse("web").expect("valid").is_latest());
    }
}
