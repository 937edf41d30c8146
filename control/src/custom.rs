//! Kinds that users define themselves.
//!
//! ```text
//! CustomResourceDefinition ─► rules ─► store ─► controller: names, conditions ─► catalog ─► registry.serve(kinds)
//!                                                                                             │
//!                          http, registry: the same verbs as for any kind  ◄── Kind ◄─────────┘
//! ```
//!
//! A definition is an object like any other; the [controller](run) decides which of them are established, and the
//! [catalog](load) makes a [`Kind`] of every served version of those. A kind knows what the table of built-in kinds knows
//! of the others: its schema, its columns, its selectable fields, where its replicas are counted, and how it gets from the
//! version that is stored to the one that is asked for.
//!
//! # Guarantees
//! An established definition is served before its condition says so, and after a restart before the listener answers. A
//! definition that is deleted is served until its last instance is gone.

mod catalog;
mod column;
mod condition;
mod controller;
mod convert;
mod definition;
mod kind;
mod names;
mod path;
mod plan;
mod review;
mod rules;
mod scale;
pub mod schema;

pub use catalog::{load, read_only};
pub use column::Columns;
pub use controller::run;
pub use convert::ConvertError;
pub use definition::{DEFINITIONS, mark_deleted};
pub use kind::{Conversion, Family, Kind};
pub use scale::{Scale, ScalePaths};
