//! The pod spec, as pods carry it and as the templates of workloads do.

mod affinity;
mod containers;
mod default;
mod devices;
mod dns;
mod env;
mod ephemeral;
mod gates;
mod handlers;
mod mounts;
mod ports;
mod resources;
mod scheduling;
mod security;
mod unsupported;
mod validate;
mod volumes;

pub use affinity::node_selector;
pub use default::apply as default;
pub use handlers::port as target_port;
pub use resources::amounts;
pub use scheduling::tolerations;
pub use unsupported::warnings;
pub use validate::validate;
