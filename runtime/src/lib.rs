//! The node: what turns pods bound to this machine into running WebAssembly.
//!
//! A pod's worker finds its [`image`]s and asks the [`engine`] to load each into a [`guest`], plugs the pod into the
//! network as a [`sandbox`], and starts [`container`]s in it; `host` is everything a guest can see of the world outside.

pub mod image;

pub mod engine;
pub mod guest;

pub mod sandbox;

pub mod container;
mod host;
