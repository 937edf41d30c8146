//! What an image holds that this node could run: decided from its manifest and configuration, before its layers are
//! downloaded.

use super::config::{self, Config};
use super::digest::Digest;
use super::manifest::{Descriptor, MAX_IMAGE, Manifest, media};
use super::platform::{self, Purpose, says_wasm};
use super::spin;

/// What Sampan runs, for those who gave it something else.
const RUNS: &str = "Sampan runs WebAssembly: components for wasm32-wasip2 and modules for wasm32-wasip1";

/// An image's content.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// One layer is the program.
    Wasm(Descriptor),
    /// The layers make up a file system that has the program in it.
    Files {
        /// The digests of the layers when they are not compressed; empty when it is not said.
        diff_ids: Vec<String>,
    },
    /// The layers are files by themselves, which makes a volume but nothing to run.
    Artifact,
}

/// Why an image can't be used.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// It is for something else.
    #[error("this is a container image for {0}, and its programs cannot run here. {RUNS}")]
    Container(String),
    /// All images of an index are.
    #[error("this is a container image for {}, and its programs cannot run here. {RUNS}", list(.0))]
    Containers(Vec<String>),
    /// An artifact without WebAssembly.
    #[error("there is no WebAssembly in this image (its type is {0:?}). {RUNS}")]
    Foreign(String),
    /// It is not said which is meant.
    #[error("the image has {0} WebAssembly layers; Sampan runs images of one")]
    Several(usize),
    /// The configuration is not one.
    #[error("the image's configuration is not valid: {0}")]
    Config(String),
    /// Spin's.
    #[error(transparent)]
    Spin(#[from] spin::Error),
    /// Compressed in a way that is not known here.
    #[error("the image's layers are of type {0:?}; Sampan unpacks tar archives, plain or compressed with gzip")]
    Compression(String),
    /// More than a device should be asked to hold.
    #[error("the image has {0} bytes, more than {MAX_IMAGE}")]
    TooLarge(u64),
    /// Indexes of indexes of indexes.
    #[error("the image is an index of indexes, more than {max} deep", max = platform::MAX_DEPTH)]
    Depth,
}

fn list(platforms: &[String]) -> String {
    if platforms.is_empty() { "nothing at all".to_owned() } else { platforms.join(", ") }
}

/// What `manifest` holds. `config` is the content of its configuration.
pub fn content(manifest: &Manifest, config: &[u8], purpose: Purpose) -> Result<(Content, Config), Error> {
    let size = size(manifest);
    if size > MAX_IMAGE {
        return Err(Error::TooLarge(size));
    }
    if manifest.config.media_type == media::SPIN_CONFIG {
        let (digest, config) = spin::component(config)?;
        let layer = manifest.layers.iter().find(|layer| layer.digest == digest);
        let layer = layer.ok_or_else(|| Error::Spin(spin::Error::Source(digest.to_string())))?;
        return Ok((Content::Wasm(layer.clone()), config));
    }
    let mut programs = manifest.layers.iter().filter(|layer| media::is_wasm_layer(&layer.media_type));
    match (programs.next(), programs.count()) {
        // Whatever else it may say, what is to be run is plain.
        (Some(layer), 0) => {
            let config = config::File::parse(config).unwrap_or_default();
            Ok((Content::Wasm(layer.clone()), config.into_config()))
        }
        (Some(_), others) => Err(Error::Several(others + 1)),
        (None, _) => files(manifest, config, purpose),
    }
}

fn files(manifest: &Manifest, config: &[u8], purpose: Purpose) -> Result<(Content, Config), Error> {
    let tar = !manifest.layers.is_empty() && manifest.layers.iter().all(|l| media::is_tar_layer(&l.media_type));
    let is_image = matches!(manifest.config.media_type.as_str(), media::CONFIG | media::DOCKER_CONFIG);
    if !tar || !is_image {
        return match purpose {
            Purpose::Volume => Ok((Content::Artifact, Config::default())),
            Purpose::Run => Err(Error::Foreign(kind(manifest).to_owned())),
        };
    }
    let file = config::File::parse(config).map_err(|error| Error::Config(error.to_string()))?;
    let marked = manifest.annotations.as_ref().is_some_and(says_wasm);
    if purpose == Purpose::Run && !marked && !file.is_wasm() {
        return Err(Error::Container(platform::name(&file.platform)));
    }
    if let Some(layer) = manifest.layers.iter().find(|layer| layer.media_type.ends_with("zstd")) {
        return Err(Error::Compression(layer.media_type.clone()));
    }
    Ok((Content::Files { diff_ids: file.diff_ids().to_vec() }, file.into_config()))
}

/// What kind of artifact it is.
fn kind(manifest: &Manifest) -> &str {
    manifest.artifact_type.as_deref().unwrap_or(&manifest.config.media_type)
}

/// The bytes of all that it refers to.
pub fn size(manifest: &Manifest) -> u64 {
    let sizes = std::iter::once(&manifest.config).chain(&manifest.layers).map(|part| part.size);
    sizes.fold(0, u64::saturating_add)
}

/// The manifest of one program, as `sampan image import` and the CNCF's tools make it.
pub fn of_program(config: &[u8], program: Digest, size: u64) -> Manifest {
    let plain = |media_type: &str, digest, size| Descriptor {
        media_type: media_type.to_owned(),
        digest,
        size,
        platform: None,
        annotations: None,
    };
    Manifest {
        schema_version: 2,
        media_type: Some(media::MANIFEST.to_owned()),
        artifact_type: None,
        config: plain(media::WASM_CONFIG, Digest::of(config), config.len() as u64),
        layers: vec![plain(media::WASM, program, size)],
        annotations: None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn manifest(config: &str, layers: &[&str]) -> Manifest {
        let thing = |media_type: &str| json!({"mediaType": media_type, "digest": Digest::of(b"x"), "size": 3});
        let layers: Vec<_> = layers.iter().map(|layer| thing(layer)).collect();
        serde_json::from_value(json!({"schemaVersion": 2, "config": thing(config), "layers": layers}))
            .expect("manifest")
    }

    #[test]
    fn every_layout_of_webassembly_is_known() {
        for layer in [
            "application/wasm",
            "application/vnd.wasm.content.layer.v1+wasm",
            "application/vnd.module.wasm.content.layer.v1+wasm",
            "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm",
        ] {
            let manifest = manifest(media::WASM_CONFIG, &[layer, "application/x-other"]);
            let (content, _) = content(&manifest, b"", Purpose::Run).expect(layer);
            assert!(matches!(content, Content::Wasm(found) if found.media_type == layer));
        }
        let two = manifest(media::WASM_CONFIG, &[media::WASM, media::WASM]);
        assert_eq!(content(&two, b"{}", Purpose::Run), Err(Error::Several(2)));
    }

    #[test]
    fn a_container_image_is_refused_by_name_but_makes_a_volume() {
        let linux = json!({"architecture": "arm64", "os": "linux", "config": {"Cmd": ["nginx"]}}).to_string();
        let tar = manifest(media::CONFIG, &["application/vnd.oci.image.layer.v1.tar+gzip"]);
        let refused = content(&tar, linux.as_bytes(), Purpose::Run).expect_err("refused").to_string();
        assert!(refused.starts_with("this is a container image for linux/arm64"), "{refused}");
        assert!(refused.contains("Sampan runs WebAssembly"), "{refused}");
        let shown = content(&tar, linux.as_bytes(), Purpose::Volume).expect("a volume").0;
        assert_eq!(shown, Content::Files { diff_ids: Vec::new() });

        let wasi = json!({"architecture": "wasm", "os": "wasi"}).to_string();
        assert!(matches!(content(&tar, wasi.as_bytes(), Purpose::Run), Ok((Content::Files { .. }, _))));
        let zstd = manifest(media::CONFIG, &["application/vnd.oci.image.layer.v1.tar+zstd"]);
        assert!(matches!(content(&zstd, wasi.as_bytes(), Purpose::Run), Err(Error::Compression(_))));
    }

    #[test]
    fn other_artifacts_are_told_apart() {
        let chart = manifest("application/vnd.cncf.helm.config.v1+json", &["application/vnd.cncf.helm.chart.content"]);
        let refused = content(&chart, b"{}", Purpose::Run).expect_err("refused").to_string();
        assert!(refused.contains("vnd.cncf.helm"), "{refused}");
        assert_eq!(content(&chart, b"{}", Purpose::Volume).expect("files").0, Content::Artifact);
        let mut huge = manifest(media::WASM_CONFIG, &[media::WASM, "x"]);
        huge.layers[1].size = u64::MAX;
        assert_eq!(content(&huge, b"", Purpose::Run), Err(Error::TooLarge(u64::MAX)));
    }
}
