//! The Kubernetes 1.33 API as data, and everything that follows from it without knowing what a kind means.
//!
//! One [`Table`] holds every served resource and every type behind it: fields in the order of Go's structs, protobuf
//! numbers, merge keys, defaults. The rest of the crate interprets it, so that no kind needs code of its own to be read,
//! checked, defaulted, patched, described or encoded:
//!
//! bytes → [`decode`] → [`admit`] (types, unknown fields, order) → [`default`] → [`merge`] (patches) → [`encode`],
//! and [`openapi`] tells clients about it.
//!
//! Values are `serde_json::Value` with objects in the order of Go's structs: clients compare bytes, and people read them.
//! Nothing here does I/O; the built-in table is inflated at first use and stays well under a few megabytes.

pub mod admit;
pub mod apply;
pub mod decode;
pub mod default;
pub mod encode;

pub mod merge;
pub mod openapi;
#[cfg(test)]
mod sample;
mod table;

pub use table::{Detail, Field, ListKind, ResourceRow, Shape, Strategy, SubRow, Table, Type, TypeRef, Verbs, builtin};
