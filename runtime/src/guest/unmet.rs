//! Which of a component's imports nothing here answers to.
//!
//! wasmtime stops at the first. Somebody who ports a program wants to know all of them, so each is asked for by itself:
//! by a component that imports the name as what it never is, a function. What is there is of another kind then, and what
//! is not is missing.

use wasmtime::component::{Component, Linker};

use super::sniff;
use crate::engine::LoadError;
use crate::host::Host;

/// More would not fit into a pod's status.
const NAMED: usize = 20;

pub(super) fn told(imports: &[String], linker: &Linker<Host>, error: &wasmtime::Error) -> LoadError {
    let reason = sniff::shorten(&error.root_cause().to_string());
    let mut names = few(imports.iter().filter(|name| !is_provided(name, linker)).map(String::as_str));
    if names.is_empty() {
        // The interface is here and differs. wasmtime names it between backticks.
        names.push(format!("{error:#}").split('`').nth(1).unwrap_or("something").to_owned());
    }
    LoadError::Imports { names, reason }
}

/// As many of the names, and as much of each, as somebody reads.
pub(crate) fn few<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    names.take(NAMED).map(sniff::shorten).collect()
}

fn is_provided(name: &str, linker: &Linker<Host>) -> bool {
    let probed = Component::new(linker.engine(), probe(name)).and_then(|probe| linker.instantiate_pre(&probe));
    probed.is_err_and(|error| error.root_cause().to_string().contains("found instance"))
}

/// `(component (import "name" (func)))`, in binary.
fn probe(name: &str) -> Vec<u8> {
    let mut import = vec![1, 0];
    import.extend(leb128(name.len()));
    import.extend(name.as_bytes());
    import.extend([1, 0]);
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    // One type: a function without parameters and result.
    bytes.extend([7, 5, 1, 0x40, 0, 1, 0]);
    bytes.push(10);
    bytes.extend(leb128(import.len()));
    bytes.extend(import);
    bytes
}

fn leb128(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_are_what_the_text_says() {
        for name in ["wasi:io/poll@0.2.0", &format!("a:{}/b", "x".repeat(200))] {
            assert_eq!(probe(name), wat::parse_str(format!("(component (import {name:?} (func)))")).unwrap());
        }
    }
}
