//! The wire: how pods, services and the host reach each other, on one node and inside of one process.
//!
//! ```text
//!                      Services, EndpointSlices (the Kubernetes API, through a kube::Client)
//!                                              │
//!                                           tables ──► Routes: immutable, swapped whole
//!                                              │                    │
//! curl ──► node_port ── HTTP: a request ──┐    ▼                    ▼
//!          on the host  TCP: a connection ├─► fabric: where does this address go? ◄── zone: what is this name?
//!                       UDP: a flow ──────┘    │                                         ▲
//! probe, port-forward ── dial ─────────────────┤                                         │
//! guest ── Plug: bind · connect · request ─────┴─────────────────────────────── resolve ─┘
//!                                              │
//!              ┌────────────────┬──────────────┼───────────────────┬────────────────────┐
//!              ▼                ▼              ▼                   ▼                    ▼
//!        a pod's listener   a pod's HTTP    the pod's own     a server of the     the world outside:
//!        (two in-memory     handler (a      loopback          host, made known    sockets of the host
//!        queues)            function call)                    to the fabric
//! ```
//!
//! The fabric owns addresses and streams and knows nothing of WebAssembly, as CNI knows nothing of containers; the
//! runtime plugs pods into it. Everything is decided when a connection is made: after that, bytes flow between two
//! queues and no code of this crate runs for an idle connection.
//!
//! The service proxy is `Config → build → run`: [`Config::build`] puts it together, [`Proxy::run`] follows the API and
//! serves the node ports.

pub mod fabric;
mod node_port;
mod proxy;
pub mod routes;
pub mod tables;
pub mod zone;

pub use proxy::{Config, Proxy};
