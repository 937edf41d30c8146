//! What a component says of itself on its outside, read without compiling it.

use wasmparser::{Parser, Payload};

/// Whether a component speaks WASI 0.3: any interface of it, imported or exported, besides whatever else. The names of
/// inner components do not count: they are wired up inside.
pub(super) fn is_concurrent(component: &[u8]) -> wasmparser::Result<bool> {
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(imports) if depth == 0 => {
                for import in imports {
                    if is_of_0_3(import?.name.name) {
                        return Ok(true);
                    }
                }
            }
            Payload::ComponentExportSection(exports) if depth == 0 => {
                for export in exports {
                    if is_of_0_3(export?.name.name) {
                        return Ok(true);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(false)
}

fn is_of_0_3(name: &str) -> bool {
    name.starts_with("wasi:") && name.split_once('@').is_some_and(|(_, version)| version.starts_with("0.3."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> bool {
        is_concurrent(&wat::parse_str(text).unwrap()).unwrap()
    }

    #[test]
    fn one_interface_is_enough_but_not_an_inner_one() {
        assert!(of(r#"(component (import "wasi:clocks/types@0.3.0" (instance)))"#));
        assert!(of(r#"(component (instance $i) (export "wasi:cli/run@0.3.0" (instance $i)))"#));
        assert!(!of(r#"(component (import "wasi:io/poll@0.2.3" (instance)))"#));
        assert!(!of(r#"(component (component (import "wasi:clocks/types@0.3.0" (instance))))"#));
    }
}
