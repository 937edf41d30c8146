//! The size of the client's terminal, as it tells it: JSON objects one after the other, cut anywhere.

use serde_json::Value;
use tokio::io::AsyncReadExt as _;
use tokio::sync::mpsc;

use crate::pipe::Reader;

/// What one announcement takes at most; a longer one is none.
const LONGEST: usize = 1024;

/// So many sizes wait to be heeded; what comes on top is lost.
const WAITING: usize = 16;

/// The size of a terminal, in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TerminalSize {
    /// Columns.
    pub width: u16,
    /// Lines.
    pub height: u16,
}

impl TerminalSize {
    /// Go reads field names in any case, and clients count on it.
    fn read(value: &Value) -> Option<Self> {
        let fields = value.as_object()?;
        let field = |name: &str| {
            let found = fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map_or(Some(0), |(_, value)| u16::try_from(value.as_u64()?).ok())
        };
        Some(Self { width: field("width")?, height: field("height")? })
    }
}

/// The sizes that arrive; the task ends with the stream.
pub(crate) fn sizes(reader: Reader) -> (mpsc::Receiver<TerminalSize>, impl Future<Output = ()> + Send) {
    let (sender, receiver) = mpsc::channel(WAITING);
    (receiver, forward(reader, sender))
}

async fn forward(mut reader: Reader, sender: mpsc::Sender<TerminalSize>) {
    let mut text = Vec::new();
    while let Ok(1..) = reader.read_buf(&mut text).await {
        let Some(sizes) = take(&mut text) else { return };
        for size in sizes {
            let _ = sender.try_send(size);
        }
    }
}

/// Takes the complete sizes from the front; none where what is there will never be one.
fn take(text: &mut Vec<u8>) -> Option<Vec<TerminalSize>> {
    let mut values = serde_json::Deserializer::from_slice(text).into_iter::<Value>();
    let (mut sizes, mut done) = (Vec::new(), 0);
    let sound = loop {
        match values.next() {
            Some(Ok(value)) => sizes.extend(TerminalSize::read(&value)),
            Some(Err(error)) => break error.is_eof(),
            None => break true,
        }
        done = values.byte_offset();
    };
    text.drain(..done);
    (sound && text.len() <= LONGEST || !sizes.is_empty()).then_some(sizes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_however_they_are_cut() {
        let text = b"{\"Width\":80,\"Height\":24}\n{\"height\":50,\"width\":132}".to_vec();
        let expected = [TerminalSize { width: 80, height: 24 }, TerminalSize { width: 132, height: 50 }];
        for cut in 0..text.len() {
            let mut held = text[..cut].to_vec();
            let mut sizes = take(&mut held).expect("sound");
            held.extend_from_slice(&text[cut..]);
            sizes.extend(take(&mut held).expect("sound"));
            assert_eq!(sizes, expected, "cut at {cut}");
        }
    }

    #[test]
    fn what_is_no_size_ends_the_sizes_and_what_is_too_large_is_none() {
        assert_eq!(take(&mut b"nonsense".to_vec()), None);
        assert_eq!(take(&mut vec![b'['; LONGEST + 1]), None);
        assert_eq!(take(&mut b"{\"Width\":70000,\"Height\":1}".to_vec()), Some(Vec::new()));
    }
}
