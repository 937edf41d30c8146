//! What an image says of how it is to be run.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::manifest::Platform;
use super::platform::{self, says_wasm};

/// The image's part of a container's configuration; the pod's goes over it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// What is run. Empty: the image's one program.
    pub entrypoint: Vec<String>,
    /// Its arguments, unless the pod has others.
    pub cmd: Vec<String>,
    /// Variables, below the pod's.
    pub env: Vec<(String, String)>,
    /// Where it is run.
    pub working_dir: Option<String>,
}

/// `application/vnd.oci.image.config.v1+json`, as much as matters here. The names of WebAssembly's own config
/// (`application/vnd.wasm.config.v0+json`) are a subset.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct File {
    #[serde(flatten)]
    pub(super) platform: Platform,
    config: Option<Inner>,
    rootfs: Option<RootFs>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Inner {
    entrypoint: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
    env: Option<Vec<String>>,
    working_dir: Option<String>,
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RootFs {
    diff_ids: Vec<String>,
}

impl File {
    /// Reads the configuration of an image of tar layers.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// The digests of the layers when they are not compressed.
    pub(super) fn diff_ids(&self) -> &[String] {
        self.rootfs.as_ref().map_or(&[], |rootfs| &rootfs.diff_ids)
    }

    /// Whether it is for WebAssembly: by its platform, by a mark, or because what it runs is called so.
    pub(super) fn is_wasm(&self) -> bool {
        let inner = self.config.as_ref();
        let marked = inner.and_then(|inner| inner.labels.as_ref()).is_some_and(says_wasm);
        let program = inner.and_then(|inner| {
            let entrypoint = inner.entrypoint.iter().flatten().next();
            entrypoint.or_else(|| inner.cmd.iter().flatten().next())
        });
        platform::is_wasm_platform(&self.platform) || marked || program.is_some_and(|path| path.ends_with(".wasm"))
    }

    pub(super) fn into_config(self) -> Config {
        let inner = self.config.unwrap_or_default();
        let variable = |text: String| {
            let (name, value) = text.split_once('=')?;
            (!name.is_empty()).then(|| (name.to_owned(), value.to_owned()))
        };
        Config {
            entrypoint: inner.entrypoint.unwrap_or_default(),
            cmd: inner.cmd.unwrap_or_default(),
            env: inner.env.unwrap_or_default().into_iter().filter_map(variable).collect(),
            working_dir: inner.working_dir.filter(|directory| !directory.is_empty()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn file(value: serde_json::Value) -> File {
        File::parse(value.to_string().as_bytes()).expect("a config")
    }

    #[test]
    fn the_configuration_is_read() {
        let config = file(json!({
            "architecture": "wasm", "os": "wasi",
            "config": {"Entrypoint": ["/app.wasm"], "Cmd": null, "Env": ["A=b=c", "bad", "=x"], "WorkingDir": "/srv"},
        }))
        .into_config();
        assert_eq!(config.entrypoint, ["/app.wasm"]);
        assert_eq!(config.env, [("A".to_owned(), "b=c".to_owned())]);
        assert_eq!((config.cmd.len(), config.working_dir.as_deref()), (0, Some("/srv")));
    }

    #[test]
    fn webassembly_is_known_by_platform_mark_or_name() {
        let linux = |config: serde_json::Value| file(json!({"architecture": "amd64", "os": "linux", "config": config}));
        assert!(file(json!({"architecture": "wasm", "os": "wasip1"})).is_wasm());
        assert!(linux(json!({"Labels": {"module.wasm.image/variant": "compat"}})).is_wasm());
        assert!(linux(json!({"Cmd": ["/main.wasm"]})).is_wasm());
        assert!(!linux(json!({"Entrypoint": ["/bin/nginx"], "Cmd": ["x.wasm"]})).is_wasm());
        assert!(!linux(json!(null)).is_wasm());
    }
}
