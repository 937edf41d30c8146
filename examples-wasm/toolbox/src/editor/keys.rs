//! From the bytes of a terminal to keys.

use std::collections::VecDeque;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    Letter(char),
    Enter,
    Tab,
    Backspace,
    Delete,
    Left,
    Right,
    WordLeft,
    WordRight,
    Home,
    End,
    Up,
    Down,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D.
    EndOfInput,
    /// Ctrl-U: all before the cursor goes.
    KillBefore,
    /// Ctrl-K.
    KillAfter,
    /// Ctrl-W.
    KillWord,
    /// Alt-D.
    KillNextWord,
    /// Ctrl-Y: what went comes back.
    Yank,
    /// Ctrl-T.
    Transpose,
    /// Ctrl-L.
    Clear,
}

/// Bytes that may be part of a key that is not whole yet.
#[derive(Default)]
pub struct Decoder {
    bytes: VecDeque<u8>,
}

/// No sequence of a terminal is longer.
const LONGEST: usize = 16;

impl Decoder {
    pub fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
    }

    /// Whether more keys are there already.
    pub fn has_more(&self) -> bool {
        !self.bytes.is_empty()
    }

    fn take(&mut self, count: usize) {
        self.bytes.drain(..count.min(self.bytes.len()));
    }

    /// The next key; None: more bytes are needed. What means nothing is left out.
    pub fn next(&mut self) -> Option<Key> {
        loop {
            let first = *self.bytes.front()?;
            let key = match first {
                0x1b => self.escape()?,
                0..0x20 | 0x7f => {
                    self.take(1);
                    control(first)
                }
                _ => self.letter()?,
            };
            if key.is_some() {
                return key;
            }
        }
    }

    /// A letter of UTF-8. The outer None: it is not whole.
    fn letter(&mut self) -> Option<Option<Key>> {
        let length = match self.bytes[0] {
            0..0x80 => 1,
            0xc0..0xe0 => 2,
            0xe0..0xf0 => 3,
            0xf0.. => 4,
            _ => {
                self.take(1);
                return Some(None);
            }
        };
        if self.bytes.len() < length {
            return None;
        }
        let bytes: Vec<u8> = self.bytes.iter().take(length).copied().collect();
        match std::str::from_utf8(&bytes).ok().and_then(|text| text.chars().next()) {
            Some(c) => {
                self.take(length);
                Some(Some(Key::Letter(c)))
            }
            None => {
                self.take(1);
                Some(None)
            }
        }
    }

    /// `ESC [ … letter`, `ESC O letter`, `ESC letter`.
    fn escape(&mut self) -> Option<Option<Key>> {
        let second = *self.bytes.get(1)?;
        if second != b'[' && second != b'O' {
            self.take(2);
            return Some(match second {
                b'b' => Some(Key::WordLeft),
                b'f' => Some(Key::WordRight),
                b'd' => Some(Key::KillNextWord),
                0x7f => Some(Key::KillWord),
                _ => None,
            });
        }
        let end = self.bytes.iter().skip(2).position(|byte| (0x40..0x7f).contains(byte));
        let Some(end) = end else {
            if self.bytes.len() > LONGEST {
                self.take(1);
                return Some(None);
            }
            return None;
        };
        let sequence: Vec<u8> = self.bytes.iter().skip(2).take(end + 1).copied().collect();
        self.take(end + 3);
        Some(match &sequence[..] {
            b"A" => Some(Key::Up),
            b"B" => Some(Key::Down),
            b"C" => Some(Key::Right),
            b"D" => Some(Key::Left),
            b"H" | b"1~" | b"7~" => Some(Key::Home),
            b"F" | b"4~" | b"8~" => Some(Key::End),
            b"3~" => Some(Key::Delete),
            b"1;5C" | b"1;3C" | b"5C" => Some(Key::WordRight),
            b"1;5D" | b"1;3D" | b"5D" => Some(Key::WordLeft),
            _ => None,
        })
    }
}

fn control(byte: u8) -> Option<Key> {
    Some(match byte {
        1 => Key::Home,
        2 => Key::Left,
        3 => Key::Interrupt,
        4 => Key::EndOfInput,
        5 => Key::End,
        6 => Key::Right,
        8 | 0x7f => Key::Backspace,
        9 => Key::Tab,
        10 | 13 => Key::Enter,
        11 => Key::KillAfter,
        12 => Key::Clear,
        14 => Key::Down,
        16 => Key::Up,
        20 => Key::Transpose,
        21 => Key::KillBefore,
        23 => Key::KillWord,
        25 => Key::Yank,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let mut decoder = Decoder::default();
        decoder.feed(bytes);
        std::iter::from_fn(|| decoder.next()).collect()
    }

    #[test]
    fn letters_and_controls() {
        assert_eq!(keys("aé\r".as_bytes()), [Key::Letter('a'), Key::Letter('é'), Key::Enter]);
        assert_eq!(
            keys(b"\x01\x05\x15\x0b\x17"),
            [Key::Home, Key::End, Key::KillBefore, Key::KillAfter, Key::KillWord]
        );
        assert_eq!(keys(b"\x00\x1d\xff"), []);
    }

    #[test]
    fn sequences() {
        assert_eq!(keys(b"\x1b[A\x1bOB\x1b[3~\x1b[1;5D"), [Key::Up, Key::Down, Key::Delete, Key::WordLeft]);
        assert_eq!(keys(b"\x1b[200~x"), [Key::Letter('x')]);
    }

    #[test]
    fn what_is_not_whole_waits() {
        let mut decoder = Decoder::default();
        decoder.feed(b"\x1b[");
        assert_eq!(decoder.next(), None);
        decoder.feed(b"C\xc3");
        assert_eq!(decoder.next(), Some(Key::Right));
        assert_eq!(decoder.next(), None);
        decoder.feed(b"\xa9");
        assert_eq!(decoder.next(), Some(Key::Letter('é')));
    }

    #[test]
    fn garbage_ends() {
        assert_eq!(
            keys(&[b"\x1b[".to_vec(), vec![b'1'; 100], b"Cx".to_vec()].concat()).last(),
            Some(&Key::Letter('x'))
        );
    }
}
