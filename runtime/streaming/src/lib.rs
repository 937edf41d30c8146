//! What `kubectl exec`, `attach`, `cp` and `port-forward` speak: several streams over one connection, as a WebSocket or as
//! SPDY/3.1.
//!
//! ```text
//! request ─► handshake: which protocol? ─► 101 ─► connection ─┬─ websocket: channels ──────────┬─► remote_command: Session
//!                                                             └─ websocket: tunnel ─► spdy ◄───┴─► port_forward: Forwards
//! ```
//!
//! Clients differ in what they speak, and what they speak means the same: so there is one surface above all of it,
//! [`Session`] for a program's standard streams and [`Forwards`] for connections to ports. Nothing here knows of pods.
//!
//! # Guarantees
//! - A `101` names the sub-protocol that was agreed on; where there is none, there is no `101`.
//! - Memory is bounded: a side that does not read stops the side that writes, through the connection's own back-pressure.
//! - A program's outcome is sent after all that it wrote, and the connection closes after the outcome was taken.
//! - Dropping a [`Session`]'s [`Outcome`] or a [`Forwards`] breaks the connection.

mod connection;
mod handshake;
mod outbox;
mod pipe;
pub mod port_forward;
pub mod remote_command;
pub mod spdy;
mod terminal;
mod verdict;
pub mod websocket;

pub use handshake::{Refusal, Upgrade, is_upgrade};
pub use outbox::Writer;
pub use pipe::Reader;
pub use port_forward::{Data, Forward, Forwards, port_forward};
pub use remote_command::{Outcome, Session, Wanted, remote_command};
pub use terminal::TerminalSize;
pub use verdict::Verdict;

/// Why there are no streams although the upgrade was agreed on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The connection was not handed over.
    #[error("the connection was not upgraded")]
    Upgrade(#[source] hyper::Error),
    /// The client left before it had opened all that it announced.
    #[error("the client left")]
    Gone,
    /// The client did not open all that it announced in time.
    #[error("timed out waiting for client to create streams")]
    Late,
}
