//! The language of `sed`.

use super::syntax::{Action, Address, Command, Piece, Range, Substitution, When};
use crate::failure::Failure;
use crate::matcher::{Matcher, Syntax};

/// Commands in commands: braces, that is.
const DEPTH: u32 = 50;

/// The commands of a script.
pub fn parse(text: &str, syntax: Syntax) -> Result<Vec<Command>, Failure> {
    let mut parser = Parser { letters: text.chars().collect(), at: 0, syntax, commands: Vec::new() };
    let mut labels = Vec::new();
    let mut branches = Vec::new();
    let mut open = Vec::new();
    loop {
        parser.skip(|c| c.is_whitespace() || c == ';');
        if parser.peek().is_none() {
            break;
        }
        if parser.peek() == Some('#') {
            parser.skip(|c| c != '\n');
            continue;
        }
        let range = parser.range()?;
        parser.skip(|c| c.is_whitespace());
        let letter = parser.next().ok_or_else(|| Failure::from("missing command"))?;
        let here = parser.commands.len();
        let action = match letter {
            '{' => {
                open.push(here);
                Action::Open(0)
            }
            '}' => {
                let start = open.pop().ok_or_else(|| Failure::from("unexpected `}'"))?;
                parser.commands[start].action = Action::Open(here);
                Action::Close
            }
            ':' => {
                labels.push((parser.word(), here));
                Action::Label
            }
            'b' | 't' | 'T' => {
                branches.push((here, parser.word()));
                let when = match letter {
                    'b' => When::Always,
                    't' => When::Substituted,
                    _ => When::NotSubstituted,
                };
                Action::Branch(None, when)
            }
            letter => parser.action(letter)?,
        };
        if open.len() > DEPTH as usize {
            return Err("too many `{'".into());
        }
        parser.commands.push(Command { range, action });
    }
    if !open.is_empty() {
        return Err("unmatched `{'".into());
    }
    for (at, label) in branches.into_iter().filter(|(_, label)| !label.is_empty()) {
        let place = labels.iter().find(|(known, _)| *known == label);
        let (_, place) = place.ok_or_else(|| Failure::from(format!("can't find label for jump to `{label}'")))?;
        if let Action::Branch(to, _) = &mut parser.commands[at].action {
            *to = Some(*place);
        }
    }
    Ok(parser.commands)
}

struct Parser {
    letters: Vec<char>,
    at: usize,
    syntax: Syntax,
    commands: Vec<Command>,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.letters.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn skip(&mut self, which: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&which) {
            self.at += 1;
        }
    }

    fn number(&mut self) -> Option<usize> {
        let start = self.at;
        self.skip(|c| c.is_ascii_digit());
        self.letters[start..self.at].iter().collect::<String>().parse().ok()
    }

    fn word(&mut self) -> String {
        self.skip(|c| c == ' ' || c == '\t');
        let start = self.at;
        self.skip(|c| !c.is_whitespace() && c != ';' && c != '}');
        self.letters[start..self.at].iter().collect()
    }

    fn rest_of_line(&mut self) -> String {
        self.skip(|c| c == ' ' || c == '\t');
        let start = self.at;
        self.skip(|c| c != '\n');
        self.letters[start..self.at].iter().collect()
    }

    fn range(&mut self) -> Result<Range, Failure> {
        let mut range = Range { from: self.address()?, ..Range::default() };
        self.skip(|c| c == ' ');
        if range.from.is_some() && self.peek() == Some(',') {
            self.at += 1;
            self.skip(|c| c == ' ');
            range.to = Some(self.address()?.ok_or_else(|| Failure::from("unexpected `,'"))?);
            self.skip(|c| c == ' ');
        }
        while self.peek() == Some('!') {
            self.at += 1;
            range.inverted = true;
            self.skip(|c| c == ' ');
        }
        Ok(range)
    }

    fn address(&mut self) -> Result<Option<Address>, Failure> {
        Ok(Some(match self.peek() {
            Some('$') => {
                self.at += 1;
                Address::Last
            }
            Some('+') => {
                self.at += 1;
                Address::More(self.number().unwrap_or(0))
            }
            Some(c) if c.is_ascii_digit() => {
                let line = self.number().unwrap_or(0);
                match self.peek() {
                    Some('~') => {
                        self.at += 1;
                        Address::Step(line, self.number().unwrap_or(0))
                    }
                    _ => Address::Line(line),
                }
            }
            Some(c @ ('/' | '\\')) => {
                self.at += 1;
                let delimiter = if c == '/' { c } else { self.next().unwrap_or('/') };
                let pattern = self.until(delimiter, true)?;
                let ignore_case = self.peek() == Some('I');
                self.at += usize::from(ignore_case);
                Address::Match(self.matcher(&pattern, ignore_case)?)
            }
            _ => return Ok(None),
        }))
    }

    /// An empty pattern is the one that was used last.
    fn matcher(&self, pattern: &str, ignore_case: bool) -> Result<Option<Matcher>, Failure> {
        match pattern {
            "" => Ok(None),
            pattern => Ok(Some(Matcher::new(pattern, self.syntax, ignore_case)?)),
        }
    }

    /// The text up to a delimiter, which may be escaped.
    fn until(&mut self, delimiter: char, pattern: bool) -> Result<String, Failure> {
        let mut text = String::new();
        let mut in_set = false;
        loop {
            match self.next().ok_or_else(|| Failure::from("unterminated expression"))? {
                c if c == delimiter && !in_set => return Ok(text),
                '\\' => match self.next() {
                    Some(c) if c == delimiter => text.push(c),
                    Some('n') if pattern => text.push_str(if in_set { "\\n" } else { "\n" }),
                    Some(c) => text.extend(['\\', c]),
                    None => return Err("unterminated expression".into()),
                },
                '[' if pattern && !in_set => {
                    in_set = true;
                    text.push('[');
                    // A bracket that comes first is one of the set.
                    if self.peek() == Some('^') {
                        text.extend(self.next());
                    }
                    if self.peek() == Some(']') {
                        text.extend(self.next());
                    }
                }
                '[' if in_set && self.peek() == Some(':') => {
                    text.push('[');
                    while let Some(c) = self.next() {
                        text.push(c);
                        if c == ']' {
                            break;
                        }
                    }
                }
                c => {
                    in_set &= c != ']';
                    text.push(c);
                }
            }
        }
    }

    fn action(&mut self, letter: char) -> Result<Action, Failure> {
        Ok(match letter {
            's' => Action::Substitute(Box::new(self.substitution()?)),
            'y' => self.transliteration()?,
            'd' => Action::Delete,
            'D' => Action::DeleteFirst,
            'p' => Action::Print,
            'P' => Action::PrintFirst,
            '=' => Action::Number,
            'l' => Action::List,
            'n' => Action::Next,
            'N' => Action::NextAppend,
            'h' => Action::Hold,
            'H' => Action::HoldAppend,
            'g' => Action::Get,
            'G' => Action::GetAppend,
            'x' => Action::Exchange,
            'q' | 'Q' => {
                self.skip(|c| c == ' ');
                Action::Quit { code: self.number().map_or(0, |code| (code & 0xff) as u8), quiet: letter == 'Q' }
            }
            'a' => Action::Append(self.text()),
            'i' => Action::Insert(self.text()),
            'c' => Action::Change(self.text()),
            'r' => Action::Read(self.rest_of_line()),
            'w' => Action::Write(self.rest_of_line()),
            other => return Err(format!("unknown command: `{other}'").into()),
        })
    }

    /// The lines behind `a`, `i` and `c`.
    fn text(&mut self) -> String {
        self.skip(|c| c == ' ' || c == '\t');
        if self.peek() == Some('\\') {
            self.at += 1;
            self.skip(|c| c == ' ' || c == '\t');
            if self.peek() == Some('\n') {
                self.at += 1;
            }
        }
        let mut text = String::new();
        while let Some(c) = self.next() {
            match c {
                '\n' => break,
                '\\' => text.extend(self.next()),
                c => text.push(c),
            }
        }
        text + "\n"
    }

    fn transliteration(&mut self) -> Result<Action, Failure> {
        let delimiter = self.next().ok_or_else(|| Failure::from("unterminated `y' command"))?;
        let plain = |text: String| text.replace("\\n", "\n").replace("\\\\", "\\").chars().collect::<Vec<_>>();
        let from = plain(self.until(delimiter, false)?);
        let to = plain(self.until(delimiter, false)?);
        if from.len() != to.len() {
            return Err("strings for `y' command are different lengths".into());
        }
        Ok(Action::Transliterate(from.into_iter().zip(to).collect()))
    }

    fn substitution(&mut self) -> Result<Substitution, Failure> {
        let delimiter = self.next().ok_or_else(|| Failure::from("unterminated `s' command"))?;
        let pattern = self.until(delimiter, true)?;
        let with = self.until(delimiter, false)?;
        let mut flags =
            Substitution { pattern: None, with: pieces(&with), global: false, nth: 1, print: false, write: None };
        let mut ignore_case = false;
        loop {
            match self.peek() {
                Some('g') => flags.global = true,
                Some('p') => flags.print = true,
                Some('i' | 'I') => ignore_case = true,
                Some('w') => {
                    self.at += 1;
                    flags.write = Some(self.rest_of_line());
                    break;
                }
                Some(c) if c.is_ascii_digit() => {
                    flags.nth = self.number().unwrap_or(1).max(1);
                    continue;
                }
                None | Some('\n' | ';' | '}' | ' ' | '#') => break,
                Some(_) => return Err("unknown option to `s'".into()),
            }
            self.at += 1;
        }
        flags.pattern = self.matcher(&pattern, ignore_case)?;
        Ok(flags)
    }
}

fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut letters = text.chars();
    while let Some(c) = letters.next() {
        let piece = match c {
            '&' => Some(Piece::Group(0)),
            '\\' => match letters.next() {
                Some(digit @ '0'..='9') => Some(Piece::Group(digit as usize - '0' as usize)),
                Some(case @ ('U' | 'L' | 'E' | 'u' | 'l')) => Some(Piece::Case(case)),
                Some('n') => {
                    plain.push('\n');
                    None
                }
                Some('t') => {
                    plain.push('\t');
                    None
                }
                other => {
                    plain.extend(other);
                    None
                }
            },
            c => {
                plain.push(c);
                None
            }
        };
        if let Some(piece) = piece {
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(piece);
        }
    }
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    pieces
}
