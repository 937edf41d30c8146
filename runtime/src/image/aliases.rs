//! Other images in place of those that manifests name: a WebAssembly stand-in for a container image.

use std::collections::BTreeMap;

use super::reference::{InvalidReference, Reference};

/// The table, completed as references are.
#[derive(Clone, Debug, Default)]
pub(super) struct Aliases {
    exact: BTreeMap<String, String>,
    /// Of prefixes of whole references, longest first.
    prefixes: Vec<(String, String)>,
}

/// An alias that can't be meant.
#[derive(Debug, thiserror::Error)]
pub enum InvalidAlias {
    /// What is replaced.
    #[error("imageAliases: {0:?} is neither the name of an image nor one that ends with :* or /*")]
    Pattern(String),
    /// What is run.
    #[error("imageAliases: {pattern:?} stands for {image:?}: {source}")]
    Image {
        /// What is replaced.
        pattern: String,
        /// What is run.
        image: String,
        /// What is wrong with it.
        source: InvalidReference,
    },
}

impl Aliases {
    pub(super) fn new(table: &BTreeMap<String, String>) -> Result<Self, InvalidAlias> {
        let mut aliases = Self::default();
        for (pattern, image) in table {
            if let Err(source) = Reference::parse(image) {
                return Err(InvalidAlias::Image { pattern: pattern.clone(), image: image.clone(), source });
            }
            let invalid = |_| InvalidAlias::Pattern(pattern.clone());
            if let Some(name) = pattern.strip_suffix(":*") {
                let repository = Reference::parse(name).map_err(invalid)?.repository();
                aliases.prefixes.push((format!("{repository}:"), image.clone()));
                aliases.prefixes.push((format!("{repository}@"), image.clone()));
            } else if let Some(prefix) = pattern.strip_suffix('*').filter(|prefix| prefix.ends_with('/')) {
                let below = Reference::parse(&format!("{prefix}x")).map_err(invalid)?.repository();
                aliases.prefixes.push((below[..below.len() - 1].to_owned(), image.clone()));
            } else {
                aliases.exact.insert(Reference::parse(pattern).map_err(invalid)?.to_string(), image.clone());
            }
        }
        aliases.prefixes.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        Ok(aliases)
    }

    /// What is run in place of `name`. An alias of an alias is not followed.
    pub(super) fn find(&self, name: &str) -> Option<&str> {
        if self.exact.is_empty() && self.prefixes.is_empty() {
            return None;
        }
        let whole = Reference::parse(name).ok()?.to_string();
        let prefixed = || self.prefixes.iter().find(|(prefix, _)| whole.starts_with(prefix)).map(|(_, image)| image);
        self.exact.get(&whole).or_else(prefixed).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(entries: &[(&str, &str)]) -> Result<Aliases, InvalidAlias> {
        Aliases::new(&entries.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect())
    }

    #[test]
    fn names_match_however_they_are_written() {
        let aliases = table(&[
            ("busybox", "localhost/toolbox"),
            ("nginx:*", "localhost/web:1.21"),
            ("nginx:1.25", "localhost/web:1.25"),
            ("registry.k8s.io/*", "localhost/any"),
            ("registry.k8s.io/pause:*", "localhost/pause"),
        ])
        .expect("valid");
        assert_eq!(aliases.find("docker.io/library/busybox:latest"), Some("localhost/toolbox"));
        assert_eq!(aliases.find("busybox:1.36"), None);
        assert_eq!(aliases.find("nginx"), Some("localhost/web:1.21"));
        assert_eq!(aliases.find("docker.io/nginx:1.25"), Some("localhost/web:1.25"));
        assert_eq!(aliases.find("nginx-extras:1"), None);
        assert_eq!(aliases.find("registry.k8s.io/pause:3.9"), Some("localhost/pause"));
        assert_eq!(aliases.find("registry.k8s.io/sig/x:1"), Some("localhost/any"));
        assert_eq!(aliases.find("not a name"), None);
        let pinned = format!("nginx@sha256:{}", "0".repeat(64));
        assert_eq!(aliases.find(&pinned), Some("localhost/web:1.21"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for pattern in ["ngi*", "*", "a b", "nginx:1.*"] {
            assert!(matches!(table(&[(pattern, "localhost/x")]), Err(InvalidAlias::Pattern(_))), "{pattern}");
        }
        assert!(matches!(table(&[("a", "B:")]), Err(InvalidAlias::Image { .. })));
    }
}
