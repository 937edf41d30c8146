//! Server-side apply: who owns which field, and what follows from it when someone writes.
//!
//! ```text
//! object + type ─► paths (a field set)          two objects ─► compare (removed, modified, added)
//! live + applied configuration ─► merge ─► remove (what is no longer applied) ─► ownership (conflicts, new sets)
//! ```
//!
//! This is the algorithm of structured-merge-diff, over plain values and a [`TypeView`]: sets, their order and their text
//! (FieldsV1) come out as upstream's do, since clients and other servers read them. Nothing here knows of managers' names or
//! times; those are the registry's.

mod compare;
mod element;
mod fields;
mod merge;
mod ownership;
mod paths;
mod reconcile;
mod remove;
#[cfg(test)]
mod tests;
mod validate;
mod view;

pub use compare::{Comparison, compare};
pub use fields::{FieldSet, Malformed};
pub use ownership::{Applied, ApplyError, Conflict, Managers, Owner, Versions, apply, update};
pub use paths::paths;
pub use validate::{Problems, validate};
pub use view::{Fields, Owned, Scalar, Tree, TypeView};

use crate::table::TypeRef;
use serde_json::Value;

/// An object of a type that nobody wrote yet: what a create is compared to.
pub fn blank(ty: TypeRef) -> Value {
    crate::admit::zero(ty)
}
