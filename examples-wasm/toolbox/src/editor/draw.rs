//! Draws a line, which may be longer than the terminal is wide.

use super::buffer::Buffer;

/// Where on the screen the line is.
pub struct Screen {
    prompt: String,
    /// How many columns the prompt's last line takes.
    prompt_width: usize,
    width: usize,
    /// In which of the line's rows the cursor was left.
    row: usize,
}

impl Screen {
    pub fn new(prompt: &str, width: usize) -> Screen {
        let last = prompt.rsplit('\n').next().unwrap_or_default();
        Screen { prompt: prompt.to_owned(), prompt_width: visible(last), width: width.max(1), row: 0 }
    }

    pub fn resize(&mut self, width: usize) {
        self.width = width.max(1);
    }

    /// What to print so that the line and its cursor are shown, over what was shown before.
    pub fn draw(&mut self, buffer: &Buffer) -> String {
        let text: String = buffer.letters().iter().map(|c| shown(*c)).collect();
        let end = self.prompt_width + columns(buffer.letters());
        let cursor = self.prompt_width + columns(&buffer.letters()[..buffer.cursor()]);
        let mut drawn = self.to_start() + "\x1b[J" + &self.prompt.replace('\n', "\r\n") + &text;
        // A terminal stays in the last column until another letter comes.
        if end > 0 && end.is_multiple_of(self.width) {
            drawn.push_str(" \r\x1b[K");
        }
        let (end_row, row) = (end / self.width, cursor / self.width);
        drawn += &up(end_row - row);
        drawn.push('\r');
        drawn += &right(cursor % self.width);
        self.row = row + self.prompt.matches('\n').count();
        drawn
    }

    /// What to print to go on below the line.
    pub fn leave(&mut self, buffer: &Buffer) -> String {
        let end = self.prompt_width + columns(buffer.letters());
        let cursor = self.prompt_width + columns(&buffer.letters()[..buffer.cursor()]);
        let down = end / self.width - cursor / self.width;
        self.row = 0;
        "\n".repeat(down) + "\r\n"
    }

    /// What to print to have the line at the top of an empty screen.
    pub fn clear(&mut self) -> String {
        self.row = 0;
        "\x1b[H\x1b[2J".to_owned()
    }

    fn to_start(&self) -> String {
        up(self.row) + "\r"
    }
}

fn up(rows: usize) -> String {
    if rows > 0 { format!("\x1b[{rows}A") } else { String::new() }
}

fn right(columns: usize) -> String {
    if columns > 0 { format!("\x1b[{columns}C") } else { String::new() }
}

/// A letter as it is shown: what moves the cursor is not.
fn shown(c: char) -> char {
    match c {
        '\n' => '\u{23ce}',
        c if c.is_control() => '?',
        c => c,
    }
}

fn columns(letters: &[char]) -> usize {
    letters.iter().map(|c| width(*c)).sum()
}

/// How many columns a letter takes: two for the wide scripts, none for marks on others.
fn width(c: char) -> usize {
    match u32::from(c) {
        0x300..=0x36f | 0x200b..=0x200f | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f | 0xff00..=0xff60 => 2,
        0xffe0..=0xffe6 | 0x1f300..=0x1f64f | 0x1f900..=0x1f9ff | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// How many columns a prompt takes, without its colours.
fn visible(prompt: &str) -> usize {
    let mut columns = 0;
    let mut letters = prompt.chars();
    while let Some(c) = letters.next() {
        match c {
            '\x1b' => {
                // `[`, then up to a letter.
                letters.next();
                letters.find(char::is_ascii_alphabetic);
            }
            c if c.is_control() => {}
            c => columns += width(c),
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::editor::keys::Key;

    fn drawn(width: usize, text: &str, keys: &[Key]) -> String {
        let mut buffer = Buffer::new(&[]);
        buffer.insert(text);
        for key in keys {
            buffer.press(*key);
        }
        Screen::new("# ", width).draw(&buffer)
    }

    #[test]
    fn the_cursor_is_put_where_it_is() {
        assert_eq!(drawn(80, "ab", &[]), "\r\x1b[J# ab\r\x1b[4C");
        assert_eq!(drawn(80, "ab", &[Key::Home]), "\r\x1b[J# ab\r\x1b[2C");
    }

    #[test]
    fn long_lines_take_several_rows() {
        assert_eq!(drawn(4, "abcd", &[]), "\r\x1b[J# abcd\r\x1b[2C");
        assert_eq!(drawn(4, "abcd", &[Key::Home]), "\r\x1b[J# abcd\x1b[1A\r\x1b[2C");
        assert_eq!(drawn(4, "ab", &[]), "\r\x1b[J# ab \r\x1b[K\r");
    }

    #[test]
    fn the_next_drawing_starts_where_the_last_began() {
        let mut buffer = Buffer::new(&[]);
        buffer.insert("abcdef");
        let mut screen = Screen::new("# ", 4);
        screen.draw(&buffer);
        assert!(screen.draw(&buffer).starts_with("\x1b[2A\r"));
        assert_eq!(screen.leave(&buffer), "\r\n");
        assert!(screen.draw(&buffer).starts_with("\r"));
    }

    #[test]
    fn colours_and_wide_letters_count_as_they_are_seen() {
        assert_eq!(visible("\x1b[1;32mroot\x1b[0m# "), 6);
        assert_eq!(columns(&['日', 'e', '\u{301}']), 3);
    }
}
