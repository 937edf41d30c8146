//! Which image of an index is for this node.

use std::collections::BTreeMap;

use super::manifest::{Descriptor, Index, Platform};

/// An index in an index in an index: nobody needs more.
pub const MAX_DEPTH: usize = 4;

/// What an image is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// To run its WebAssembly.
    Run,
    /// To show its files as a volume, whatever they are for.
    Volume,
}

/// The image to take, or the platforms that there are when none will do.
pub fn choose(index: &Index, purpose: Purpose) -> Result<&Descriptor, Vec<String>> {
    let ranked = index.manifests.iter().filter_map(|entry| Some((rank(entry, purpose)?, entry)));
    match ranked.min_by_key(|(rank, _)| *rank) {
        Some((_, entry)) => Ok(entry),
        None => Err(index.manifests.iter().filter_map(|entry| entry.platform.as_ref()).map(name).collect()),
    }
}

/// Smaller is better; None will not do.
fn rank(entry: &Descriptor, purpose: Purpose) -> Option<u8> {
    if entry.annotations.as_ref().is_some_and(says_wasm) {
        return Some(0);
    }
    // An entry that says nothing may be anything: an artifact, or an index again.
    let Some(platform) = &entry.platform else { return Some(6) };
    match (platform.os.as_str(), is_wasm(&platform.architecture)) {
        ("wasi", true) => Some(1),
        ("wasip2", true) => Some(2),
        ("wasip3", true) => Some(3),
        ("wasip1" | "wasi_snapshot_preview1", true) => Some(4),
        (_, true) => Some(5),
        ("", _) if platform.architecture.is_empty() => Some(6),
        ("unknown", _) => None,
        ("linux", false) if purpose == Purpose::Volume => Some(if platform.architecture == native() { 7 } else { 8 }),
        _ => None,
    }
}

/// Whether an image of this platform is WebAssembly.
pub fn is_wasm_platform(platform: &Platform) -> bool {
    is_wasm(&platform.architecture) || platform.os.starts_with("wasi") || platform.os == "wasm"
}

fn is_wasm(architecture: &str) -> bool {
    matches!(architecture, "wasm" | "wasm32" | "wasi")
}

/// The marks that crun and containerd's shims go by on images that say they are for Linux.
pub fn says_wasm(annotations: &BTreeMap<String, String>) -> bool {
    let value = |key: &str| annotations.get(key).map(String::as_str);
    matches!(value("module.wasm.image/variant"), Some("compat" | "compat-smart"))
        || value("run.oci.handler").is_some_and(|handler| handler.starts_with("wasm"))
}

/// As people write it: `linux/amd64`.
pub fn name(platform: &Platform) -> String {
    let variant = platform.variant.iter().filter(|variant| !variant.is_empty());
    let parts = [&platform.os, &platform.architecture];
    parts.into_iter().chain(variant).map(String::as_str).collect::<Vec<_>>().join("/")
}

fn native() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::super::digest::Digest;
    use super::*;

    fn index(platforms: &[&str]) -> Index {
        let entry = |text: &&str| {
            let (os, architecture) = text.split_once('/').unwrap_or_default();
            let platform = Platform { os: os.to_owned(), architecture: architecture.to_owned(), variant: None };
            Descriptor {
                media_type: String::new(),
                digest: Digest::of(text.as_bytes()),
                size: 1,
                platform: (!text.is_empty()).then_some(platform),
                annotations: None,
            }
        };
        let manifests = platforms.iter().map(entry).collect();
        Index { schema_version: 2, media_type: None, manifests, annotations: None }
    }

    fn chosen(platforms: &[&str], purpose: Purpose) -> Result<String, Vec<String>> {
        let index = index(platforms);
        let found = choose(&index, purpose).map(|entry| entry.digest.clone())?;
        Ok(platforms.iter().find(|text| Digest::of(text.as_bytes()) == found).expect("one of them").to_string())
    }

    #[test]
    fn webassembly_is_chosen_newest_convention_first() {
        let run = |platforms: &[&str]| chosen(platforms, Purpose::Run);
        assert_eq!(run(&["linux/amd64", "wasip1/wasm", "wasi/wasm"]), Ok("wasi/wasm".to_owned()));
        assert_eq!(run(&["wasip1/wasm", "wasip2/wasm"]), Ok("wasip2/wasm".to_owned()));
        assert_eq!(run(&["linux/arm64", "linux/wasm"]), Ok("linux/wasm".to_owned()));
        assert_eq!(run(&["linux/amd64", ""]), Ok(String::new()));
        let none = run(&["linux/amd64", "windows/amd64", "unknown/unknown"]);
        assert_eq!(none, Err(vec!["linux/amd64".into(), "windows/amd64".into(), "unknown/unknown".into()]));
    }

    #[test]
    fn a_volume_takes_files_for_linux_too() {
        let both = ["linux/mips", "wasi/wasm"];
        assert_eq!(chosen(&both, Purpose::Volume), Ok("wasi/wasm".to_owned()));
        assert_eq!(chosen(&["windows/amd64", "linux/mips"], Purpose::Volume), Ok("linux/mips".to_owned()));
    }
}
