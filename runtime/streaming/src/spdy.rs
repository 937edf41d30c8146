//! SPDY/3.1 as a server that opens no streams of its own: what kubectl speaks below `exec` and `port-forward`.
//!
//! Its other end is always `moby/spdystream`, which knows only a part of the protocol, and that part is what counts:
//!
//! - It neither heeds windows nor grants any: who waited for its credit would wait for ever after 64 KiB. So here nothing
//!   waits for it, and the back-pressure is the connection's. Credit is granted to whoever may want it.
//! - It sends no SETTINGS, and passes over those that come.
//! - It answers pings of either side, and takes a GOAWAY for the end of new streams.
//!
//! As without windows nobody can say "not this stream for now", a stream whose reader stands still stops, once its buffer is full,
//! all streams of its connection. It is the same with every other server that kubectl talks to.

mod connection;
mod frame;
mod headers;

pub(crate) use connection::{Opened, Spdy, receive};
pub use frame::{Decoder, Frame, FrameError};
pub use headers::{Deflater, HeaderError, Headers, Inflater};

/// The stream is no longer wanted.
pub(crate) const CANCEL: u32 = 5;
