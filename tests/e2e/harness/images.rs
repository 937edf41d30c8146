//! The sample images, under the names that the walk-through uses.

use super::server::SAMPAN;
use std::path::{Path, PathBuf};
use std::process::Command;

const IMAGES: &[(&str, &str)] = &[
    ("burn", "localhost/burn:v1"),
    ("crash", "localhost/crash:v1"),
    ("echo-hostname", "localhost/echo-hostname:v1"),
    ("echo-hostname-v2", "localhost/echo-hostname:v2"),
    ("env", "localhost/env:v1"),
    ("fetch", "localhost/fetch:v1"),
    ("fetch-wasi-http", "localhost/fetch-wasi-http:v1"),
    ("greedy", "localhost/greedy:v1"),
    ("healthz", "localhost/healthz:v1"),
    ("hog", "localhost/hog:v1"),
    ("log-tail", "localhost/log-tail:v1"),
    ("lookup", "localhost/lookup:v1"),
    ("programs", "localhost/programs:v1"),
    ("sleep", "localhost/sleep:v1"),
    ("tcp-echo", "localhost/tcp-echo:v1"),
    ("ticker", "localhost/ticker:v1"),
    ("udp-echo", "localhost/udp-echo:v1"),
    ("udp-say", "localhost/udp-say:v1"),
    ("web", "localhost/web:1.21"),
    ("web-1-22", "localhost/web:1.22"),
    ("ws-echo", "localhost/ws-echo:v1"),
];

/// Where the build script puts the component of this name.
pub fn component(name: &str) -> PathBuf {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples-wasm/target/wasm32-wasip2/release");
    built.join(name).with_extension("wasm")
}

pub fn import_all(data: &Path) {
    for (name, reference) in IMAGES {
        if let Err(error) = import(&component(name), reference, data) {
            panic!("sampan image import {name}: {error}");
        }
    }
}

/// `sampan image import`; what it printed, as the error when it refuses.
pub fn import(file: &Path, reference: &str, data: &Path) -> Result<String, String> {
    let output = Command::new(SAMPAN)
        .args(["image", "import"])
        .arg(file)
        .arg(reference)
        .arg("--data-dir")
        .arg(data)
        .output()
        .expect("sampan image import starts");
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed).into_owned();
    match output.status.success() {
        true => Ok(printed),
        false => Err(printed),
    }
}
