//! Calls that the adapter does not do justice to, put elsewhere: exit codes, and [sockets](super::sockets).
//!
//! The adapter turns `proc_exit` into `wasi:cli/exit#exit`, which says well or not well: every code but 0 would become 1.
//! WASI 0.2 has had `exit-with-code` since, of the same core type as `proc_exit`, so a module that exits imports that
//! instead.

use std::convert::Infallible;

use super::sockets;
use wasi_preview1_component_adapter_provider::WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME as PREVIEW1;
use wasm_encoder::reencode::{Error as ReencodeError, Reencode};
use wasm_encoder::{ImportSection, Module};
use wasmparser::{ImportSectionReader, Parser};
use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// What the module is then made for, besides preview 1.
const WORLD: &str = "package sampan:wasip1;
world module { import wasi:cli/exit@0.2.12; }
package wasi:cli@0.2.12 {
  interface exit {
    exit: func(status: result);
    exit-with-code: func(status-code: u8);
  }
}";

/// Why a module could not be written anew.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The module is broken.
    #[error("{0}")]
    Module(#[from] ReencodeError<Infallible>),
    /// The fault is here.
    #[error("{0:#}")]
    World(#[from] wasmtime::Error),
}

/// The module, with `exit-with-code` in the place of `proc_exit`, and its calls for sockets elsewhere. One that has none
/// of these stays as it is.
pub(super) fn rename(module: &[u8]) -> Result<Vec<u8>, Error> {
    let mut renaming = Renaming { renamed: false };
    let mut renamed = Module::new();
    renaming.parse_core_module(&mut renamed, Parser::new(0), module)?;
    if !renaming.renamed {
        return Ok(module.to_vec());
    }
    let mut bytes = renamed.finish();
    let mut resolve = Resolve::default();
    let told = |error: &dyn std::fmt::Display| wasmtime::Error::msg(error.to_string());
    let package = resolve.push_str("wasip1.wit", WORLD).map_err(|error| told(&error))?;
    let world = resolve.select_world(&[package], None).map_err(|error| told(&error))?;
    embed_component_metadata(&mut bytes, &resolve, world, StringEncoding::UTF8).map_err(|error| told(&error))?;
    Ok(bytes)
}

struct Renaming {
    renamed: bool,
}

impl Reencode for Renaming {
    type Error = Infallible;

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: ImportSectionReader<'_>,
    ) -> Result<(), ReencodeError<Infallible>> {
        for import in section.into_imports() {
            let import = import?;
            let (module, name) = match (import.module, import.name) {
                (PREVIEW1, "proc_exit") => ("wasi:cli/exit@0.2.12", "exit-with-code"),
                (PREVIEW1, call) if sockets::is_call(call) => (sockets::ADAPTER, call),
                other => other,
            };
            self.renamed |= module != import.module;
            imports.import(module, name, self.entity_type(import.ty)?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imported(text: &str) -> Vec<String> {
        let module = rename(&wat::parse_str(text).unwrap()).unwrap();
        let mut names = Vec::new();
        for payload in Parser::new(0).parse_all(&module) {
            if let wasmparser::Payload::ImportSection(imports) = payload.unwrap() {
                let imports = imports.into_imports().map(Result::unwrap);
                names.extend(imports.map(|import| format!("{} {}", import.module, import.name)));
            }
        }
        names
    }

    #[test]
    fn only_what_the_adapter_has_not_is_replaced() {
        let text = r#"(module
            (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
            (import "wasi_snapshot_preview1" "sock_shutdown" (func (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "sched_yield" (func (result i32))))"#;
        let (adapter, preview1) = (sockets::ADAPTER, PREVIEW1);
        let expected = format!("wasi:cli/exit@0.2.12 exit-with-code, {adapter} sock_shutdown, {preview1} sched_yield");
        assert_eq!(imported(text).join(", "), expected);
        assert_eq!(imported(r#"(module (import "env" "proc_exit" (func)))"#), ["env proc_exit"]);
    }
}
