//! The line that is being edited: text, cursor, history. It knows of no terminal.

use super::keys::Key;

/// Letters of a line.
const MOST: usize = 64 << 10;

/// What a key has done.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The line may have changed.
    Goes,
    Enter,
    Interrupt,
    End,
    /// It could do nothing.
    Bell,
}

pub struct Buffer<'a> {
    letters: Vec<char>,
    cursor: usize,
    history: &'a [String],
    /// Which line of the history this is; its length: the new one.
    place: usize,
    /// The new line, while an old one is shown.
    new: Vec<char>,
    killed: Vec<char>,
}

impl<'a> Buffer<'a> {
    pub fn new(history: &'a [String]) -> Buffer<'a> {
        let place = history.len();
        Buffer { letters: Vec::new(), cursor: 0, history, place, new: Vec::new(), killed: Vec::new() }
    }

    pub fn text(&self) -> String {
        self.letters.iter().collect()
    }

    /// What is before the cursor.
    pub fn before(&self) -> String {
        self.letters[..self.cursor].iter().collect()
    }

    pub fn letters(&self) -> &[char] {
        &self.letters
    }

    pub fn cursor(&self) -> usize {
        self.cursor
    }

    pub fn insert(&mut self, text: &str) {
        let room = MOST.saturating_sub(self.letters.len());
        let letters: Vec<char> = text.chars().take(room).collect();
        let count = letters.len();
        self.letters.splice(self.cursor..self.cursor, letters);
        self.cursor += count;
    }

    pub fn press(&mut self, key: Key) -> Outcome {
        let end = self.letters.len();
        match key {
            Key::Letter(c) => self.insert(c.encode_utf8(&mut [0; 4])),
            Key::Enter => return Outcome::Enter,
            Key::Interrupt => return Outcome::Interrupt,
            Key::EndOfInput if end == 0 => return Outcome::End,
            Key::EndOfInput | Key::Delete if self.cursor < end => drop(self.letters.remove(self.cursor)),
            Key::Backspace if self.cursor > 0 => {
                self.cursor -= 1;
                self.letters.remove(self.cursor);
            }
            Key::Left if self.cursor > 0 => self.cursor -= 1,
            Key::Right if self.cursor < end => self.cursor += 1,
            Key::Home => self.cursor = 0,
            Key::End => self.cursor = end,
            Key::WordLeft => self.cursor = self.word_left(),
            Key::WordRight => self.cursor = self.word_right(),
            Key::KillBefore => self.kill(0, self.cursor),
            Key::KillAfter => self.kill(self.cursor, end),
            Key::KillWord => self.kill(self.blank_left(), self.cursor),
            Key::KillNextWord => self.kill(self.cursor, self.word_right()),
            Key::Yank => {
                let text: String = self.killed.iter().collect();
                self.insert(&text);
            }
            Key::Transpose if self.cursor > 0 && end > 1 => {
                let at = self.cursor.min(end - 1);
                self.letters.swap(at - 1, at);
                self.cursor = at + 1;
            }
            Key::Up if self.place > 0 => self.go_to(self.place - 1),
            Key::Down if self.place < self.history.len() => self.go_to(self.place + 1),
            _ => return Outcome::Bell,
        }
        Outcome::Goes
    }

    fn go_to(&mut self, place: usize) {
        if self.place == self.history.len() {
            self.new = std::mem::take(&mut self.letters);
        }
        self.place = place;
        self.letters = match self.history.get(place) {
            Some(line) => line.chars().collect(),
            None => std::mem::take(&mut self.new),
        };
        self.cursor = self.letters.len();
    }

    fn kill(&mut self, from: usize, to: usize) {
        if from < to {
            self.killed = self.letters.drain(from..to).collect();
            self.cursor = from;
        }
    }

    fn word_left(&self) -> usize {
        self.left_by(|c| c.is_alphanumeric())
    }

    /// As Ctrl-W has it: back to a blank.
    fn blank_left(&self) -> usize {
        self.left_by(|c| !c.is_whitespace())
    }

    fn left_by(&self, in_word: impl Fn(char) -> bool) -> usize {
        let mut at = self.cursor;
        while at > 0 && !in_word(self.letters[at - 1]) {
            at -= 1;
        }
        while at > 0 && in_word(self.letters[at - 1]) {
            at -= 1;
        }
        at
    }

    fn word_right(&self) -> usize {
        let rest = &self.letters[self.cursor..];
        let start = rest.iter().position(|c| c.is_alphanumeric()).unwrap_or(rest.len());
        let end = rest[start..].iter().position(|c| !c.is_alphanumeric()).unwrap_or(rest.len() - start);
        self.cursor + start + end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str, keys: &[Key]) -> (String, usize) {
        let mut buffer = Buffer::new(&[]);
        buffer.insert(text);
        for key in keys {
            buffer.press(*key);
        }
        (buffer.text(), buffer.cursor())
    }

    #[test]
    fn keys_edit() {
        for (keys, expected) in [
            (&[Key::Left, Key::Letter('X')][..], ("one twXo", 7)),
            (&[Key::Home, Key::Delete], ("ne two", 0)),
            (&[Key::Backspace], ("one tw", 6)),
            (&[Key::KillWord], ("one ", 4)),
            (&[Key::KillBefore], ("", 0)),
            (&[Key::Home, Key::WordRight, Key::KillAfter], ("one", 3)),
            (&[Key::KillWord, Key::Home, Key::Yank], ("twoone ", 3)),
            (&[Key::WordLeft, Key::EndOfInput], ("one wo", 4)),
            (&[Key::Transpose], ("one tow", 7)),
            (&[Key::Home, Key::Left, Key::Backspace], ("one two", 0)),
            (&[Key::Home, Key::KillNextWord], (" two", 0)),
        ] {
            assert_eq!(typed("one two", keys), (expected.0.to_owned(), expected.1), "{keys:?}");
        }
    }

    #[test]
    fn the_history_comes_and_goes() {
        let history = ["first".to_owned(), "second".to_owned()];
        let mut buffer = Buffer::new(&history);
        buffer.insert("new");
        for (key, expected) in [
            (Key::Up, "second"),
            (Key::Up, "first"),
            (Key::Up, "first"),
            (Key::Down, "second"),
            (Key::Down, "new"),
            (Key::Down, "new"),
        ] {
            buffer.press(key);
            assert_eq!(buffer.text(), expected);
        }
    }

    #[test]
    fn control_d_ends_an_empty_line_only() {
        let mut buffer = Buffer::new(&[]);
        assert_eq!(buffer.press(Key::EndOfInput), Outcome::End);
        buffer.insert("x");
        assert_eq!(buffer.press(Key::EndOfInput), Outcome::Bell);
        assert_eq!(buffer.press(Key::Enter), Outcome::Enter);
    }
}
