//! runtime

pub mod image;
