//! Bytes that mean harm: each is refused in words, quickly, and the engine goes on.

use std::time::{Duration, Instant};

use runtime::engine::LoadError;

use crate::harness::{engine, load, module, sample, scratch};

/// Far more than a refusal takes, far less than an attack that works.
const SOON: Duration = Duration::from_secs(30);

async fn offered(name: &str, bytes: &[u8]) -> Result<(), LoadError> {
    let path = scratch("written").join(format!("{name}.hostile"));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, bytes).unwrap();
    let begun = Instant::now();
    let outcome = engine().load(&crate::harness::digest(&path), &path).await.map(drop);
    assert!(begun.elapsed() < SOON, "{name} took {:?}", begun.elapsed());
    if let Err(error) = &outcome {
        assert!(error.to_string().len() < 2_000, "{name}: too many words: {}", error.to_string().len());
        assert!(!matches!(error, LoadError::Compiler(_)), "{name} broke the compiler: {error}");
    }
    outcome
}

async fn refused(name: &str, bytes: &[u8]) {
    assert!(offered(name, bytes).await.is_err(), "{name} is not refused");
}

/// A component in a component in a component …
#[tokio::test]
async fn depth_is_bounded() {
    for count in [50, 3_000] {
        let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
        for _ in 0..count {
            let mut length = bytes.len();
            let mut outer = b"\0asm\x0d\0\x01\0\x04".to_vec();
            while length > 0x7f {
                outer.push((length & 0x7f) as u8 | 0x80);
                length >>= 7;
            }
            outer.push(length as u8);
            outer.extend(bytes);
            bytes = outer;
        }
        refused(&format!("deep-{count}"), &bytes).await;
    }
}

/// Cut and flipped at many places, the same ones each time.
#[tokio::test]
async fn damage_anywhere_is_survived() {
    let files = [("p2", sample("env")), ("p1", module("env")), ("p3", sample("net_p3"))];
    for (kind, file) in files {
        let whole = std::fs::read(file).unwrap();
        for step in 1..12 {
            let cut = whole.len() * step / 12;
            refused(&format!("{kind}-cut-{step}"), &whole[..cut]).await;
        }
        // The structure is in front and at the end; in between is code, which takes long to compile when it is whole.
        for step in 0..40 {
            let at = if step % 2 == 0 { 8 + step * 5 } else { whole.len() - 1 - step * 7 };
            let mut bytes = whole.clone();
            bytes[at] ^= 0xff;
            // It may be a name that is damaged, and nothing else.
            let _ = offered(&format!("{kind}-flip-{step}"), &bytes).await;
        }
    }
    load(&sample("env")).await;
}

#[tokio::test]
async fn what_is_too_much_is_refused() {
    let exported = r#"(core instance $i (instantiate $m)) (func $run (result (result)) (canon lift (core func $i "run")))
        (instance $cli (export "run" (func $run))) (export "wasi:cli/run@0.2.0" (instance $cli))"#;
    let with = |inside: &str| {
        format!(r#"(component (core module $m (func (export "run") (result i32) i32.const 0) {inside}) {exported})"#)
    };
    let cases = [
        ("huge-table", with("(table 4294967295 funcref)")),
        ("many-tables", with(&"(table 1 funcref)".repeat(200))),
        ("many-memories", with(&"(memory 1)".repeat(200))),
        ("huge-memory", with("(memory 65537)")),
        ("memory-64", with("(memory i64 1048577)")),
        ("many-globals-of-imports", format!("(component {})", r#"(import "a" (func))"#.repeat(2_000))),
        ("long-name", format!(r#"(component (import "{}" (func)))"#, "a".repeat(200_000))),
    ];
    for (name, text) in cases {
        match wat::parse_str(&text) {
            Ok(bytes) => refused(name, &bytes).await,
            Err(error) => panic!("{name}: {error}"),
        }
    }
}

#[tokio::test]
async fn sizes_are_bounded_before_anything_is_read() {
    let path = scratch("written").join("sparse.wasm");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
    let error = engine().load("sha256:sparse", &path).await.unwrap_err();
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(error, LoadError::TooLarge { .. }), "{error}");
}

#[tokio::test]
async fn sections_that_lie_about_themselves_are_refused() {
    let head = b"\0asm\x0d\0\x01\0";
    let module = b"\0asm\x01\0\0\0";
    for (name, tail) in [
        ("long-section", &[1, 0xff, 0xff, 0xff, 0xff, 0x0f][..]),
        ("endless-number", &[1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        ("custom-without-name", &[0, 1, 0xff]),
        ("many-types", &[7, 6, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x42]),
        ("many-imports", &[2, 6, 0xff, 0xff, 0xff, 0xff, 0x0f, 0]),
        ("unknown-section", &[99, 0]),
    ] {
        refused(&format!("component-{name}"), &[head, tail].concat()).await;
        refused(&format!("module-{name}"), &[module, tail].concat()).await;
    }
}
