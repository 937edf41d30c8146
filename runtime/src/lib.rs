//! The node: what turns pods bound to this machine into running WebAssembly.
//!
//! A pod's worker finds its [`image`]s and asks the [`engine`] to load each into a [`guest`], plugs the pod into the
//! network as a [`sandbox`], and starts [`container`]s in it; `host` is everything a guest can see of the world outside.
//! What a guest prints goes to [`logs`], what it reads as files comes from [`volume`]s, and [`probe`]s ask how it is.

pub mod agent;
pub mod eviction;
pub mod server;
pub mod stats;

pub mod pod;
pub mod probe;
pub mod status;
pub mod volume;

pub mod image;
pub mod logs;
pub mod registry;

pub mod engine;
pub mod guest;

pub mod sandbox;

pub mod blobstore;
pub mod container;
pub mod exec;
mod host;
pub mod keyvalue;

pub use agent::{BuildError, Config, Node, RunError};
