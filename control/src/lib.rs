//! The API and its loops.
//!
//! ```text
//! http → auth → registry → store → watch → controllers → scheduler
//! ```

pub mod auth;
pub mod field;
pub mod kinds;
pub mod kubeconfig;
mod private_file;
pub mod server;
pub mod status;
pub mod store;
