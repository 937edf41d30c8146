//! Kubernetes' channels: the first byte of each message says which stream the rest is for.
//!
//! In the `base64.` variants the message is text: a digit, then base64. Since `v5` the message `255, n` says that channel
//! `n` is at its end, which older versions cannot say.

use base64::engine::general_purpose::STANDARD;
use base64::{DecodeError, Engine as _};
use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::frame::{Decoder, Event, FrameError, NORMAL, Opcode, put_control, put_header};
use crate::connection::{Dialect, READ};
use crate::outbox::{Outbox, What};
use crate::pipe::Feed;

/// The channel that speaks of other channels.
const CLOSE: u8 = 255;

/// How messages are read and written.
#[derive(Clone, Debug, Default)]
pub struct Channels {
    base64: bool,
    half_close: bool,
    /// The channel of the message that is being read.
    current: Current,
    /// Characters that are no whole group of base64 yet.
    carried: Vec<u8>,
    /// The message's base64 has been filled up: nothing can follow.
    padded: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Current {
    #[default]
    Unknown,
    Data(u8),
    /// The next byte names a channel that is at its end.
    Closing,
    /// What follows means nothing.
    Done,
}

/// What a message says.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    /// Bytes for a channel.
    Data(u8, Bytes),
    /// The channel is at its end.
    End(u8),
}

/// What is no message of this protocol.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// Not base64.
    #[error("a message that is not base64")]
    Base64(#[source] base64::DecodeError),
    /// Not a WebSocket frame.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

impl Channels {
    /// For this sub-protocol; none is the oldest one.
    pub fn new(protocol: Option<&str>) -> Self {
        let protocol = protocol.unwrap_or_default();
        Self { base64: protocol.contains("base64."), half_close: protocol.starts_with("v5."), ..Self::default() }
    }

    /// What a piece of a message says; `last` where the message ends with it.
    ///
    /// # Errors
    /// What is not of this protocol ends the connection.
    pub fn take(&mut self, mut bytes: Bytes, last: bool) -> Result<Option<Piece>, ChannelError> {
        if self.current == Current::Unknown && !bytes.is_empty() {
            self.current = self.begin(bytes.get_u8());
        }
        let piece = match self.current {
            Current::Data(channel) => self.decoded(bytes, last)?.map(|bytes| Piece::Data(channel, bytes)),
            Current::Closing if !bytes.is_empty() => {
                self.current = Current::Done;
                Some(Piece::End(bytes[0]))
            }
            Current::Unknown | Current::Closing | Current::Done => None,
        };
        if last {
            self.current = Current::Unknown;
        }
        Ok(piece)
    }

    fn begin(&self, first: u8) -> Current {
        match first {
            CLOSE if self.half_close => Current::Closing,
            digit if self.base64 => Current::Data(digit.wrapping_sub(b'0')),
            channel => Current::Data(channel),
        }
    }

    fn decoded(&mut self, bytes: Bytes, last: bool) -> Result<Option<Bytes>, ChannelError> {
        if !self.base64 {
            return Ok((!bytes.is_empty()).then_some(bytes));
        }
        // Spaces belong to no group.
        self.carried.extend(bytes.iter().filter(|byte| !byte.is_ascii_whitespace()));
        if self.padded && !self.carried.is_empty() {
            return Err(ChannelError::Base64(DecodeError::InvalidByte(0, self.carried[0])));
        }
        let whole = if last { self.carried.len() } else { self.carried.len() / 4 * 4 };
        let decoded = STANDARD.decode(&self.carried[..whole]).map_err(ChannelError::Base64)?;
        self.padded = !last && (self.padded || self.carried[..whole].ends_with(b"="));
        self.carried.drain(..whole);
        Ok((!decoded.is_empty()).then(|| decoded.into()))
    }
}

impl Dialect for Channels {
    fn encode(&mut self, stream: u32, what: &What, to: &mut BytesMut) {
        let channel = u8::try_from(stream).unwrap_or(CLOSE);
        match what {
            What::Data(bytes) if self.base64 => {
                let text = STANDARD.encode(bytes);
                put_header(Opcode::Text, 1 + text.len(), to);
                to.put_u8(b'0' + channel);
                to.put_slice(text.as_bytes());
            }
            What::Data(bytes) => {
                put_header(Opcode::Binary, 1 + bytes.len(), to);
                to.put_u8(channel);
                to.put_slice(bytes);
            }
            What::Pong(bytes) => put_control(Opcode::Pong, bytes, to),
            What::Goodbye => put_control(Opcode::Close, &NORMAL.to_be_bytes(), to),
            // A server has no way to say these.
            What::End | What::Accept | What::Reset(_) | What::Credit(_) => {}
        }
    }

    /// The pong that nobody asked for is for clients that wait for one while a program does not read what they sent, and
    /// their pings wait behind it.
    fn keep_alive(&mut self, to: &mut BytesMut) {
        put_control(Opcode::Ping, &[], to);
        put_control(Opcode::Pong, &[], to);
    }
}

/// Where the bytes of each channel go.
pub(crate) type Sinks = Vec<Option<Feed>>;

/// Reads messages until the client leaves.
pub(crate) async fn receive(io: impl AsyncRead + Unpin, mut channels: Channels, mut sinks: Sinks, out: Outbox) {
    match read(io, &mut channels, &mut sinks, out).await {
        // Who closes has said all.
        Ok(true) => sinks.into_iter().flatten().for_each(|feed| feed.finish()),
        Ok(false) => tracing::debug!("the client of a WebSocket vanished"),
        Err(error) => tracing::debug!(%error, "the client of a WebSocket makes no sense"),
    }
}

/// True where the client closed the connection as it should.
async fn read(
    mut io: impl AsyncRead + Unpin,
    channels: &mut Channels,
    sinks: &mut Sinks,
    out: Outbox,
) -> Result<bool, ChannelError> {
    let (mut decoder, mut buffer) = (Decoder::default(), BytesMut::new());
    loop {
        while let Some(event) = decoder.next(&mut buffer)? {
            match event {
                Event::Data(bytes, last) => {
                    if let Some(piece) = channels.take(bytes, last)? {
                        deliver(piece, sinks).await;
                    }
                }
                Event::Ping(bytes) => out.answer(0, What::Pong(bytes)).await,
                Event::Pong => {}
                Event::Close => return Ok(true),
            }
        }
        buffer.reserve(READ);
        if !matches!(io.read_buf(&mut buffer).await, Ok(1..)) {
            return Ok(false);
        }
    }
}

async fn deliver(piece: Piece, sinks: &mut Sinks) {
    match piece {
        Piece::Data(channel, bytes) => {
            if let Some(Some(feed)) = sinks.get(usize::from(channel)) {
                feed.push(bytes).await;
            }
        }
        Piece::End(channel) => {
            if let Some(feed) = sinks.get_mut(usize::from(channel)).and_then(Option::take) {
                feed.finish();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn take(channels: &mut Channels, bytes: &[u8], last: bool) -> Option<Piece> {
        channels.take(Bytes::copy_from_slice(bytes), last).expect("sound")
    }

    #[test]
    fn only_the_fifth_version_ends_a_channel() {
        let mut fifth = Channels::new(Some("v5.channel.k8s.io"));
        assert_eq!(take(&mut fifth, &[255], false), None);
        assert_eq!(take(&mut fifth, &[0, 9, 9], true), Some(Piece::End(0)));
        assert_eq!(take(&mut fifth, &[0, 9], true), Some(Piece::Data(0, Bytes::from_static(&[9]))));
        let mut fourth = Channels::new(Some("v4.channel.k8s.io"));
        assert_eq!(take(&mut fourth, &[255, 0], true), Some(Piece::Data(255, Bytes::from_static(&[0]))));
        assert_eq!(take(&mut fourth, &[], true), None);
    }

    #[test]
    fn what_is_no_base64_is_refused() {
        let mut text = Channels::new(Some("base64.channel.k8s.io"));
        assert!(text.take(Bytes::from_static(b"0*"), true).is_err());
        let mut text = Channels::new(Some("base64.channel.k8s.io"));
        assert!(text.take(Bytes::from_static(b"0QQ=="), false).is_ok());
        assert!(text.take(Bytes::from_static(b"QQ=="), true).is_err(), "after its end");
    }

    proptest! {
        #[test]
        fn base64_is_read_however_it_is_cut(bytes in prop::collection::vec(any::<u8>(), 0..100), cut in 0usize..200) {
            let lines = STANDARD.encode(&bytes).into_bytes();
            let lines = lines.chunks(7).collect::<Vec<_>>().join(&b"\r\n"[..]);
            let message = [b"2", &lines[..]].concat();
            let (front, back) = message.split_at(cut.min(message.len()));
            let mut channels = Channels::new(Some("v4.base64.channel.k8s.io"));
            let mut read = Vec::new();
            for (part, last) in [(front, false), (back, true)] {
                match take(&mut channels, part, last) {
                    Some(Piece::Data(2, piece)) => read.extend_from_slice(&piece),
                    Some(other) => panic!("{other:?}"),
                    None => {}
                }
            }
            prop_assert_eq!(read, bytes);
        }
    }
}
