//! SPDY/3.1 of a client: whatever arrives, and however it is cut, the same frames are read, and header blocks stay small.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use streaming::spdy::{Decoder, Frame, FrameError, Inflater};

/// The frames up to the first that is none; the pieces of one stream's data put together.
fn read(pieces: &[&[u8]]) -> (Vec<Frame>, Option<FrameError>) {
    let (mut decoder, mut inflater, mut buffer) = (Decoder::default(), Inflater::default(), BytesMut::new());
    let mut frames: Vec<Frame> = Vec::new();
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            match decoder.next(&mut buffer) {
                Ok(None) => break,
                Ok(Some(frame)) => {
                    if let Frame::SynStream { block, .. } | Frame::Headers { block } = &frame {
                        let _ = inflater.read(block);
                    }
                    if !matches!(frame, Frame::Data { .. }) {
                        frames.push(frame);
                    }
                }
                Err(error) => return (frames, Some(error)),
            }
        }
    }
    (frames, None)
}

fuzz_target!(|data: (u8, &[u8])| {
    let (cut, bytes) = data;
    let (front, back) = bytes.split_at(usize::from(cut).min(bytes.len()));
    assert_eq!(read(&[bytes]), read(&[front, back]));
});
