//! Reads lines at a terminal, as people expect to edit them.
//!
//! Bytes become [`keys`], keys change a [`buffer`], the buffer is [drawn](draw): each of them decides and does nothing else.
//! Here they are put together with the terminal.

mod buffer;
mod complete;
mod draw;
mod keys;

use std::io::{Read as _, Write as _};

use crate::host;
use crate::stream::Stream;
use buffer::{Buffer, Outcome};
use complete::Completion;
use draw::Screen;
use keys::{Decoder, Key};

/// Lines that are remembered.
const HISTORY: usize = 1_000;

/// What was typed.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    Text(String),
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D.
    End,
}

/// What is kept from line to line.
#[derive(Default)]
pub struct Editor {
    history: Vec<String>,
    decoder: Decoder,
}

/// Raw for as long as it lives.
struct Raw;

impl Raw {
    fn new() -> Raw {
        host::set_raw(true);
        Raw
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        host::set_raw(false);
    }
}

impl Editor {
    pub fn new() -> Editor {
        Editor::default()
    }

    /// A command that up and down come back to.
    pub fn remember(&mut self, text: &str) {
        let text = text.trim_end();
        if text.is_empty() || self.history.last().is_some_and(|last| last == text) {
            return;
        }
        self.history.push(text.to_owned());
        let surplus = self.history.len().saturating_sub(HISTORY);
        self.history.drain(..surplus);
    }

    /// Reads one line. `commands` are what its first word may be.
    pub fn line(&mut self, prompt: &str, commands: &[String]) -> Line {
        let _raw = Raw::new();
        let Editor { history, decoder } = self;
        let mut buffer = Buffer::new(history);
        let mut screen = Screen::new(prompt, width());
        let mut out = Stream::Own(1);
        let mut show = |text: String| {
            let _ = out.write_all(text.as_bytes());
        };
        show(screen.draw(&buffer));
        let mut tabs = 0;
        loop {
            let Some(key) = key(decoder) else { return Line::End };
            screen.resize(width());
            tabs = if key == Key::Tab { tabs + 1 } else { 0 };
            match key {
                Key::Tab => match complete::complete(buffer.before(), commands) {
                    Completion::Insert(text) => buffer.insert(&text),
                    Completion::Several(names) if tabs > 1 => {
                        show(screen.leave(&buffer) + &complete::columns(&names, width()));
                    }
                    _ => show("\x07".to_owned()),
                },
                Key::Clear => show(screen.clear()),
                key => match buffer.press(key) {
                    Outcome::Goes => {}
                    Outcome::Enter => {
                        show(screen.leave(&buffer));
                        return Line::Text(buffer.text());
                    }
                    Outcome::Interrupt => {
                        let end = screen.draw(&buffer) + "^C";
                        show(end + &screen.leave(&buffer));
                        return Line::Interrupt;
                    }
                    Outcome::End => return Line::End,
                    Outcome::Bell => show("\x07".to_owned()),
                },
            }
            // What was pasted is drawn once.
            if !decoder.has_more() {
                show(screen.draw(&buffer));
            }
        }
    }
}

/// Waits for a key.
fn key(decoder: &mut Decoder) -> Option<Key> {
    loop {
        if let Some(key) = decoder.next() {
            return Some(key);
        }
        let mut bytes = [0; 1024];
        match Stream::Own(0).read(&mut bytes) {
            Ok(read @ 1..) => decoder.feed(&bytes[..read]),
            _ => return None,
        }
    }
}

fn width() -> usize {
    host::size().map_or(80, |(columns, _)| columns.max(1))
}
