//! runtime

pub mod image;
pub mod logs;
pub mod pod;
pub mod probe;
pub mod volume;
