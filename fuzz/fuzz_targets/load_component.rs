//! An image's file: whatever is in it, the node says in few words what is wrong with it, or could run it. Nothing is run.
#![no_main]

use std::cell::Cell;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use runtime::engine::{Config, Engine, LoadError};
use tempfile::TempDir;
use tokio::runtime::Runtime;

struct Node {
    directory: TempDir,
    engine: Engine,
    runtime: Runtime,
}

static NODE: LazyLock<Node> = LazyLock::new(|| {
    let directory = TempDir::new().expect("a directory");
    let engine = Engine::new(Config::new(directory.path().join("code"))).expect("an engine");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    Node { directory, engine, runtime }
});

thread_local! {
    static NUMBER: Cell<u64> = const { Cell::new(0) };
}

/// More is for the compiler, which has fuzz targets of its own.
const MOST: usize = 64 << 10;

fuzz_target!(|bytes: &[u8]| {
    if bytes.len() > MOST {
        return;
    }
    let Node { directory, engine, runtime } = &*NODE;
    let file = directory.path().join("guest.wasm");
    std::fs::write(&file, bytes).expect("room");
    // Each is another: what is loaded twice would not be looked at again.
    let digest = format!("sha256:{}", NUMBER.replace(NUMBER.get() + 1));
    match runtime.block_on(engine.load(&digest, &file)) {
        Ok(guest) => {
            drop(guest);
            engine.collect_code(u64::MAX);
        }
        Err(error) => {
            assert!(error.to_string().len() < 2_000, "too many words: {error}");
            assert!(!matches!(error, LoadError::Compiler(_)), "{error}");
        }
    }
});
