//! runtime

pub mod image;
pub mod logs;
