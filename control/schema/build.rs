//! Compresses what the crate carries: the table of types.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::DeflateEncoder;

fn main() {
    println!("cargo::rerun-if-changed=data/types.txt");
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let types = std::fs::read("data/types.txt").expect("data/types.txt is checked in");
    deflate(&out.join("types.deflate"), &types);
}

fn deflate(path: &Path, bytes: &[u8]) {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .and_then(|packed| std::fs::write(path, packed))
        .expect("OUT_DIR is writable");
}
