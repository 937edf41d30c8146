//! Sampan: the Kubernetes API for WebAssembly, on any device, in one process.
//!
//! This crate is wiring: it starts the three planks and gives each a client of the same API.
//!
//! ```text
//! Settings ─► Cluster::start ─► control (API, controllers, scheduler)
//!                                  ▲            ▲
//!                          kube::Client   kube::Client
//!                                  │            │
//!                              netproxy ◄──── runtime (the node: pods as WebAssembly)
//! ```
//!
//! # Embedding
//! ```no_run
//! # async fn example() -> Result<(), sampan::Error> {
//! let cluster = sampan::Cluster::builder().data_dir("/var/lib/device").start().await?;
//! let client = cluster.client(); // a kube::Client, with no socket in between
//! # drop(client);
//! # Ok(())
//! # }
//! ```

mod cluster;
mod fabric_link;
mod host;
mod node_link;
mod node_ports;
mod plan;
mod registry_link;
mod settings;
mod tasks;
mod toolbox;

pub use cluster::{Builder, Cluster, Error};
pub use netproxy::routes::Protocol;
pub use node_ports::NodePorts;
pub use settings::{Component, Settings};

/// The store of WebAssembly images below a data directory; it can be used while a cluster runs on it.
pub use runtime::image;

/// Where the images of a data directory are.
pub fn image_dir(data_dir: &std::path::Path) -> std::path::PathBuf {
    data_dir.join("images")
}
