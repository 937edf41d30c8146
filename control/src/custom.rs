//! Kinds that users define themselves.

pub mod schema;
