//! Who we are to a registry: the keyring made from a pod's image pull secrets, matched as a kubelet matches it.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use k8s_openapi::api::core::v1::Secret;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::reference::Reference;

/// What Docker Hub goes by in configurations.
const DEFAULT_REGISTRY: &str = "index.docker.io";

/// A name and a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The name.
    pub username: String,
    /// The password.
    pub password: String,
}

/// They are written nowhere.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

/// Credentials by what they are for: `host[:port][/path]`, `*` for labels of the host.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    entries: BTreeMap<String, Vec<Credentials>>,
}

/// A pull secret that can't be read.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("the image pull secret {name:?} is not valid: {reason}")]
pub struct InvalidSecret {
    /// Which.
    pub name: String,
    /// What is wrong; never what is in it.
    pub reason: &'static str,
}

/// A file that is no Docker config.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
#[error("it is not a Docker config")]
pub struct InvalidDockerConfig;

#[derive(Deserialize)]
struct DockerConfigJson {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    auth: String,
}

impl Keyring {
    /// Adds what a secret has. Secrets of other types have nothing for us.
    pub fn add(&mut self, secret: &Secret) -> Result<(), InvalidSecret> {
        let invalid = |reason| InvalidSecret { name: secret.metadata.name.clone().unwrap_or_default(), reason };
        let data = |key: &str| secret.data.as_ref().and_then(|data| data.get(key)).map(|bytes| bytes.0.as_slice());
        let entries = match (secret.type_.as_deref(), data(".dockerconfigjson"), data(".dockercfg")) {
            (Some("kubernetes.io/dockerconfigjson"), Some(bytes), _) if !bytes.is_empty() => {
                let file: DockerConfigJson =
                    serde_json::from_slice(bytes).map_err(|_| invalid("not a Docker config"))?;
                file.auths
            }
            (Some("kubernetes.io/dockercfg"), _, Some(bytes)) if !bytes.is_empty() => {
                serde_json::from_slice(bytes).map_err(|_| invalid("not a Docker config"))?
            }
            _ => return Ok(()),
        };
        for (place, entry) in entries {
            let credentials = entry.credentials().map_err(invalid)?;
            self.insert(&place, credentials);
        }
        Ok(())
    }

    /// Adds what is for `host[:port][/path]`.
    pub fn insert(&mut self, place: &str, credentials: Credentials) {
        self.entries.entry(key(place)).or_default().push(credentials);
    }

    /// Adds what `docker login` wrote down. What a credential helper keeps is out of reach.
    ///
    /// # Errors
    /// A file of another kind.
    pub fn add_docker_config(&mut self, bytes: &[u8]) -> Result<(), InvalidDockerConfig> {
        let file: DockerConfigJson = serde_json::from_slice(bytes).map_err(|_| InvalidDockerConfig)?;
        for (place, entry) in file.auths {
            if let Ok(credentials) = entry.credentials() {
                self.insert(&place, credentials);
            }
        }
        Ok(())
    }

    /// What to try for an image, in order: the closest match first.
    pub(super) fn find(&self, reference: &Reference) -> Vec<&Credentials> {
        let found = self.matches(&reference.repository());
        match self.entries.get(DEFAULT_REGISTRY) {
            Some(hub) if found.is_empty() && reference.registry() == "docker.io" => hub.iter().collect(),
            _ => found,
        }
    }

    /// What there is for `host[:port]/path`.
    pub(super) fn matches(&self, target: &str) -> Vec<&Credentials> {
        let found = self.entries.iter().rev().filter(|(pattern, _)| matches(pattern, target));
        found.flat_map(|(_, credentials)| credentials).collect()
    }

    /// Tells keyrings apart, without telling what is in them.
    pub(super) fn fingerprint(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for (place, credentials) in &self.entries {
            for credentials in credentials {
                for part in [place, &credentials.username, &credentials.password] {
                    hash.update((part.len() as u64).to_le_bytes());
                    hash.update(part);
                }
            }
        }
        hash.finalize().into()
    }
}

impl Entry {
    fn credentials(self) -> Result<Credentials, &'static str> {
        if self.auth.is_empty() {
            return Ok(Credentials { username: self.username, password: self.password });
        }
        let text = self.auth.trim();
        let engine = if text.ends_with('=') { STANDARD } else { STANDARD_NO_PAD };
        let bytes = engine.decode(text).map_err(|_| "an auth is not base64")?;
        let text = String::from_utf8(bytes).map_err(|_| "an auth is not text")?;
        let (username, password) = text.split_once(':').ok_or("an auth is not name:password")?;
        Ok(Credentials { username: username.to_owned(), password: password.trim_end_matches('\0').to_owned() })
    }
}

/// `https://host/v1/` of old files is the host.
fn key(place: &str) -> String {
    let place = place.strip_prefix("https://").or_else(|| place.strip_prefix("http://")).unwrap_or(place);
    let (host, path) = place.split_at(place.find('/').unwrap_or(place.len()));
    let path = if path.starts_with("/v1/") || path.starts_with("/v2/") { &path[3..] } else { path };
    if path.is_empty() || path == "/" { host.to_owned() } else { format!("{host}{path}") }
}

/// The same port, as many labels in the host, each matching, and the path a beginning of the image's.
fn matches(pattern: &str, target: &str) -> bool {
    let ((host, port, path), (target_host, target_port, target_path)) = (split(pattern), split(target));
    let labels = || host.split('.').zip(target_host.split('.'));
    port == target_port
        && host.split('.').count() == target_host.split('.').count()
        && labels().all(|(pattern, label)| matches_label(pattern.as_bytes(), label.as_bytes()))
        && target_path.starts_with(path)
}

fn split(place: &str) -> (&str, &str, &str) {
    let (authority, path) = place.split_at(place.find('/').unwrap_or(place.len()));
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, ""));
    (host, port, path)
}

/// `*` and `?`, as Go's `filepath.Match` has them. Linear in the pattern times the label, and labels are short.
fn matches_label(pattern: &[u8], label: &[u8]) -> bool {
    let (mut p, mut l, mut star) = (0, 0, None);
    while l < label.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, l));
                p += 1;
            }
            Some(byte) if *byte == b'?' || *byte == label[l] => (p, l) = (p + 1, l + 1),
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (p, l) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn secret(kind: &str, key: &str, content: Value) -> Secret {
        let data = STANDARD.encode(content.to_string());
        serde_json::from_value(json!({"metadata": {"name": "regcred"}, "type": kind, "data": {key: data}}))
            .expect("secret")
    }

    fn keyring(auths: Value) -> Keyring {
        let mut keyring = Keyring::default();
        let content = json!({"auths": auths});
        keyring.add(&secret("kubernetes.io/dockerconfigjson", ".dockerconfigjson", content)).expect("valid");
        keyring
    }

    fn found(keyring: &Keyring, image: &str) -> Vec<String> {
        let reference = Reference::parse(image).expect("a name");
        keyring.find(&reference).into_iter().map(|credentials| credentials.username.clone()).collect()
    }

    #[test]
    fn the_closest_match_is_first() {
        let user = |name: &str| json!({"username": name, "password": "p"});
        let keyring = keyring(json!({
            "registry.local:5000": user("all"),
            "registry.local:5000/team/": user("team"),
            "https://*.wild.io/v1/": user("wild"),
            "https://index.docker.io/v1/": user("hub"),
        }));
        assert_eq!(found(&keyring, "registry.local:5000/team/app:v1"), ["team", "all"]);
        assert_eq!(found(&keyring, "registry.local:5000/other/app:v1"), ["all"]);
        assert_eq!(found(&keyring, "registry.local/team/app"), Vec::<String>::new(), "another port");
        assert_eq!(found(&keyring, "a.wild.io/x"), ["wild"]);
        assert_eq!(found(&keyring, "a.b.wild.io/x"), Vec::<String>::new());
        assert_eq!(found(&keyring, "nginx"), ["hub"]);
        assert_eq!(found(&keyring, "ghcr.io/nginx"), Vec::<String>::new());
    }

    #[test]
    fn both_kinds_of_secrets_are_read() {
        let mut keyring = keyring(json!({"a.io": {"auth": STANDARD.encode("me:se:cret")}}));
        let old = json!({"b.io": {"username": "you", "password": "p", "email": "x"}});
        keyring.add(&secret("kubernetes.io/dockercfg", ".dockercfg", old)).expect("valid");
        keyring.add(&secret("Opaque", ".dockerconfigjson", json!("x"))).expect("nothing for us");
        assert_eq!(keyring.matches("a.io/x")[0].password, "se:cret");
        assert_eq!(found(&keyring, "b.io/x"), ["you"]);
        let bad = secret("kubernetes.io/dockerconfigjson", ".dockerconfigjson", json!({"auths": {"x": {"auth": "%"}}}));
        let refused = keyring.add(&bad).expect_err("refused").to_string();
        assert_eq!(refused, "the image pull secret \"regcred\" is not valid: an auth is not base64");
        assert!(!format!("{keyring:?}").contains("se:cret"), "they are written nowhere");
    }

    #[test]
    fn labels_match_as_in_go() {
        for (pattern, label, expected) in [
            ("*", "abc", true),
            ("a*c", "abbc", true),
            ("a*c", "ab", false),
            ("?b", "ab", true),
            ("", "", true),
            ("a", "", false),
        ] {
            assert_eq!(matches_label(pattern.as_bytes(), label.as_bytes()), expected, "{pattern} {label}");
        }
    }
}
