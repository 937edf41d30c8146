//! The pod spec, as pods carry it and as the templates of workloads do.

mod containers;
mod default;
mod env;
mod handlers;
mod mounts;
mod ports;
mod resources;
mod scheduling;
mod unsupported;
mod validate;
mod volumes;

pub use default::apply as default;
pub use handlers::port as target_port;
pub use unsupported::warnings;
pub use validate::validate;
