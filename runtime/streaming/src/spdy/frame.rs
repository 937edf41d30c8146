//! Frames: a header of eight bytes; control frames say what the streams are, data frames carry their bytes.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

const HEADER: usize = 8;
const VERSION: u16 = 3;

/// What a control frame has at most.
const CONTROL: usize = 64 << 10;

pub(crate) const FIN: u8 = 1;
pub(crate) const SYN_REPLY: u16 = 2;
pub(crate) const RST_STREAM: u16 = 3;
pub(crate) const PING: u16 = 6;
pub(crate) const GOAWAY: u16 = 7;
pub(crate) const WINDOW_UPDATE: u16 = 9;

/// What arrived. Header blocks are still compressed, because they can only be read one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// The client opens a stream.
    SynStream {
        /// Its number, which is odd.
        stream: u32,
        /// Nothing follows from the client.
        fin: bool,
        /// Its header block.
        block: Bytes,
    },
    /// Headers for a stream that is open.
    Headers {
        /// Of whatever stream.
        block: Bytes,
    },
    /// The client ends a stream at once.
    Reset {
        /// Which.
        stream: u32,
    },
    /// To be answered, where the number is odd.
    Ping(u32),
    /// The client will open no more streams.
    GoAway,
    /// SETTINGS, WINDOW_UPDATE, and what the future brings.
    Other,
    /// A piece of a stream.
    Data {
        /// Which.
        stream: u32,
        /// What.
        bytes: Bytes,
        /// Nothing follows from the client.
        fin: bool,
    },
}

/// What is no SPDY/3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Another version.
    #[error("a frame of SPDY version {0}")]
    Version(u16),
    /// A control frame is longer than any sensible one.
    #[error("a control frame of {0} bytes")]
    Long(usize),
    /// A control frame is too short for what it is.
    #[error("a control frame that is too short")]
    Short,
    /// Stream 0 has no data.
    #[error("data for stream 0")]
    Stream,
}

/// Takes frames apart as their bytes arrive.
#[derive(Debug, Default)]
pub struct Decoder {
    data: Option<Payload>,
}

/// The data frame that is being read.
#[derive(Debug)]
struct Payload {
    stream: u32,
    left: usize,
    fin: bool,
}

impl Decoder {
    /// The next frame, or the next piece of a data frame; none until more bytes have come.
    ///
    /// # Errors
    /// What is no frame ends the connection.
    pub fn next(&mut self, from: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        if self.data.is_some() {
            return Ok(self.piece(from));
        }
        let Some(mut header) = from.get(..HEADER) else { return Ok(None) };
        let (first, word) = (header.get_u32(), header.get_u32());
        let (flags, length) = ((word >> 24) as u8, (word & 0x00ff_ffff) as usize);
        if first >> 31 == 0 {
            if first == 0 {
                return Err(FrameError::Stream);
            }
            from.advance(HEADER);
            self.data = Some(Payload { stream: first, left: length, fin: flags & FIN != 0 });
            return Ok(self.piece(from));
        }
        let (version, kind) = ((first >> 16 & 0x7fff) as u16, (first & 0xffff) as u16);
        if version != VERSION {
            return Err(FrameError::Version(version));
        }
        if length > CONTROL {
            return Err(FrameError::Long(length));
        }
        if from.len() < HEADER + length {
            return Ok(None);
        }
        from.advance(HEADER);
        control(kind, flags, from.split_to(length).freeze()).map(Some)
    }

    fn piece(&mut self, from: &mut BytesMut) -> Option<Frame> {
        let data = self.data.as_mut()?;
        let length = data.left.min(from.len());
        if length == 0 && data.left > 0 {
            return None;
        }
        data.left -= length;
        let (stream, ended) = (data.stream, data.left == 0);
        let fin = ended && data.fin;
        if ended {
            self.data = None;
        }
        Some(Frame::Data { stream, bytes: from.split_to(length).freeze(), fin })
    }
}

fn control(kind: u16, flags: u8, mut body: Bytes) -> Result<Frame, FrameError> {
    let fin = flags & FIN != 0;
    let number = |body: &mut Bytes| body.try_get_u32().map(|n| n & 0x7fff_ffff).map_err(|_| FrameError::Short);
    Ok(match kind {
        1 => {
            let stream = number(&mut body)?;
            // The associated stream, the priority and the slot mean nothing here.
            body.try_copy_to_slice(&mut [0; 6]).map_err(|_| FrameError::Short)?;
            Frame::SynStream { stream, fin, block: body }
        }
        SYN_REPLY | 8 => {
            number(&mut body)?;
            Frame::Headers { block: body }
        }
        RST_STREAM => {
            let stream = number(&mut body)?;
            number(&mut body)?;
            Frame::Reset { stream }
        }
        PING => Frame::Ping(body.try_get_u32().map_err(|_| FrameError::Short)?),
        GOAWAY => Frame::GoAway,
        _ => Frame::Other,
    })
}

/// A control frame of ours.
pub(crate) fn put_control(kind: u16, body: &[u8], to: &mut BytesMut) {
    to.put_u16(1 << 15 | VERSION);
    to.put_u16(kind);
    put_length(0, body.len(), to);
    to.put_slice(body);
}

/// A control frame of two numbers.
pub(crate) fn put_pair(kind: u16, numbers: (u32, u32), to: &mut BytesMut) {
    let both = u64::from(numbers.0) << 32 | u64::from(numbers.1);
    put_control(kind, &both.to_be_bytes(), to);
}

/// A data frame.
pub(crate) fn put_data(stream: u32, flags: u8, bytes: &[u8], to: &mut BytesMut) {
    to.put_u32(stream);
    put_length(flags, bytes.len(), to);
    to.put_slice(bytes);
}

fn put_length(flags: u8, length: usize, to: &mut BytesMut) {
    to.put_u8(flags);
    to.put_uint(length as u64, 3);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(decoder: &mut Decoder, bytes: &mut BytesMut) -> Result<Vec<Frame>, FrameError> {
        let mut frames = Vec::new();
        while let Some(frame) = decoder.next(bytes)? {
            frames.push(frame);
        }
        Ok(frames)
    }

    #[test]
    fn frames_are_read_as_the_protocol_has_them() {
        // SYN_STREAM 1 with a block of two bytes, PING 1, RST_STREAM 1, WINDOW_UPDATE, GOAWAY.
        let wire = b"\x80\x03\x00\x01\x01\x00\x00\x0c\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00zz\
            \x80\x03\x00\x06\x00\x00\x00\x04\x00\x00\x00\x01\
            \x80\x03\x00\x03\x00\x00\x00\x08\x00\x00\x00\x01\x00\x00\x00\x05\
            \x80\x03\x00\x09\x00\x00\x00\x08\x00\x00\x00\x01\x00\x00\x10\x00\
            \x80\x03\x00\x07\x00\x00\x00\x08\x00\x00\x00\x01\x00\x00\x00\x00\
            \x00\x00\x00\x01\x01\x00\x00\x02hi";
        let frames = all(&mut Decoder::default(), &mut BytesMut::from(&wire[..])).expect("sound");
        let expected = [
            Frame::SynStream { stream: 1, fin: true, block: Bytes::from_static(b"zz") },
            Frame::Ping(1),
            Frame::Reset { stream: 1 },
            Frame::Other,
            Frame::GoAway,
            Frame::Data { stream: 1, bytes: Bytes::from_static(b"hi"), fin: true },
        ];
        assert_eq!(frames, expected);
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        let cases: [(&[u8], FrameError); 4] = [
            (b"\x80\x02\x00\x01\x00\x00\x00\x00", FrameError::Version(2)),
            (b"\x80\x03\x00\x01\x00\xff\xff\xff", FrameError::Long(0x00ff_ffff)),
            (b"\x80\x03\x00\x01\x00\x00\x00\x04\x00\x00\x00\x01", FrameError::Short),
            (b"\x00\x00\x00\x00\x00\x00\x00\x00", FrameError::Stream),
        ];
        for (bytes, error) in cases {
            assert_eq!(all(&mut Decoder::default(), &mut BytesMut::from(bytes)), Err(error), "{bytes:x?}");
        }
    }

    proptest! {
        #[test]
        fn data_arrives_whole_however_it_is_cut(
            sent in prop::collection::vec((1u32..9, prop::collection::vec(any::<u8>(), 0..300)), 1..6),
            cuts in prop::collection::vec(1usize..70, 1..8),
        ) {
            let mut wire = BytesMut::new();
            for (stream, bytes) in &sent {
                put_data(*stream, FIN, bytes, &mut wire);
            }
            let (mut decoder, mut buffer, mut arrived, mut current) = (Decoder::default(), BytesMut::new(), Vec::new(), Vec::new());
            let mut sizes = cuts.iter().cycle();
            while !wire.is_empty() {
                let size = wire.len().min(*sizes.next().expect("endless"));
                buffer.extend_from_slice(&wire.split_to(size));
                for frame in all(&mut decoder, &mut buffer).expect("sound") {
                    let Frame::Data { stream, bytes, fin } = frame else { panic!("data only") };
                    current.extend_from_slice(&bytes);
                    if fin {
                        arrived.push((stream, std::mem::take(&mut current)));
                    }
                }
            }
            prop_assert_eq!(arrived, sent);
        }

        #[test]
        fn nothing_makes_the_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = all(&mut Decoder::default(), &mut BytesMut::from(&bytes[..]));
        }
    }
}
