//! From expanded words to arguments: field splitting and the names of files.

use super::pattern;
use crate::files;

/// A part of a word after expansion.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// Was written as it stands: not split.
    Plain(String),
    /// Was quoted: neither split nor a pattern.
    Hard(String),
    /// Came from an expansion: split, and a pattern.
    Soft(String),
    /// Another field begins, as between the arguments of `$@`.
    Break,
}

/// A field, as text and as a pattern.
#[derive(Debug, Default, PartialEq)]
pub struct Field {
    pub text: String,
    pub pattern: String,
    /// Whether the pattern says more than the text.
    wild: bool,
}

impl Field {
    fn hard(&mut self, text: &str) {
        self.text.push_str(text);
        self.pattern.push_str(&pattern::escape(text));
    }

    fn plain(&mut self, text: &str) {
        text.chars().for_each(|c| self.letter(c));
    }

    fn letter(&mut self, c: char) {
        self.wild |= matches!(c, '*' | '?' | '[');
        self.text.push(c);
        if c == '\\' {
            self.pattern.push('\\');
        }
        self.pattern.push(c);
    }

    /// The files that the pattern names; itself when there are none.
    pub fn names(self) -> Vec<String> {
        if !self.wild {
            return vec![self.text];
        }
        match glob(&self.pattern) {
            names if names.is_empty() => vec![self.text],
            names => names,
        }
    }
}

/// The fields of a word.
pub fn split(pieces: &[Piece], separators: &str) -> Vec<Field> {
    let mut splitter = Splitter { separators, fields: Vec::new(), current: None, after_space: false };
    for piece in pieces {
        match piece {
            Piece::Plain(text) => splitter.field().plain(text),
            Piece::Hard(text) => splitter.field().hard(text),
            Piece::Soft(text) => text.chars().for_each(|c| splitter.soft(c)),
            Piece::Break => splitter.end(),
        }
    }
    splitter.end();
    splitter.fields
}

/// A word as one field.
pub fn join(pieces: &[Piece]) -> Field {
    let mut field = Field::default();
    for piece in pieces {
        match piece {
            Piece::Plain(text) | Piece::Soft(text) => field.plain(text),
            Piece::Hard(text) => field.hard(text),
            Piece::Break => field.hard(" "),
        }
    }
    field
}

struct Splitter<'a> {
    separators: &'a str,
    fields: Vec<Field>,
    current: Option<Field>,
    /// A blank has ended the last field; a separator that follows belongs to it.
    after_space: bool,
}

impl Splitter<'_> {
    fn field(&mut self) -> &mut Field {
        self.after_space = false;
        self.current.get_or_insert_default()
    }

    fn end(&mut self) {
        self.fields.extend(self.current.take());
    }

    fn soft(&mut self, c: char) {
        if !self.separators.contains(c) {
            return self.field().letter(c);
        }
        let was_field = self.current.is_some();
        self.end();
        if c.is_ascii_whitespace() {
            self.after_space |= was_field;
        } else {
            if !was_field && !self.after_space {
                self.fields.push(Field::default());
            }
            self.after_space = false;
        }
    }
}

/// The paths that a pattern names, sorted.
fn glob(pattern: &str) -> Vec<String> {
    let mut found = vec![if pattern.starts_with('/') { "/".to_owned() } else { String::new() }];
    let parts: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty()).collect();
    for (at, part) in parts.iter().enumerate() {
        let last = at + 1 == parts.len();
        let next = |base: &String| below(base, part);
        found = found.iter().flat_map(next).collect();
        match last {
            false => {
                found.retain(|path| files::is_directory(path));
                found.iter_mut().for_each(|path| path.push('/'));
            }
            true if pattern.ends_with('/') => {
                found.retain(|path| files::is_directory(path));
                found.iter_mut().for_each(|path| path.push('/'));
            }
            true => {}
        }
    }
    found
}

/// What a directory has that a part of a pattern names.
fn below(base: &str, part: &str) -> Vec<String> {
    let literal = unescaped(part);
    if let Some(name) = literal {
        let path = format!("{base}{name}");
        return if files::link_facts(&path).is_ok() { vec![path] } else { Vec::new() };
    }
    let hidden = part.starts_with('.') || part.starts_with("\\.");
    let names = files::names(if base.is_empty() { "." } else { base }).unwrap_or_default();
    let wanted = |name: &String| (hidden || !name.starts_with('.')) && pattern::matches(part, name);
    names.into_iter().filter(wanted).map(|name| format!("{base}{name}")).collect()
}

/// The text that a pattern without wildcards means.
fn unescaped(part: &str) -> Option<String> {
    let mut text = String::new();
    let mut letters = part.chars();
    while let Some(c) = letters.next() {
        match c {
            '*' | '?' | '[' => return None,
            '\\' => text.extend(letters.next()),
            c => text.push(c),
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(pieces: &[Piece], separators: &str) -> Vec<String> {
        split(pieces, separators).into_iter().map(|field| field.text).collect()
    }

    fn soft(text: &str) -> Piece {
        Piece::Soft(text.to_owned())
    }

    fn hard(text: &str) -> Piece {
        Piece::Hard(text.to_owned())
    }

    #[test]
    fn only_what_was_expanded_is_split() {
        assert_eq!(texts(&[soft(" a  b\n")], " \t\n"), ["a", "b"]);
        assert_eq!(texts(&[hard("a b"), soft("c d")], " "), ["a bc", "d"]);
        assert_eq!(texts(&[Piece::Plain("x".into()), soft(" y")], " "), ["x", "y"]);
        assert_eq!(texts(&[soft("")], " "), [""; 0]);
        assert_eq!(texts(&[hard("")], " "), [""]);
    }

    #[test]
    fn separators_that_are_no_blanks_part_empty_fields() {
        assert_eq!(texts(&[soft("a::b:")], ":"), ["a", "", "b"]);
        assert_eq!(texts(&[soft("a : b")], ": "), ["a", "b"]);
        assert_eq!(texts(&[soft(":a")], ":"), ["", "a"]);
        assert_eq!(texts(&[soft("a b")], ""), ["a b"]);
    }

    #[test]
    fn arguments_stay_apart() {
        assert_eq!(texts(&[hard("a b"), Piece::Break, hard(""), Piece::Break, hard("c")], " "), ["a b", "", "c"]);
    }

    #[test]
    fn quoted_stars_are_no_pattern() {
        let field = join(&[hard("*"), Piece::Plain("*".into())]);
        assert_eq!(field.pattern, "\\**");
        assert!(!split(&[hard("*")], " ")[0].wild);
    }
}
