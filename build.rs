//! Builds the sample guests, so that `cargo run -- run -f examples-wasm/hello` and `cargo test` need nothing before them.
//!
//! The guests are a workspace of their own, for another target and with another profile: they are built by a second
//! cargo, which must see none of what the first one tells this script about the host's build.
//!
//! One of them, the toolbox, becomes a part of the binary: see `src/toolbox.rs`.

use std::env;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, UNIX_EPOCH};

use flate2::Compression;
use flate2::write::GzEncoder;

const TARGET: &str = "wasm32-wasip2";

/// For those who have sampan as a dependency and run guests of their own.
const SKIP: &str = "SAMPAN_SKIP_GUESTS";

/// What describes the host's build; the proxies, registries and home of cargo stay.
const HOST_ONLY: &[&str] = &[
    "CARGO_BUILD_",
    "CARGO_CFG_",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_FEATURE_",
    "CARGO_INCREMENTAL",
    "CARGO_MANIFEST_",
    "CARGO_PKG_",
    "CARGO_PROFILE_",
    "CARGO_TARGET_",
    "CLIPPY_",
    "RUSTC_",
    "RUSTDOCFLAGS",
    "RUSTFLAGS",
    "TARGET",
    "__CARGO",
];

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={SKIP}");
    println!("cargo::rustc-check-cfg=cfg(has_toolbox)");
    let guests = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("examples-wasm");
    if env::var_os(SKIP).is_some() || !guests.is_dir() {
        return ExitCode::SUCCESS;
    }
    match watch(&guests).and_then(|()| add_target()).and_then(|()| build(&guests)).and_then(|()| embed(&guests)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the sample guests in examples-wasm could not be built: {error}");
            eprintln!("(set {SKIP}=1 to build without them)");
            ExitCode::FAILURE
        }
    }
}

/// Names every source to cargo: not the manifests, which change nothing here, nor the guests' own target folder.
fn watch(guests: &Path) -> Result<(), String> {
    let entries = fs::read_dir(guests).map_err(|error| format!("{}: {error}", guests.display()))?;
    let folders = entries.flatten().map(|entry| entry.path());
    let sources =
        folders.flat_map(|folder| [folder.join("Cargo.toml"), folder.join("src")]).filter(|path| path.exists());
    let interface = guests.with_file_name("runtime").join("wit/toolbox");
    let workspace = [guests.join("Cargo.toml"), guests.join("Cargo.lock"), interface, stamp(guests)];
    for path in sources.chain(workspace) {
        println!("cargo::rerun-if-changed={}", path.display());
    }
    Ok(())
}

/// A file that lives and dies with what was built, and that is older than any build: see `build`.
fn stamp(guests: &Path) -> PathBuf {
    guests.join("target/built.stamp")
}

/// Adds the target to the active toolchain where it is missing.
fn add_target() -> Result<(), String> {
    let sysroot = output(Command::new(tool("RUSTC", "rustc")).args(["--print", "sysroot"]))?;
    if Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET).is_dir() {
        return Ok(());
    }
    let advice = format!("the Rust target {TARGET} is missing; add it with `rustup target add {TARGET}`");
    match output(Command::new("rustup").args(["target", "add", TARGET])) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("{advice} ({error})")),
    }
}

fn build(guests: &Path) -> Result<(), String> {
    let mut cargo = Command::new(tool("CARGO", "cargo"));
    cargo.args(["build", "--release", "--locked", "--target", TARGET]);
    cargo.arg("--manifest-path").arg(guests.join("Cargo.toml"));
    cargo.arg("--target-dir").arg(guests.join("target"));
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if HOST_ONLY.iter().any(|prefix| name.starts_with(prefix)) {
            cargo.env_remove(name);
        }
    }
    output(&mut cargo)?;
    // Cargo runs this script again when a file it watches is newer than the last run, or gone.
    let stamp = stamp(guests);
    File::create(&stamp)
        .and_then(|file| file.set_modified(UNIX_EPOCH + Duration::from_secs(86_400)))
        .map_err(|error| format!("{}: {error}", stamp.display()))
}

/// Compresses the toolbox for `src/toolbox.rs`.
fn embed(guests: &Path) -> Result<(), String> {
    let from = guests.join("target").join(TARGET).join("release/toolbox.wasm");
    let to = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("toolbox.wasm.gz");
    let bytes = fs::read(&from).map_err(|error| format!("{}: {error}", from.display()))?;
    let mut compressed = GzEncoder::new(Vec::new(), Compression::best());
    let compressed = compressed.write_all(&bytes).and_then(|()| compressed.finish());
    compressed.and_then(|bytes| fs::write(&to, bytes)).map_err(|error| format!("{}: {error}", to.display()))?;
    println!("cargo::rustc-cfg=has_toolbox");
    Ok(())
}

/// The program that cargo tells a build script to use.
fn tool(variable: &str, usual: &str) -> PathBuf {
    env::var_os(variable).map_or_else(|| usual.into(), PathBuf::from)
}

/// Runs a command to its end; what it printed is the error when it fails.
fn output(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{name} does not start: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!("{name} ended with {}\n{}", output.status, String::from_utf8_lossy(&output.stderr))),
    }
}
