//! The API and its loops.
//!
//! ```text
//!  server ─► auth ─► http ─► registry ─► store ─► watch
//!  (TLS)   (who?)  (a verb   (a kind's  (redb,     │
//!                  a file)    rules)    revisions) │
//!                     ▲          ▲                 ▼
//!                     │          └──── controllers, scheduler (informers)
//!            node, proxy: kube::Client
//! ```
//!
//! [`Config`] is plain data, [`Config::build`] opens, binds and validates, [`Control::run`] serves until it is told to
//! stop. A write is on disk before it is acknowledged; everything else follows from watching.

mod plane;
mod private_file;

pub mod server;

pub mod audit;
pub mod auth;

pub mod cel;

pub mod discovery;
pub mod health;
pub mod http;

pub mod admission;
pub mod field;
pub mod kinds;
pub mod registry;
pub mod status;

pub mod store;

pub mod webhook;

pub mod controllers;
pub mod custom;
mod metrics;
pub mod scheduler;
pub mod work;

pub mod kubeconfig;

pub use discovery::VERSION;
pub use plane::{BuildError, CLUSTER_DOMAIN, Config, Control};
