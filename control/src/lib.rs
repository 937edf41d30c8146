//! The API and its loops.
//!
//! ```text
//! http → auth → registry → store → watch → controllers → scheduler
//! ```

pub mod auth;
pub mod controllers;
pub mod discovery;
pub mod field;
pub mod health;
pub mod http;
pub mod kinds;
pub mod kubeconfig;
mod private_file;
pub mod registry;
pub mod scheduler;
pub mod server;
pub mod status;
pub mod store;
