//! Applications of Fermyon's Spin, as far as one component without files of its own makes one.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::config::Config;
use super::digest::Digest;

/// Why an application can't be run.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// It is not written as one.
    #[error("the Spin application's description is not valid: {0}")]
    Syntax(String),
    /// A container runs one component.
    #[error("the Spin application has {0} components; Sampan runs those of one component")]
    Components(usize),
    /// The component lies elsewhere.
    #[error("the Spin application's component {0:?} is not in the image")]
    Source(String),
    /// It brings files.
    #[error("the Spin application's component {0:?} brings files of its own, which Sampan does not provide")]
    Files(String),
}

#[derive(Deserialize)]
struct Locked {
    #[serde(default)]
    components: Vec<Component>,
}

#[derive(Deserialize)]
struct Component {
    id: String,
    source: Source,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    files: Vec<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Source {
    digest: Option<Digest>,
}

/// The layer with the application's component, and what it wants around it.
pub(super) fn component(config: &[u8]) -> Result<(Digest, Config), Error> {
    let locked: Locked = serde_json::from_slice(config).map_err(|error| Error::Syntax(error.to_string()))?;
    let [component] = <[Component; 1]>::try_from(locked.components).map_err(|all| Error::Components(all.len()))?;
    if !component.files.is_empty() {
        return Err(Error::Files(component.id));
    }
    let digest = component.source.digest.ok_or(Error::Source(component.id))?;
    Ok((digest, Config { env: component.env.into_iter().collect(), ..Config::default() }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(components: serde_json::Value) -> Result<(Digest, Config), Error> {
        component(json!({"spin_lock_version": 1, "triggers": [], "components": components}).to_string().as_bytes())
    }

    #[test]
    fn one_component_is_an_application() {
        let digest = Digest::of(b"wasm");
        let source = json!({"content_type": "application/wasm", "digest": digest});
        let one = json!({"id": "hello", "source": source, "env": {"A": "b"}});
        let (found, config) = read(json!([one])).expect("an application");
        assert_eq!((found, config.env), (digest, vec![("A".to_owned(), "b".to_owned())]));
        assert_eq!(read(json!([one, one])), Err(Error::Components(2)));
        let files = json!([{"id": "hello", "source": source, "files": [{"path": "/x"}]}]);
        assert_eq!(read(files), Err(Error::Files("hello".to_owned())));
        assert_eq!(read(json!([{"id": "a", "source": {}}])), Err(Error::Source("a".to_owned())));
    }
}
