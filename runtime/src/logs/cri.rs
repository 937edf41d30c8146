//! The log line of the Container Runtime Interface: `2026-11-20T09:25:29.123456789Z stdout F text`.
//!
//! `F` ends a line; `P` is a piece of one, of a line that is too long or that never ended.

use jiff::Timestamp;

/// Longer lines are cut into pieces, so that no reader has to hold an endless one.
const MAX_LINE: usize = 16 * 1024;

/// Which of its two outputs a container wrote to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Channel {
    fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// Turns a container's bytes into lines. Holds the unfinished line of each channel.
#[derive(Debug, Default)]
pub struct Encoder {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Encoder {
    /// Appends to `out` every line that `bytes` completes.
    pub fn push(&mut self, channel: Channel, now: Timestamp, mut bytes: &[u8], out: &mut Vec<u8>) {
        let held = match channel {
            Channel::Stdout => &mut self.stdout,
            Channel::Stderr => &mut self.stderr,
        };
        let head = format!("{now:.9} {} ", channel.name());
        while !bytes.is_empty() {
            let room = MAX_LINE - held.len();
            let piece = &bytes[..bytes.len().min(room)];
            if let Some(end) = piece.iter().position(|byte| *byte == b'\n') {
                line(&head, b"F ", &[held, &piece[..end]], out);
                held.clear();
                bytes = &bytes[end + 1..];
            } else if piece.len() == room {
                line(&head, b"P ", &[held, piece], out);
                held.clear();
                bytes = &bytes[room..];
            } else {
                held.extend_from_slice(piece);
                return;
            }
        }
        held.shrink_to(0);
    }

    /// Appends what was never ended by a newline.
    pub fn finish(&mut self, now: Timestamp, out: &mut Vec<u8>) {
        for (channel, held) in [(Channel::Stdout, &mut self.stdout), (Channel::Stderr, &mut self.stderr)] {
            if !held.is_empty() {
                line(&format!("{now:.9} {} ", channel.name()), b"P ", &[held], out);
                *held = Vec::new();
            }
        }
    }
}

fn line(head: &str, tag: &[u8], parts: &[&[u8]], out: &mut Vec<u8>) {
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(tag);
    for part in parts {
        out.extend_from_slice(part);
    }
    out.push(b'\n');
}

/// One line as it stands in a file.
#[derive(Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Written when, as text.
    pub time: &'a str,
    /// Whether the text ends here, or goes on in the next line of the same channel.
    pub full: bool,
    /// What was printed, without its newline.
    pub text: &'a [u8],
}

/// Reads one line of a file, without its newline. None when it is not one (a torn write).
pub fn parse(line: &[u8]) -> Option<Line<'_>> {
    let mut parts = line.splitn(4, |byte| *byte == b' ');
    let time = std::str::from_utf8(parts.next()?).ok()?;
    let _channel = parts.next()?;
    let full = match parts.next()? {
        b"F" => true,
        b"P" => false,
        _ => return None,
    };
    Some(Line { time, full, text: parts.next().unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(writes: &[(Channel, &[u8])]) -> String {
        let now: Timestamp = "2026-11-20T09:25:29.123Z".parse().expect("time");
        let (mut encoder, mut out) = (Encoder::default(), Vec::new());
        for (channel, bytes) in writes {
            encoder.push(*channel, now, bytes, &mut out);
        }
        encoder.finish(now, &mut out);
        String::from_utf8(out).expect("text").replace("2026-11-20T09:25:29.123000000Z ", "")
    }

    #[test]
    fn lines_are_joined_across_writes_and_kept_apart_by_channel() {
        let out =
            encoded(&[(Channel::Stdout, b"one\ntw"), (Channel::Stderr, b"oops\n"), (Channel::Stdout, b"o\n\nhalf")]);
        assert_eq!(out, "stdout F one\nstderr F oops\nstdout F two\nstdout F \nstdout P half\n");
    }

    #[test]
    fn an_endless_line_comes_in_pieces() {
        let long = [b"x".repeat(MAX_LINE + 3), b"\n".to_vec()].concat();
        let out = encoded(&[(Channel::Stdout, &long)]);
        let sizes: Vec<_> = out.lines().map(|line| (line[..9].to_owned(), line.len() - 9)).collect();
        assert_eq!(sizes, [("stdout P ".to_owned(), MAX_LINE), ("stdout F ".to_owned(), 3)]);
    }

    #[test]
    fn lines_are_read_back() {
        let line = parse(b"2026-11-20T09:25:29.1Z stderr F a b").expect("a line");
        assert_eq!(line, Line { time: "2026-11-20T09:25:29.1Z", full: true, text: b"a b" });
        assert_eq!(parse(b"2026 stdout F ").expect("empty").text, b"");
        assert_eq!(parse(b"torn"), None);
    }
}
