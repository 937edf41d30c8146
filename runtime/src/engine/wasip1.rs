//! Core modules of wasip1, the WebAssembly of the time before components.
//!
//! wasmtime's adapter for commands, a small module of its own, speaks preview 1 on one side and `wasi:cli` 0.2 on the
//! other. Wrapped together they are a component like any other: same engine, same limits, same host. It takes a few
//! milliseconds, once; what is kept is the code compiled from the result. The adapter knows success and failure only and
//! no sockets, so exit codes and calls for sockets [go around it](renamed).

mod renamed;
mod sockets;

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME as PREVIEW1, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER as ADAPTER,
};
use wasmparser::{Parser, Payload};
use wit_component::ComponentEncoder;

use super::load::LoadError;
use crate::guest::unmet;

/// What matters of a module before it is wrapped.
#[derive(Debug, Default, PartialEq, Eq)]
struct Face {
    /// Imports that preview 1 has not, as `env.memory`.
    foreign: Vec<String>,
    starts: bool,
    initializes: bool,
}

/// The component that a command's core module is equal to.
pub(super) fn component(module: &[u8]) -> Result<Vec<u8>, LoadError> {
    let face = face(module).map_err(|error| LoadError::Invalid(error.to_string()))?;
    admit(&face)?;
    let module = renamed::rename(module).map_err(|error| LoadError::Invalid(error.to_string()))?;
    encode(&module).map_err(|error| LoadError::CoreModule { why: format!("does not keep to wasip1: {error}") })
}

fn encode(module: &[u8]) -> Result<Vec<u8>, String> {
    let encoded = ComponentEncoder::default()
        .validate(false)
        .module(module)
        .and_then(|encoder| encoder.adapter(PREVIEW1, ADAPTER))
        .and_then(|encoder| encoder.adapter(sockets::ADAPTER, &sockets::adapter()))
        .and_then(|mut encoder| encoder.encode());
    // The innermost error says what, the outer ones only where in the encoder.
    encoded.map_err(|error| crate::guest::sniff::shorten(&error.root_cause().to_string()))
}

fn admit(face: &Face) -> Result<(), LoadError> {
    let refused = |why: &str| Err(LoadError::CoreModule { why: why.to_owned() });
    match face {
        Face { foreign, .. } if !foreign.is_empty() => Err(LoadError::Imports {
            names: unmet::few(foreign.iter().map(String::as_str)),
            reason: format!("a core module may import functions of {PREVIEW1} and nothing else"),
        }),
        Face { starts: true, .. } => Ok(()),
        Face { initializes: true, .. } => {
            refused("is a library: it exports _initialize and no _start (a reactor, in wasip1's words)")
        }
        _ => refused("exports no _start"),
    }
}

fn face(module: &[u8]) -> wasmparser::Result<Face> {
    let mut face = Face::default();
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let import = import?;
                    if import.module != PREVIEW1 {
                        face.foreign.push(format!("{}.{}", import.module, import.name));
                    }
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    let name = export?.name;
                    face.starts |= name == "_start";
                    face.initializes |= name == "_initialize";
                }
                break;
            }
            _ => {}
        }
    }
    Ok(face)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        component(&wat::parse_str(text).unwrap()).map(|_| "runs".to_owned()).unwrap_or_else(|error| error.to_string())
    }

    #[test]
    fn a_command_becomes_a_component() {
        let text = r#"(module
            (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
            (memory (export "memory") 1) (func (export "_start")))"#;
        assert_eq!(told(text), "runs");
    }

    #[test]
    fn what_is_no_command_is_told_why() {
        assert!(told(r#"(module (func (export "_initialize")))"#).contains("library"));
        assert!(told("(module)").contains("exports no _start"));
        let text = r#"(module (import "env" "memory" (memory 1)) (import "wasi" "thread-spawn" (func))
            (func (export "_start")))"#;
        assert!(told(text).contains("env.memory, wasi.thread-spawn"), "{}", told(text));
        let text = r#"(module (import "wasi_snapshot_preview1" "sock_accept" (func (param i64) (result i32)))
            (memory (export "memory") 1) (func (export "_start")))"#;
        assert!(told(text) != "runs", "a call for sockets of another kind");
        let many: String =
            (0..100).map(|at| format!("(import \"env\" \"{}{at}\" (func))", "x".repeat(1_000))).collect();
        assert!(told(&format!("(module {many})")).len() < 10_000);
        let text = r#"(module (import "wasi_snapshot_preview1" "fork" (func)) (memory (export "memory") 1)
            (func (export "_start")))"#;
        assert!(told(text).contains("fork"), "{}", told(text));
    }
}
