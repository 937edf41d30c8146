//! What becomes a guest, and what is said of the rest.

use std::path::Path;

use runtime::engine::{Config, Engine, LoadError};
use runtime::guest::GuestKind;

use crate::harness::{digest, engine, load, sample, scratch, written};

#[tokio::test]
async fn the_bytes_decide_the_kind() {
    assert_eq!(load(&sample("env")).await.kind, GuestKind::Command);
    assert_eq!(load(&sample("echo-hostname")).await.kind, GuestKind::HttpHandler);
    assert_eq!(load(&sample("net_p3")).await.kind, GuestKind::Command);
    assert_eq!(load(&sample("hello_p3")).await.kind, GuestKind::HttpHandler);
}

#[tokio::test]
async fn two_pods_of_one_image_share_its_code() {
    let path = sample("env");
    let (one, two) = tokio::join!(load(&path), load(&path));
    assert!(std::sync::Arc::ptr_eq(&one, &two));
}

#[tokio::test]
async fn an_import_that_is_not_provided_is_named() {
    let wanting = written(
        "wanting",
        r#"(component
            (import "acme:rockets/launcher@1.0.0" (instance (export "launch" (func))))
            (import "wasi:io/error@0.2.0" (instance (export "error" (type (sub resource)))))
            (import "wasi:nn/tensor@0.2.0-rc" (instance))
            (core module $m (func (export "run") (result i32) i32.const 0))
            (core instance $i (instantiate $m))
            (func $run (result (result)) (canon lift (core func $i "run")))
            (instance $cli (export "run" (func $run)))
            (export "wasi:cli/run@0.2.0" (instance $cli)))"#,
    );
    let error = refused(&wanting).await;
    let LoadError::Imports { names, .. } = &error else { panic!("{error:?}") };
    assert_eq!(*names, ["acme:rockets/launcher@1.0.0", "wasi:nn/tensor@0.2.0-rc"], "all of them, and no others");
}

#[tokio::test]
async fn a_component_with_nothing_to_start_says_what_it_has() {
    let idle = written("idle", r#"(component (instance $i) (export "acme:rockets/pad" (instance $i)))"#);
    let error = refused(&idle).await.to_string();
    assert!(error.contains("exports acme:rockets/pad") && error.contains("wasi:cli/run"), "{error}");
}

#[tokio::test]
async fn other_files_are_told_what_they_are() {
    assert!(matches!(refused(&written("module", "(module)")).await, LoadError::CoreModule { .. }));
    for (bytes, word) in
        [(&b"\x1f\x8b\x08rest"[..], "gzip"), (b"\x7fELF", "native"), (b"", "empty"), (b"hello", "kind")]
    {
        let error = refused_bytes(word, bytes).await.to_string();
        assert!(error.contains(word) && error.contains("Sampan runs"), "{error}");
    }
    let error = refused(Path::new("/nowhere/x.wasm")).await;
    assert!(matches!(error, LoadError::Read { .. }), "{error:?}");
}

#[tokio::test]
async fn broken_wasm_is_invalid() {
    let mut bytes = std::fs::read(sample("env")).unwrap();
    bytes.truncate(bytes.len() / 2);
    let error = refused_bytes("broken", &bytes).await;
    assert!(matches!(error, LoadError::Invalid(_)) && error.to_string().len() < 400, "{error}");
}

#[tokio::test]
async fn code_for_the_second_engine_is_kept_too() {
    let dir = tempfile::tempdir_in(scratch("")).unwrap();
    let mut config = Config::new(dir.path());
    config.instances = Some(16);
    Engine::new(config.clone()).unwrap().load("sha256:hello", &sample("hello_p3")).await.unwrap();
    Engine::new(config).unwrap().load("sha256:hello", Path::new("/nowhere/hello.wasm")).await.unwrap();
}

#[tokio::test]
async fn code_is_kept_and_a_corrupt_entry_compiled_again() {
    let dir = tempfile::tempdir_in(scratch("")).unwrap();
    let path = written(
        "small",
        r#"(component
            (core module $m (func (export "run") (result i32) i32.const 0))
            (core instance $i (instantiate $m))
            (func $run (result (result)) (canon lift (core func $i "run")))
            (instance $cli (export "run" (func $run)))
            (export "wasi:cli/run@0.2.0" (instance $cli)))"#,
    );
    let mut config = Config::new(dir.path());
    config.instances = Some(10);
    let gone = Path::new("/nowhere/small.wasm");
    Engine::new(config.clone()).unwrap().load("sha256:small", &path).await.unwrap();
    // Another engine, as after a restart, does not need the file.
    Engine::new(config.clone()).unwrap().load("sha256:small", gone).await.unwrap();
    let code = walk(dir.path()).into_iter().find(|path| path.extension().is_some_and(|it| it == "cwasm")).unwrap();
    let mut bytes = std::fs::read(&code).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    std::fs::write(&code, &bytes).unwrap();
    let engine = Engine::new(config).unwrap();
    assert!(matches!(engine.load("sha256:small", gone).await, Err(LoadError::Read { .. })), "the entry is not used");
    assert!(!code.exists());
    engine.load("sha256:small", &path).await.unwrap();
}

fn walk(dir: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

async fn refused(path: &Path) -> LoadError {
    let digest = if path.exists() { digest(path) } else { "sha256:none".into() };
    engine().load(&digest, path).await.unwrap_err()
}

async fn refused_bytes(name: &str, bytes: &[u8]) -> LoadError {
    let path = scratch("written").join(format!("{name}.bin"));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, bytes).unwrap();
    refused(&path).await
}
