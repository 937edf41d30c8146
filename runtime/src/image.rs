//! The node's images: WebAssembly files by digest, and the names that point at them.
//!
//! The store is plain files under one directory, so that `sampan image import` works beside a running server
//! with no daemon between them. Every change is a rename, a reader sees the old state or the new one; the two
//! operations that look before they leap (publish a name, remove an unused blob) take the store's lock file.
//!
//! ```text
//! blobs/sha256/<hex>      the WebAssembly itself
//! refs/<hash>.json        one name: {"reference", "digest", "size", "imported"}
//! lock
//! ```

mod pull;
mod reference;
mod store;

pub use pull::{Policy, PullError, Pulled, pull};
pub use reference::{InvalidReference, Reference};
pub(crate) use store::hex;
pub use store::{Error as StoreError, Image, Store, digest};
