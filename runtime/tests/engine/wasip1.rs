//! Core modules of wasip1.

use runtime::container::{Exit, Mount};
use runtime::guest::GuestKind;

use crate::harness::{Net, exit, load, module, start_file, written};

#[tokio::test]
async fn a_program_is_run_as_its_component_would_be() {
    let net = Net::new();
    let file = module("env");
    assert_eq!(load(&file).await.kind, GuestKind::Command);
    let (mut env, ears) = start_file(&net.pod("old-0"), &file, &["env", "one"], |spec| {
        spec.env = vec![("GREETING".into(), "hello".into())];
    })
    .await;
    assert_eq!(exit(&mut env).await, Exit::Code(0));
    assert_eq!(ears.text(), "arg 0: env\narg 1: one\nGREETING=hello\nHOSTNAME=old-0\n");
}

#[tokio::test]
async fn files_limits_and_panics_are_the_same() {
    let net = Net::new();
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("log"), "first\n").unwrap();
    let (tail, ears) = start_file(&net.pod("tail"), &module("log-tail"), &["log-tail", "/data/log"], |spec| {
        spec.mounts = vec![Mount { host: dir.path().to_owned(), guest: "/data".into(), read_only: true, pin: None }];
    })
    .await;
    ears.hear("first").await;
    drop(tail);
    let (mut hog, _) =
        start_file(&net.pod("hog"), &module("hog"), &["hog"], |spec| spec.memory_limit = Some(16 << 20)).await;
    assert_eq!(exit(&mut hog).await, Exit::OutOfMemory);
    let (mut crash, ears) = start_file(&net.pod("crash"), &module("crash"), &["crash", "panic"], |_| {}).await;
    assert!(matches!(exit(&mut crash).await, Exit::Trap { .. }), "{}", ears.text());
}

#[tokio::test]
async fn exit_codes_are_the_programs_own() {
    let net = Net::new();
    let file = written(
        "exit-42",
        r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 1)
            (func (export "_start") (call $exit (i32.const 42))))"#,
    );
    let (mut guest, _) = start_file(&net.pod("exit"), &file, &["exit"], |_| {}).await;
    assert_eq!(exit(&mut guest).await, Exit::Code(42));
}

/// Preview 1 has calls for sockets that somebody else opened, and here nobody has.
#[tokio::test]
async fn no_descriptor_is_a_socket() {
    let net = Net::new();
    let file = written(
        "sock",
        r#"(module
            (import "wasi_snapshot_preview1" "sock_accept" (func $accept (param i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "sock_recv" (func $recv (param i32 i32 i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "sock_send" (func $send (param i32 i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "sock_shutdown" (func $shutdown (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 1)
            (func (export "_start")
                (i32.ne (call $accept (i32.const 3) (i32.const 0) (i32.const 64)) (i32.const 57))
                (if (then (call $exit (i32.const 1))))
                (i32.ne (call $recv (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 8) (i32.const 12))
                    (i32.const 57))
                (if (then (call $exit (i32.const 2))))
                (i32.ne (call $send (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 8)) (i32.const 57))
                (if (then (call $exit (i32.const 3))))
                (call $exit (call $shutdown (i32.const 0) (i32.const 2)))))"#,
    );
    let (mut guest, ears) = start_file(&net.pod("sock"), &file, &["sock"], |_| {}).await;
    assert_eq!(exit(&mut guest).await, Exit::Code(57), "{}", ears.text());
}
