//! Frames: a header of 6 to 14 bytes, then bytes under a mask.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

/// The kinds of frames that we send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opcode {
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

/// A normal end.
pub(crate) const NORMAL: u16 = 1000;

/// What a control frame carries at most.
const CONTROL: u64 = 125;

/// What arrived.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// A piece of a message, and whether it is the last one.
    Data(Bytes, bool),
    /// To be answered with the same bytes.
    Ping(Bytes),
    /// An answer to a ping.
    Pong,
    /// The client takes its leave.
    Close,
}

/// What is no WebSocket frame of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Clients mask what they send.
    #[error("a frame without a mask")]
    Unmasked,
    /// No extension was agreed on.
    #[error("a frame with reserved bits")]
    Reserved,
    /// The kind is unknown.
    #[error("a frame of unknown kind {0}")]
    Opcode(u8),
    /// A control frame is long, or in parts.
    #[error("a control frame that is too long or in parts")]
    Control,
    /// A message begins within another, or goes on without having begun.
    #[error("a fragment out of order")]
    Fragment,
    /// The length is no length.
    #[error("a frame without a sensible length")]
    Length,
}

/// Takes frames apart as their bytes arrive.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The data frame that is being read.
    payload: Option<Payload>,
    /// Within a message of several frames.
    fragmented: bool,
}

#[derive(Debug)]
struct Payload {
    left: u64,
    mask: [u8; 4],
    last: bool,
}

struct Header {
    opcode: u8,
    last: bool,
    mask: [u8; 4],
    length: u64,
    size: usize,
}

impl Decoder {
    /// The next event; none until more bytes have come.
    ///
    /// # Errors
    /// What is no frame ends the connection.
    pub fn next(&mut self, from: &mut BytesMut) -> Result<Option<Event>, FrameError> {
        if self.payload.is_some() {
            return Ok(self.piece(from));
        }
        let Some(header) = header(from)? else { return Ok(None) };
        match header.opcode {
            0..=2 => {
                if (header.opcode == 0) != self.fragmented {
                    return Err(FrameError::Fragment);
                }
                self.fragmented = !header.last;
                from.advance(header.size);
                self.payload = Some(Payload { left: header.length, mask: header.mask, last: header.last });
                Ok(self.piece(from))
            }
            8..=10 => Ok(control(&header, from)),
            other => Err(FrameError::Opcode(other)),
        }
    }

    /// What is there of the frame's bytes.
    fn piece(&mut self, from: &mut BytesMut) -> Option<Event> {
        let payload = self.payload.as_mut()?;
        let length = usize::try_from(payload.left).map_or(from.len(), |left| left.min(from.len()));
        if length == 0 && payload.left > 0 {
            return None;
        }
        let mut piece = from.split_to(length);
        unmask(&mut piece, payload.mask);
        payload.mask.rotate_left(length % 4);
        payload.left -= length as u64;
        let (ended, last) = (payload.left == 0, payload.last);
        if ended {
            self.payload = None;
        }
        Some(Event::Data(piece.freeze(), ended && last))
    }
}

fn header(from: &BytesMut) -> Result<Option<Header>, FrameError> {
    let &[first, second, ref rest @ ..] = &from[..] else { return Ok(None) };
    if first & 0x70 != 0 {
        return Err(FrameError::Reserved);
    }
    if second & 0x80 == 0 {
        return Err(FrameError::Unmasked);
    }
    let (opcode, last, short) = (first & 0x0f, first & 0x80 != 0, u64::from(second & 0x7f));
    let extended = match short {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let Some((length, rest)) = rest.split_at_checked(extended) else { return Ok(None) };
    let Some(mask) = rest.first_chunk() else { return Ok(None) };
    let length = match extended {
        0 => short,
        _ => length.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
    };
    if length >> 63 != 0 {
        return Err(FrameError::Length);
    }
    if opcode & 8 != 0 && (length > CONTROL || !last) {
        return Err(FrameError::Control);
    }
    Ok(Some(Header { opcode, last, mask: *mask, length, size: 6 + extended }))
}

/// A control frame is short, and waited for as a whole.
fn control(header: &Header, from: &mut BytesMut) -> Option<Event> {
    let length = usize::try_from(header.length).ok()?;
    if from.len() < header.size + length {
        return None;
    }
    from.advance(header.size);
    let mut bytes = from.split_to(length);
    unmask(&mut bytes, header.mask);
    Some(match header.opcode {
        8 => Event::Close,
        9 => Event::Ping(bytes.freeze()),
        _ => Event::Pong,
    })
}

fn unmask(bytes: &mut [u8], mask: [u8; 4]) {
    let wide = u64::from_ne_bytes([mask[0], mask[1], mask[2], mask[3], mask[0], mask[1], mask[2], mask[3]]);
    let (chunks, rest) = bytes.as_chunks_mut::<8>();
    for chunk in chunks {
        *chunk = (u64::from_ne_bytes(*chunk) ^ wide).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
}

/// The header of a frame of ours: complete, and without a mask.
pub(crate) fn put_header(opcode: Opcode, length: usize, to: &mut BytesMut) {
    to.put_u8(0x80 | opcode as u8);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ ..=125), _) => to.put_u8(short),
        (_, Ok(medium)) => {
            to.put_u8(126);
            to.put_u16(medium);
        }
        _ => {
            to.put_u8(127);
            to.put_u64(length as u64);
        }
    }
}

/// A whole control frame.
pub(crate) fn put_control(opcode: Opcode, bytes: &[u8], to: &mut BytesMut) {
    put_header(opcode, bytes.len(), to);
    to.put_slice(bytes);
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A frame as a client sends it.
    pub(crate) fn client_frame(first: u8, bytes: &[u8]) -> Vec<u8> {
        let mask = [7, 99, 200, 13];
        let mut framed = BytesMut::new();
        put_header(Opcode::Binary, bytes.len(), &mut framed);
        framed[0] = first;
        framed[1] |= 0x80;
        framed.put_slice(&mask);
        let start = framed.len();
        framed.put_slice(bytes);
        unmask(&mut framed[start..], mask);
        framed.to_vec()
    }

    fn all(decoder: &mut Decoder, bytes: &mut BytesMut) -> Result<Vec<Event>, FrameError> {
        let mut events = Vec::new();
        while let Some(event) = decoder.next(bytes)? {
            events.push(event);
        }
        Ok(events)
    }

    #[test]
    fn pings_come_between_the_fragments_of_a_message() {
        let frames =
            [client_frame(0x02, b"ab"), client_frame(0x89, b"p"), client_frame(0x80, b"c"), client_frame(0x88, b"")];
        let events = all(&mut Decoder::default(), &mut BytesMut::from(&frames.concat()[..])).expect("sound");
        let data = |bytes: &'static [u8], last| Event::Data(Bytes::from_static(bytes), last);
        assert_eq!(events, [data(b"ab", false), Event::Ping(Bytes::from_static(b"p")), data(b"c", true), Event::Close]);
    }

    #[test]
    fn what_is_no_frame_of_a_client_is_refused() {
        let cases: [(&[u8], FrameError); 7] = [
            (&[0x82, 0x01, 0x00], FrameError::Unmasked),
            (&[0xc2, 0x80], FrameError::Reserved),
            (&[0x83, 0x80, 0, 0, 0, 0], FrameError::Opcode(3)),
            (&[0x80, 0x80, 0, 0, 0, 0], FrameError::Fragment),
            (&[0x09, 0x80, 0, 0, 0, 0], FrameError::Control),
            (&[0x89, 0xfe, 0, 126, 0, 0, 0, 0], FrameError::Control),
            (&[0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], FrameError::Length),
        ];
        for (bytes, error) in cases {
            assert_eq!(all(&mut Decoder::default(), &mut BytesMut::from(bytes)), Err(error), "{bytes:x?}");
        }
    }

    proptest! {
        #[test]
        fn messages_arrive_whole_however_they_are_cut(
            messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..400), 1..6),
            cuts in prop::collection::vec(1usize..90, 1..8),
        ) {
            let wire: Vec<u8> = messages.iter().flat_map(|message| client_frame(0x82, message)).collect();
            let (mut decoder, mut buffer, mut arrived, mut current) = (Decoder::default(), BytesMut::new(), Vec::new(), Vec::new());
            let (mut rest, mut sizes) = (&wire[..], cuts.iter().cycle());
            while !rest.is_empty() {
                let (now, later) = rest.split_at(rest.len().min(*sizes.next().expect("endless")));
                buffer.extend_from_slice(now);
                rest = later;
                for event in all(&mut decoder, &mut buffer).expect("sound") {
                    let Event::Data(bytes, last) = event else { panic!("data only") };
                    current.extend_from_slice(&bytes);
                    if last {
                        arrived.push(std::mem::take(&mut current));
                    }
                }
            }
            prop_assert_eq!(arrived, messages);
        }

        #[test]
        fn nothing_makes_the_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = all(&mut Decoder::default(), &mut BytesMut::from(&bytes[..]));
        }
    }
}
