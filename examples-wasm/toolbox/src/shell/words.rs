//! Reads words: quotes, `$`, backquotes.

use super::parser::{Parsed, Parser, SyntaxError, is_name};
use super::syntax::{Change, Parameter, Part, Word};

/// Where characters stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    Word,
    /// Between double quotes.
    Double,
    /// A here-document or an arithmetic expression, to the end of the text.
    Text,
    /// Between the braces of `${x-…}`, to `}` or one of these; whether it is quoted.
    Braces {
        quoted: bool,
        ends: &'static str,
    },
}

impl Within {
    fn quoted(self) -> bool {
        matches!(self, Within::Double | Within::Text | Within::Braces { quoted: true, .. })
    }

    fn ends(self, c: char) -> bool {
        match self {
            Within::Word => c.is_ascii_whitespace() || ";&|()<>".contains(c),
            Within::Double => c == '"',
            Within::Text => false,
            Within::Braces { ends, .. } => c == '}' || ends.contains(c),
        }
    }
}

/// Parts, with neighbours of the same kind as one.
#[derive(Default)]
struct Parts(Vec<Part>);

impl Parts {
    fn text(&mut self, text: &str, quoted: bool) {
        match (self.0.last_mut(), quoted) {
            (Some(Part::Plain(last)), false) | (Some(Part::Quoted(last)), true) => last.push_str(text),
            (_, false) => self.0.push(Part::Plain(text.to_owned())),
            (_, true) => self.0.push(Part::Quoted(text.to_owned())),
        }
    }
}

impl Parser {
    /// A word; it is an error when none stands here.
    pub(super) fn word(&mut self) -> Parsed<Word> {
        let word = self.word_or_nothing()?;
        if word.0.is_empty() { Err(self.unexpected()) } else { Ok(word) }
    }

    pub(super) fn word_or_nothing(&mut self) -> Parsed<Word> {
        self.parts(Within::Word)
    }

    /// The lines of a here-document; also any other text that is expanded as if between double quotes.
    pub fn here(text: impl Into<String>) -> Parsed<Word> {
        Parser::new(text).parts(Within::Text)
    }

    fn parts(&mut self, within: Within) -> Parsed<Word> {
        self.deeper()?;
        let mut parts = Parts::default();
        while let Some(c) = self.peek() {
            if within.ends(c) {
                break;
            }
            match c {
                '\\' => self.escape(within, &mut parts),
                '\'' if !within.quoted() => {
                    let text = self.between_single()?;
                    parts.text(&text, true);
                }
                '"' if within != Within::Text => self.between_double(&mut parts)?,
                '$' => self.dollar(within, &mut parts)?,
                '`' => {
                    let script = self.backquoted(within)?;
                    parts.0.push(Part::Command { script, quoted: within.quoted() });
                }
                c => {
                    parts.text(c.encode_utf8(&mut [0; 4]), within.quoted());
                    self.at += c.len_utf8();
                }
            }
        }
        self.depth -= 1;
        Ok(Word(parts.0))
    }

    fn escape(&mut self, within: Within, parts: &mut Parts) {
        self.at += 1;
        let Some(next) = self.peek() else { return parts.text("\\", true) };
        let special = match within {
            Within::Word | Within::Braces { quoted: false, .. } => true,
            Within::Double => "$`\"\\\n".contains(next),
            Within::Text => "$`\\\n".contains(next),
            Within::Braces { quoted: true, .. } => "$`\"\\\n}".contains(next),
        };
        if !special {
            return parts.text("\\", true);
        }
        self.at += next.len_utf8();
        if next != '\n' {
            parts.text(next.encode_utf8(&mut [0; 4]), true);
        }
    }

    fn between_single(&mut self) -> Parsed<String> {
        let rest = &self.rest()[1..];
        let end = rest.find('\'').ok_or(SyntaxError::Incomplete(" (unterminated quoted string)"))?;
        let text = rest[..end].to_owned();
        self.at += end + 2;
        Ok(text)
    }

    fn between_double(&mut self, parts: &mut Parts) -> Parsed<()> {
        self.at += 1;
        let Word(inner) = self.parts(Within::Double)?;
        if self.peek() != Some('"') {
            return Err(SyntaxError::Incomplete(" (unterminated quoted string)"));
        }
        self.at += 1;
        match inner.is_empty() {
            true => parts.text("", true),
            false => parts.0.extend(inner),
        }
        Ok(())
    }

    fn dollar(&mut self, within: Within, parts: &mut Parts) -> Parsed<()> {
        let quoted = within.quoted();
        let after = &self.rest()[1..];
        let next = after.chars().next().unwrap_or(' ');
        let part = match next {
            '\'' if !quoted => {
                self.at += 1;
                let text = self.between_ansi()?;
                parts.text(&text, true);
                return Ok(());
            }
            '(' => self.parenthesis(quoted)?,
            '{' => self.braces(quoted)?,
            c if "@*#?-$!".contains(c) || c.is_ascii_digit() => {
                self.at += 2;
                Part::Parameter(Parameter { name: c.to_string(), change: Change::None, quoted })
            }
            c if c == '_' || c.is_ascii_alphabetic() => {
                self.at += 1;
                Part::Parameter(Parameter { name: self.name(), change: Change::None, quoted })
            }
            _ => {
                self.at += 1;
                parts.text("$", true);
                return Ok(());
            }
        };
        parts.0.push(part);
        Ok(())
    }

    fn name(&mut self) -> String {
        let rest = self.rest();
        let end = rest.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let name = rest[..end].to_owned();
        self.at += end;
        name
    }

    /// `$'…'`, with the escapes of C.
    fn between_ansi(&mut self) -> Parsed<String> {
        let rest = self.rest()[1..].to_owned();
        let mut escaped = false;
        let end = rest.find(|c| {
            let end = c == '\'' && !escaped;
            escaped = c == '\\' && !escaped;
            end
        });
        let end = end.ok_or(SyntaxError::Incomplete(" (unterminated quoted string)"))?;
        self.at += end + 2;
        let (bytes, _) = crate::escapes::unescape(&rest[..end].replace("\\'", "'"), false);
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// `$(( ))` or `$( )`.
    fn parenthesis(&mut self, quoted: bool) -> Parsed<Part> {
        if let Some(length) = arithmetic_end(&self.rest()[1..]) {
            let text = self.rest()[3..1 + length - 2].to_owned();
            self.at += 1 + length;
            return Ok(Part::Arithmetic { expression: Parser::here(text)?, quoted });
        }
        self.at += 2;
        let start = self.at;
        let script = self.apart(|parser| {
            parser.skip_newlines()?;
            if !parser.rest().starts_with(')') {
                parser.list()?;
            }
            parser.skip_newlines()?;
            match parser.peek() {
                Some(')') => Ok(parser.source.text[start..parser.at].to_owned()),
                _ => Err(parser.unexpected()),
            }
        })?;
        self.at += 1;
        Ok(Part::Command { script, quoted })
    }

    fn backquoted(&mut self, within: Within) -> Parsed<String> {
        self.at += 1;
        let mut script = String::new();
        loop {
            let c = self.peek().ok_or(SyntaxError::Incomplete(" (unterminated backquote)"))?;
            self.at += c.len_utf8();
            match c {
                '`' => return Ok(script),
                '\\' => match self.peek() {
                    Some(next) if "$`\\".contains(next) || (next == '"' && within.quoted()) => {
                        self.at += 1;
                        script.push(next);
                    }
                    _ => script.push('\\'),
                },
                c => script.push(c),
            }
        }
    }

    /// `${…}`.
    fn braces(&mut self, quoted: bool) -> Parsed<Part> {
        self.at += 2;
        let rest = self.rest();
        let length =
            rest.starts_with('#') && !rest.starts_with("#}") && !rest.starts_with("#-") && !rest.starts_with("#:");
        if length {
            self.at += 1;
        }
        let name = match self.peek() {
            Some(c) if "@*#?-$!".contains(c) => {
                self.at += 1;
                c.to_string()
            }
            _ => self.name(),
        };
        if !(is_name(&name) || name.bytes().all(|byte| byte.is_ascii_digit()) || name.len() == 1) || name.is_empty() {
            return Err(if self.rest().is_empty() { SyntaxError::Incomplete("") } else { SyntaxError::Substitution });
        }
        let change = if length { Change::Length } else { self.change(quoted)? };
        match self.peek() {
            Some('}') => self.at += 1,
            None => return Err(SyntaxError::Incomplete(" (missing '}')")),
            Some(_) => return Err(SyntaxError::Substitution),
        }
        Ok(Part::Parameter(Parameter { name, change, quoted }))
    }

    fn change(&mut self, quoted: bool) -> Parsed<Change> {
        let rest = self.rest();
        let colon = rest.starts_with(':');
        let operator = rest[usize::from(colon)..].chars().next();
        let value = Within::Braces { quoted, ends: "" };
        let pattern = |ends| Within::Braces { quoted: false, ends };
        Ok(match operator {
            Some('}') if !colon => Change::None,
            Some(operator @ ('-' | '=' | '?' | '+')) => {
                self.at += 1 + usize::from(colon);
                Change::Instead { operator, colon, word: self.parts(value)? }
            }
            Some(_) if colon => {
                self.at += 1;
                let from = self.parts(pattern(":"))?;
                let has_length = self.peek() == Some(':');
                self.at += usize::from(has_length);
                Change::Slice { from, length: has_length.then(|| self.parts(pattern(""))).transpose()? }
            }
            Some(operator @ ('%' | '#')) => {
                let longest = rest[1..].starts_with(operator);
                self.at += 1 + usize::from(longest);
                Change::Trim { suffix: operator == '%', longest, pattern: self.parts(pattern(""))? }
            }
            Some('/') => {
                let all = rest[1..].starts_with('/');
                self.at += 1 + usize::from(all);
                let from = self.parts(pattern("/"))?;
                let has_word = self.peek() == Some('/');
                self.at += usize::from(has_word);
                let word = if has_word { self.parts(value)? } else { Word::default() };
                Change::Replace { all, pattern: from, word }
            }
            None => return Err(SyntaxError::Incomplete(" (missing '}')")),
            Some(_) => return Err(SyntaxError::Substitution),
        })
    }
}

/// How long an arithmetic expression is with both its parentheses, when `(( … ))` is one and no subshell.
fn arithmetic_end(text: &str) -> Option<usize> {
    if !text.starts_with("((") {
        return None;
    }
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => {
                depth -= 1;
                if depth == 1 {
                    return text[at + 1..].starts_with(')').then_some(at + 2);
                }
            }
            _ => {}
        }
    }
    None
}
