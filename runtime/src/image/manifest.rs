//! Manifests and indexes as registries have them, OCI's and Docker's, read leniently: they come from anywhere.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::digest::Digest;

/// The media types that this node knows by name.
pub mod media {
    /// An image of OCI.
    pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    /// Images for several platforms.
    pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    /// An image of Docker's.
    pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
    /// Docker's images for several platforms.
    pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
    /// The configuration of an OCI image of tar layers.
    pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
    /// The same, Docker's.
    pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
    /// The configuration of a WebAssembly artifact, as the CNCF's working group has it.
    pub const WASM_CONFIG: &str = "application/vnd.wasm.config.v0+json";
    /// Its one layer.
    pub const WASM: &str = "application/wasm";
    /// The locked application of Fermyon's Spin.
    pub const SPIN_CONFIG: &str = "application/vnd.fermyon.spin.application.v1+config";
    /// All that a registry may be asked for by a tag.
    pub const ACCEPT: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
                              application/vnd.docker.distribution.manifest.v2+json, \
                              application/vnd.docker.distribution.manifest.list.v2+json";

    /// Whether a layer of this type is WebAssembly itself.
    pub fn is_wasm_layer(media_type: &str) -> bool {
        matches!(
            media_type,
            WASM | "application/vnd.wasm.content.layer.v1+wasm"
                | "application/vnd.module.wasm.content.layer.v1+wasm"
                | "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm"
        )
    }

    /// Whether a layer of this type is a tar archive, compressed or not.
    pub fn is_tar_layer(media_type: &str) -> bool {
        media_type.starts_with("application/vnd.oci.image.layer.")
            || media_type.starts_with("application/vnd.docker.image.rootfs.")
    }
}

/// The largest manifest there is: registries refuse larger ones too.
pub const MAX_MANIFEST: u64 = 4 << 20;
/// The largest image, all its blobs together.
pub const MAX_IMAGE: u64 = 1 << 30;
/// The most layers one has (Docker stops at 127).
pub const MAX_LAYERS: usize = 256;
/// The most entries an index has.
const MAX_ENTRIES: usize = 1024;

/// What stands for some content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What it is.
    #[serde(default)]
    pub media_type: String,
    /// Its name.
    pub digest: Digest,
    /// Its length.
    pub size: u64,
    /// The platform, in an index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
}

/// What an image in an index runs on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform {
    /// `wasm`, `amd64` …
    #[serde(default)]
    pub architecture: String,
    /// `wasi`, `wasip2`, `linux` …
    #[serde(default)]
    pub os: String,
    /// Of the architecture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

/// One image.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Always 2.
    pub schema_version: u32,
    /// Of the manifest itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// What kind of artifact it is, where the config does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Its configuration.
    pub config: Descriptor,
    /// Its content.
    pub layers: Vec<Descriptor>,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
}

/// Images for several platforms.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Always 2.
    pub schema_version: u32,
    /// Of the index itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The images.
    pub manifests: Vec<Descriptor>,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
}

/// One or several.
#[derive(Clone, Debug)]
pub enum Document {
    /// One image.
    Manifest(Manifest),
    /// Several.
    Index(Index),
}

/// Why bytes are no manifest.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// Larger than any.
    #[error("the manifest has {0} bytes, more than {MAX_MANIFEST}")]
    TooLarge(u64),
    /// Not JSON, or not of this shape.
    #[error("the manifest is not valid: {0}")]
    Syntax(String),
    /// Of a schema that went out of use.
    #[error("the manifest has schema version {0}; only version 2 is supported")]
    Schema(u64),
    /// It is both, or neither.
    #[error("the manifest is neither of an image nor an index of images")]
    Shape,
    /// More than any image has.
    #[error("the manifest lists {0} items, too many")]
    TooMany(usize),
}

/// What a document looks like, before it is taken for one or the other.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    schema_version: Option<u64>,
    config: Option<serde::de::IgnoredAny>,
    layers: Option<serde::de::IgnoredAny>,
    manifests: Option<serde::de::IgnoredAny>,
}

impl Document {
    /// Reads one. The shape decides, not the media type that somebody claims for it; a document that could be read as
    /// either is refused (CVE-2021-41190).
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() as u64 > MAX_MANIFEST {
            return Err(Error::TooLarge(bytes.len() as u64));
        }
        let syntax = |error: serde_json::Error| Error::Syntax(error.to_string());
        let shape: Shape = serde_json::from_slice(bytes).map_err(syntax)?;
        match (shape.schema_version, shape.config.is_some() || shape.layers.is_some(), shape.manifests.is_some()) {
            (Some(2), true, false) => {
                let manifest: Manifest = serde_json::from_slice(bytes).map_err(syntax)?;
                match manifest.layers.len() {
                    count if count > MAX_LAYERS => Err(Error::TooMany(count)),
                    _ => Ok(Self::Manifest(manifest)),
                }
            }
            (Some(2), false, true) => {
                let index: Index = serde_json::from_slice(bytes).map_err(syntax)?;
                match index.manifests.len() {
                    count if count > MAX_ENTRIES => Err(Error::TooMany(count)),
                    _ => Ok(Self::Index(index)),
                }
            }
            (Some(2), ..) => Err(Error::Shape),
            (Some(version), ..) => Err(Error::Schema(version)),
            (None, ..) => Err(Error::Shape),
        }
    }

    /// What it refers to.
    pub fn children(&self) -> Box<dyn Iterator<Item = &Descriptor> + '_> {
        match self {
            Self::Manifest(manifest) => Box::new(std::iter::once(&manifest.config).chain(&manifest.layers)),
            Self::Index(index) => Box::new(index.manifests.iter()),
        }
    }

    /// Its own media type.
    pub fn media_type(&self) -> &str {
        match self {
            Self::Manifest(manifest) => manifest.media_type.as_deref().unwrap_or(media::MANIFEST),
            Self::Index(index) => index.media_type.as_deref().unwrap_or(media::INDEX),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(value: serde_json::Value) -> Result<Document, Error> {
        Document::parse(value.to_string().as_bytes())
    }

    #[test]
    fn the_shape_decides() {
        let thing = json!({"mediaType": "x", "digest": Digest::of(b"x"), "size": 1});
        let manifest = parse(json!({"schemaVersion": 2, "config": thing, "layers": [thing]})).expect("a manifest");
        assert_eq!((manifest.children().count(), manifest.media_type()), (2, media::MANIFEST));
        let index = parse(json!({"schemaVersion": 2, "mediaType": media::DOCKER_LIST, "manifests": [thing]}));
        assert_eq!(index.expect("an index").media_type(), media::DOCKER_LIST);
    }

    #[test]
    fn what_is_neither_is_refused() {
        let thing = json!({"mediaType": "x", "digest": Digest::of(b"x"), "size": 1});
        let both = json!({"schemaVersion": 2, "config": thing, "layers": [thing], "manifests": [thing]});
        assert_eq!(parse(both).expect_err("both"), Error::Shape);
        assert_eq!(parse(json!({"schemaVersion": 1, "fsLayers": []})).expect_err("old"), Error::Schema(1));
        let many = vec![thing; MAX_LAYERS + 1];
        let many = json!({"schemaVersion": 2, "config": many[0], "layers": many});
        assert_eq!(parse(many).expect_err("many"), Error::TooMany(MAX_LAYERS + 1));
        let evil = json!({"schemaVersion": 2, "manifests": [{"digest": "sha256:../../etc", "size": 1}]});
        assert!(matches!(parse(evil).expect_err("evil"), Error::Syntax(_)));
        let negative = json!({"schemaVersion": 2, "manifests": [{"digest": Digest::of(b"x"), "size": -1}]});
        assert!(matches!(parse(negative).expect_err("negative"), Error::Syntax(_)));
        assert!(matches!(Document::parse(b"<html>").expect_err("html"), Error::Syntax(_)));
        assert!(matches!(Document::parse(&vec![b' '; 5 << 20]).expect_err("huge"), Error::TooLarge(_)));
    }
}
