//! The pod spec, as pods carry it and as the templates of workloads do.

mod default;
mod unsupported;

pub use default::{apply as default, same_account};
pub use unsupported::warnings;
