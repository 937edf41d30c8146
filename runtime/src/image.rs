//! The node's images: where they come from, what they hold, and where they are kept.
//!
//! A name ([`Reference`]) is resolved in the [`Store`]; what is not there is pulled from a registry, as its manifest
//! says, after its layout was found to be one that can run here.
//!
//! The store is plain files under one directory, so that `sampan image import` works beside a running server with no
//! daemon between them. Every change is a rename: a reader sees the old state or the new one.
//!
//! ```text
//! blobs/sha256/<hex>      programs, layers, configurations, manifests: any content, by its digest
//! refs/<hash>.json        one name: {"reference", "digest", "mediaType", "size", "imported"}
//! uploads/<id>            content on its way in
//! rootfs/<hex>/           the files of an image, laid over each other
//! version, lock
//! ```

mod aliases;
mod collect;
mod config;
mod credentials;
mod digest;
mod layout;
pub mod manifest;
mod platform;
mod policy;
mod pull;
mod reference;
mod registries;
mod remote;
mod spin;
mod store;

pub use aliases::InvalidAlias;
pub use collect::Collector;
pub use config::Config as ImageConfig;
pub use credentials::{Credentials, InvalidDockerConfig, InvalidSecret, Keyring};
pub use digest::{Digest, InvalidDigest};
pub use layout::Error as LayoutError;
pub use platform::Purpose;
pub use policy::Policy;
pub use pull::{Files, Found, Pull, PullError, Puller, Took};
pub use reference::{InvalidReference, Reference};
pub use registries::{Config, InvalidConfig, Registry};
pub use remote::{Error as RemoteError, push};
pub use spin::Error as SpinError;
pub use store::{Blob, Error as StoreError, Image, Module, Named, Store, Stored, UnpackError, Upload, digest};

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}
