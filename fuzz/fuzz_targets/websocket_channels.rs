//! Channels over a WebSocket: whatever arrives, and however it is cut, each channel is given the same bytes.
#![no_main]

use std::collections::BTreeMap;

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use streaming::websocket::{Channels, Decoder, Event, Piece};

const PROTOCOLS: [Option<&str>; 4] =
    [None, Some("v4.channel.k8s.io"), Some("v5.channel.k8s.io"), Some("base64.channel.k8s.io")];

/// What each channel is given, and whether all of it made sense.
fn read(protocol: Option<&str>, pieces: &[&[u8]]) -> (BTreeMap<u8, Vec<u8>>, Vec<u8>, bool) {
    let (mut decoder, mut channels) = (Decoder::default(), Channels::new(protocol));
    let (mut buffer, mut given, mut ended) = (BytesMut::new(), BTreeMap::<u8, Vec<u8>>::new(), Vec::new());
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            match decoder.next(&mut buffer) {
                Ok(None) => break,
                Ok(Some(Event::Data(bytes, last))) => match channels.take(bytes, last) {
                    Ok(Some(Piece::Data(channel, bytes))) => {
                        given.entry(channel).or_default().extend_from_slice(&bytes)
                    }
                    Ok(Some(Piece::End(channel))) => ended.push(channel),
                    Ok(None) => {}
                    Err(_) => return (BTreeMap::new(), Vec::new(), false),
                },
                Ok(Some(_)) => {}
                Err(_) => return (BTreeMap::new(), Vec::new(), false),
            }
        }
    }
    (given, ended, true)
}

fuzz_target!(|data: (u8, u8, &[u8])| {
    let (protocol, cut, bytes) = data;
    let protocol = PROTOCOLS[usize::from(protocol) % PROTOCOLS.len()];
    let (front, back) = bytes.split_at(usize::from(cut).min(bytes.len()));
    assert_eq!(read(protocol, &[bytes]), read(protocol, &[front, back]));
});
