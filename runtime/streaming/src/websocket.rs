//! WebSockets as a server sees them (RFC 6455).
//!
//! Of our own instead of a library's, because a client may send a message of any length, and here its bytes go on to their
//! reader as they arrive: nothing is held until a message is complete, so no message is too long.

mod channels;
mod frame;
mod tunnel;

pub(crate) use channels::receive;
pub use channels::{ChannelError, Channels, Piece};
pub use frame::{Decoder, Event, FrameError};
pub(crate) use tunnel::Tunnel;
