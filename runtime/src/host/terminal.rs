//! A terminal's line discipline: what a kernel does between a keyboard and a program, decided byte by byte.
//!
//! In its cooked mode it gathers a line, echoes it, lets it be corrected and hands it over when it is finished: one read,
//! one line, so that a shell takes its command and leaves the next line to the program that it starts. Ctrl-C becomes an
//! interrupt and Ctrl-D an end. In raw mode every byte goes to the program as it is. [`Discipline`] decides and does
//! nothing; [`Tty`] is the terminal that programs share.

mod interface;
mod tty;

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

pub(crate) use tty::Tty;

const INTERRUPT: u8 = 0x03;
const END: u8 = 0x04;
const BACKSPACE: u8 = 0x08;
const XON: u8 = 0x11;
const XOFF: u8 = 0x13;
const KILL_LINE: u8 = 0x15;
const ERASE_WORD: u8 = 0x17;
const QUIT: u8 = 0x1c;
const DELETE: u8 = 0x7f;

/// A line is cut here, as on Linux; what is typed beyond it rings the bell.
const MAX_LINE: usize = 4095;
/// What is typed ahead of the program. Whoever types waits then.
const MAX_AHEAD: usize = 64 << 10;
/// What a piece of input costs beside its bytes.
const PIECE: usize = 32;

/// What a program reads next.
enum Piece {
    Line(Bytes),
    Raw(BytesMut),
    /// One read finds the end; the next one waits again.
    End,
}

/// What came of some typing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Typed {
    /// What to show for it.
    pub(crate) echo: Vec<u8>,
    /// Whether there was an interrupt.
    pub(crate) interrupt: bool,
}

/// The state of one terminal.
#[derive(Default)]
pub(crate) struct Discipline {
    raw: bool,
    line: Vec<u8>,
    ready: VecDeque<Piece>,
    ahead: usize,
    hung_up: bool,
    /// Where the cursor is, as far as it can be told without understanding escape sequences.
    column: usize,
    /// Where it was when the line was begun.
    begin: usize,
}

impl Discipline {
    pub(crate) fn set_raw(&mut self, raw: bool) {
        self.raw = raw;
        if raw {
            self.finish_line();
        }
    }

    /// Whether more may be typed.
    pub(crate) fn has_room(&self) -> bool {
        self.ahead < MAX_AHEAD
    }

    /// Takes what was typed.
    pub(crate) fn type_in(&mut self, bytes: &[u8]) -> Typed {
        let mut typed = Typed::default();
        if self.raw {
            self.ahead += bytes.len();
            match self.ready.back_mut() {
                Some(Piece::Raw(last)) => last.extend_from_slice(bytes),
                _ => self.ready.push_back(Piece::Raw(bytes.into())),
            }
            return typed;
        }
        for &byte in bytes {
            self.type_one(byte, &mut typed);
        }
        typed
    }

    fn type_one(&mut self, byte: u8, typed: &mut Typed) {
        match byte {
            INTERRUPT | QUIT => {
                self.line.clear();
                self.ready.clear();
                self.ahead = 0;
                self.echo(&[b'^', byte + b'@'], typed);
                typed.interrupt = true;
            }
            END if self.line.is_empty() => self.push(Piece::End),
            END => self.finish_line(),
            b'\r' | b'\n' => {
                self.line.push(b'\n');
                self.echo(b"\n", typed);
                self.finish_line();
            }
            BACKSPACE | DELETE => {
                self.erase(typed);
            }
            KILL_LINE => while self.erase(typed) {},
            ERASE_WORD => {
                while self.line.last().is_some_and(|last| !is_word(*last)) && self.erase(typed) {}
                while self.line.last().is_some_and(|last| is_word(*last)) && self.erase(typed) {}
            }
            // Nobody stops the output of a terminal that scrolls back.
            XON | XOFF => {}
            _ if self.line.len() >= MAX_LINE => typed.echo.push(0x07),
            byte => {
                if self.line.is_empty() {
                    self.begin = self.column;
                }
                self.line.push(byte);
                match byte {
                    0x00..0x20 if byte != b'\t' => self.echo(&[b'^', byte + b'@'], typed),
                    byte => self.echo(&[byte], typed),
                }
            }
        }
    }

    fn echo(&mut self, bytes: &[u8], typed: &mut Typed) {
        self.show(bytes, &mut typed.echo);
    }

    /// Takes the last character off the line, and off the screen. False when there was none.
    fn erase(&mut self, typed: &mut Typed) -> bool {
        let Some(last) = self.line.iter().rposition(|byte| !is_continuation(*byte)) else {
            let had = !self.line.is_empty();
            self.line.clear();
            return had;
        };
        self.line.truncate(last);
        let end = self.line.iter().fold(self.begin, |column, byte| column + width(*byte, column));
        for _ in end..self.column {
            typed.echo.extend_from_slice(b"\x08 \x08");
        }
        self.column = end.min(self.column);
        true
    }

    fn finish_line(&mut self) {
        if !self.line.is_empty() {
            let line = std::mem::take(&mut self.line);
            self.push(Piece::Line(line.into()));
        }
    }

    fn push(&mut self, piece: Piece) {
        self.ahead += piece.cost();
        self.ready.push_back(piece);
    }

    /// What a program reads: up to `most` bytes of one line. `None` is the end; nothing is not.
    pub(crate) fn take(&mut self, most: usize) -> Option<Bytes> {
        let Some(first) = self.ready.front_mut() else { return (!self.hung_up).then(Bytes::new) };
        let (taken, rest) = match first {
            Piece::End => (None, 0),
            Piece::Line(line) => (Some(line.split_to(most.min(line.len()))), line.len()),
            Piece::Raw(bytes) => (Some(bytes.split_to(most.min(bytes.len())).freeze()), bytes.len()),
        };
        self.ahead -= taken.as_ref().map_or(0, Bytes::len);
        if rest == 0 {
            self.ahead -= self.ready.pop_front().map_or(0, |piece| piece.cost());
        }
        taken
    }

    /// Whether a read would not wait.
    pub(crate) fn is_readable(&self) -> bool {
        self.hung_up || !self.ready.is_empty()
    }

    /// Nobody types any more: after what is there, every read finds the end.
    pub(crate) fn hang_up(&mut self) {
        self.finish_line();
        self.hung_up = true;
    }

    /// Adds what the screen gets for a program's output: a line feed also returns to the left.
    pub(crate) fn show(&mut self, bytes: &[u8], screen: &mut Vec<u8>) {
        screen.reserve(bytes.len() + bytes.len() / 16);
        for &byte in bytes {
            match byte {
                b'\n' => {
                    screen.push(b'\r');
                    self.column = 0;
                }
                b'\r' => self.column = 0,
                BACKSPACE => self.column = self.column.saturating_sub(1),
                byte => self.column += shown(byte, self.column),
            }
            screen.push(byte);
        }
    }
}

impl Piece {
    /// What it takes of the room, with the bytes that are still in it.
    fn cost(&self) -> usize {
        match self {
            Piece::Line(line) => PIECE + line.len(),
            Piece::Raw(bytes) => bytes.len(),
            Piece::End => PIECE,
        }
    }
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// The columns a byte takes on the screen.
fn shown(byte: u8, column: usize) -> usize {
    match byte {
        b'\t' => 8 - column % 8,
        0x00..0x20 | DELETE => 0,
        byte => usize::from(!is_continuation(byte)),
    }
}

/// And those of its echo.
fn width(byte: u8, column: usize) -> usize {
    match byte {
        0x00..0x20 if byte != b'\t' => 2,
        byte => shown(byte, column),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(terminal: &mut Discipline) -> Option<String> {
        terminal.take(4096).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    fn echo(terminal: &mut Discipline, typed: &str) -> String {
        String::from_utf8_lossy(&terminal.type_in(typed.as_bytes()).echo).into_owned()
    }

    #[test]
    fn a_read_gets_a_line_and_the_screen_an_echo() {
        let mut terminal = Discipline::default();
        assert_eq!(echo(&mut terminal, "cat\rhel"), "cat\r\nhel");
        assert_eq!(read(&mut terminal).as_deref(), Some("cat\n"));
        assert_eq!(read(&mut terminal).as_deref(), Some(""), "the second line is not finished");
        assert_eq!(echo(&mut terminal, "lo\n"), "lo\r\n");
        assert_eq!(terminal.take(2).as_deref(), Some(&b"he"[..]));
        assert_eq!(read(&mut terminal).as_deref(), Some("llo\n"));
        assert_eq!(terminal.ahead, 0);
    }

    #[test]
    fn lines_are_corrected_before_they_are_read() {
        let cases = [
            ("cab\x7ft\r", "cat\n"),
            ("\x7f\x08x\r", "x\n"),
            ("rm -rf /\x15ls\r", "ls\n"),
            ("echo one two\x17three\r", "echo one three\n"),
            ("a  \x17\r", "\n"),
            ("caf\u{e9}\x7fe\r", "cafe\n"),
            ("a\x03b\r", "b\n"),
        ];
        for (typed, line) in cases {
            let mut terminal = Discipline::default();
            terminal.type_in(typed.as_bytes());
            assert_eq!(read(&mut terminal).as_deref(), Some(line), "{typed:?}");
        }
    }

    #[test]
    fn what_is_erased_leaves_the_screen() {
        let mut terminal = Discipline::default();
        let mut screen = Vec::new();
        terminal.show(b"$ ", &mut screen);
        assert_eq!(echo(&mut terminal, "x\u{e9}\x7f"), "x\u{e9}\x08 \x08");
        assert_eq!(echo(&mut terminal, "\x01\x7f"), "^A\x08 \x08\x08 \x08");
        assert_eq!(echo(&mut terminal, "\t\x7f"), format!("\t{}", "\x08 \x08".repeat(5)));
        assert_eq!(echo(&mut terminal, "\x7f\x7f"), "\x08 \x08");
    }

    #[test]
    fn ctrl_d_ends_a_read_and_not_the_terminal() {
        let mut terminal = Discipline::default();
        terminal.type_in(b"\x04no newline\x04\x04");
        assert_eq!(read(&mut terminal), None);
        assert_eq!(read(&mut terminal).as_deref(), Some("no newline"));
        assert_eq!(read(&mut terminal), None);
        assert_eq!(read(&mut terminal).as_deref(), Some(""));
        terminal.hang_up();
        assert_eq!(read(&mut terminal), None);
        assert_eq!(read(&mut terminal), None);
    }

    #[test]
    fn ctrl_c_interrupts_and_forgets_what_was_typed() {
        let mut terminal = Discipline::default();
        let typed = terminal.type_in(b"one\ntw\x03");
        assert!(typed.interrupt && typed.echo.ends_with(b"tw^C"));
        assert_eq!(read(&mut terminal).as_deref(), Some(""));
        assert_eq!(terminal.ahead, 0);
    }

    #[test]
    fn raw_bytes_go_through_as_they_are() {
        let mut terminal = Discipline::default();
        terminal.type_in(b"ahead");
        terminal.set_raw(true);
        assert_eq!(read(&mut terminal).as_deref(), Some("ahead"));
        assert_eq!(terminal.type_in(b"\x1b[A\x03\x04\r"), Typed::default());
        assert_eq!(read(&mut terminal).as_deref(), Some("\x1b[A\x03\x04\r"));
    }

    #[test]
    fn typing_is_bounded() {
        let mut terminal = Discipline::default();
        let echo = terminal.type_in(&[b'x'; MAX_LINE + 1]).echo;
        assert_eq!(echo.last(), Some(&0x07));
        terminal.type_in(b"\n");
        assert!(terminal.has_room());
        for _ in 0..=MAX_AHEAD / PIECE {
            terminal.type_in(b"\x04");
        }
        assert!(!terminal.has_room());
        while terminal.is_readable() {
            terminal.take(100);
        }
        assert_eq!(terminal.ahead, 0);
    }
}
