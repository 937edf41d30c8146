//! The import rules of the workspace, held: who may depend on whom, and where a library may be named.
//!
//! `deny.toml` says the same about the libraries for those who have cargo-deny; this test needs nothing but cargo.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What each crate may import of the others. `control` and `runtime` never meet but in the Kubernetes API.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("sampan", &["sampan-control", "sampan-netproxy", "sampan-objects", "sampan-runtime", "sampan-schema"]),
    ("sampan-control", &["sampan-objects", "sampan-schema"]),
    ("sampan-netproxy", &["sampan-objects"]),
    ("sampan-objects", &[]),
    ("sampan-runtime", &["sampan-netproxy", "sampan-objects", "sampan-streaming"]),
    ("sampan-streaming", &[]),
    // How a quantity is written canonically is a meaning, not a fact of the table.
    ("sampan-schema", &["sampan-objects"]),
];

/// Libraries that one crate alone may depend on; a name stands for all that start with it.
const ONLY: &[(&str, &[&str])] = &[("redb", &["sampan-control", "sampan-runtime"]), ("wasmtime", &["sampan-runtime"])];

#[test]
fn crates_import_only_what_they_may() {
    let imports = imports();
    let ours: BTreeSet<&str> = imports.keys().map(String::as_str).collect();
    assert_eq!(ours, MAY_IMPORT.iter().map(|(name, _)| *name).collect(), "every crate has its rule");
    for (name, allowed) in MAY_IMPORT {
        for import in imports[*name].iter().filter(|import| ours.contains(import.as_str())) {
            assert!(allowed.contains(&import.as_str()), "{name} must not depend on {import}");
        }
    }
}

#[test]
fn libraries_stay_in_their_crate() {
    for (name, imports) in imports() {
        for (library, owners) in ONLY.iter().filter(|(_, owners)| !owners.contains(&name.as_str())) {
            let named: Vec<_> = imports.iter().filter(|import| import.starts_with(library)).collect();
            assert!(named.is_empty(), "only {owners:?} may depend on {library}: {name} has {named:?}");
        }
    }
}

#[test]
fn redb_is_named_in_the_store_alone() {
    for (file, line) in lines_with("control/src", "redb::") {
        let in_store = file.starts_with("control/src/store") || file == Path::new("control/src/store.rs");
        assert!(in_store, "redb belongs to the store: {}: {line}", file.display());
    }
}

#[test]
fn the_node_sees_only_the_fabric_of_the_network() {
    for (file, line) in lines_with("runtime/src", "netproxy::") {
        let others = line.replace("netproxy::fabric", "").contains("netproxy::");
        assert!(!others, "runtime uses netproxy::fabric alone: {}: {line}", file.display());
    }
}

/// The direct dependencies of each crate of the workspace, those of tests and build scripts included.
fn imports() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo metadata");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON from cargo metadata");
    let packages = metadata["packages"].as_array().expect("packages");
    let named = |value: &Value| value["name"].as_str().expect("a name").to_owned();
    let dependencies =
        |package: &Value| package["dependencies"].as_array().expect("dependencies").iter().map(named).collect();
    packages.iter().map(|package| (named(package), dependencies(package))).collect()
}

/// Every line of code below `folder` that has `words` in it, with its file.
fn lines_with(folder: &str, words: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the workspace").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source file");
                let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
                let name = path.strip_prefix(root).expect("a path below the root");
                found.extend(
                    code.filter(|line| line.contains(words)).map(|line| (name.to_owned(), line.trim().to_owned())),
                );
            }
        }
    }
    found
}
