//! Expansion: what words stand for.

use super::arithmetic;
use super::fields::{self, Piece};
use super::parser::is_name;
use super::pattern;
use super::syntax::{Change, Parameter, Part, Word};
use super::{Run, Shell, Stop};

impl Shell {
    /// The arguments that words stand for.
    pub(super) fn arguments(&mut self, words: &[Word]) -> Run<Vec<String>> {
        let mut arguments = Vec::new();
        for word in words {
            let pieces = self.pieces(word)?;
            let separators = self.variables.get("IFS").unwrap_or(" \t\n").to_owned();
            for field in fields::split(&pieces, &separators) {
                match self.options.noglob {
                    true => arguments.push(field.text),
                    false => arguments.extend(field.names()),
                }
            }
        }
        Ok(arguments)
    }

    /// What a word stands for where there is no splitting.
    pub(super) fn text(&mut self, word: &Word) -> Run<String> {
        Ok(fields::join(&self.pieces(word)?).text)
    }

    /// The same, as a pattern.
    pub(super) fn pattern(&mut self, word: &Word) -> Run<String> {
        Ok(fields::join(&self.pieces(word)?).pattern)
    }

    fn pieces(&mut self, word: &Word) -> Run<Vec<Piece>> {
        let mut pieces = Vec::new();
        for (at, part) in word.0.iter().enumerate() {
            match part {
                Part::Plain(text) if at == 0 && text.starts_with('~') => {
                    self.tilde(text, word.0.len() == 1, &mut pieces)
                }
                Part::Plain(text) => pieces.push(Piece::Plain(text.clone())),
                Part::Quoted(text) => pieces.push(Piece::Hard(text.clone())),
                Part::Parameter(parameter) => self.parameter(parameter, &mut pieces)?,
                Part::Command { script, quoted } => pieces.push(piece(self.output_of(script)?, *quoted)),
                Part::Arithmetic { expression, quoted } => {
                    let expression = self.text(expression)?;
                    pieces.push(piece(self.evaluate(&expression)?.to_string(), *quoted));
                }
            }
        }
        Ok(pieces)
    }

    /// `~` is the home directory; other people have none here.
    fn tilde(&self, text: &str, whole: bool, pieces: &mut Vec<Piece>) {
        let rest = &text[1..];
        match rest.starts_with('/') || (rest.is_empty() && whole) {
            true => {
                pieces.push(Piece::Hard(self.variables.get("HOME").unwrap_or("/").to_owned()));
                pieces.push(Piece::Plain(rest.to_owned()));
            }
            false => pieces.push(Piece::Plain(text.to_owned())),
        }
    }

    pub(super) fn evaluate(&mut self, expression: &str) -> Run<i64> {
        arithmetic::evaluate(expression, self).map_err(|error| Stop::Fatal(error.to_string()))
    }

    fn parameter(&mut self, parameter: &Parameter, pieces: &mut Vec<Piece>) -> Run<()> {
        let Parameter { name, change, quoted } = parameter;
        if matches!(name.as_str(), "@" | "*") && *change == Change::None {
            self.all_arguments(name == "@", *quoted, pieces);
            return Ok(());
        }
        let value = self.value_of(name);
        if value.is_none() && self.options.nounset && !matches!(change, Change::Instead { .. }) {
            return Err(Stop::Fatal(format!("{name}: parameter not set")));
        }
        if let Change::Instead { operator, colon, word } = change {
            return self.instead(name, value, (*operator, *colon), word, *quoted, pieces);
        }
        let value = value.unwrap_or_default();
        let changed = match change {
            Change::None | Change::Instead { .. } => value,
            Change::Length if matches!(name.as_str(), "@" | "*") => self.positional.len().to_string(),
            Change::Length => value.chars().count().to_string(),
            Change::Trim { suffix, longest, pattern } => {
                let pattern = self.pattern(pattern)?;
                pattern::trim(&value, &pattern, *suffix, *longest).to_owned()
            }
            Change::Replace { all, pattern, word } => {
                let pattern = self.pattern(pattern)?;
                pattern::replace(&value, &pattern, &self.text(word)?, *all)
            }
            Change::Slice { from, length } => self.slice(&value, from, length.as_ref())?,
        };
        pieces.push(piece(changed, *quoted));
        Ok(())
    }

    fn slice(&mut self, value: &str, from: &Word, length: Option<&Word>) -> Run<String> {
        let letters: Vec<char> = value.chars().collect();
        let count = letters.len() as i64;
        let place = |value: i64| if value < 0 { count.saturating_add(value).max(0) } else { value.min(count) };
        let from = self.text(from)?;
        let from = place(self.evaluate(&from)?);
        let end = match length {
            None => count,
            Some(length) => {
                let length = self.text(length)?;
                match self.evaluate(&length)? {
                    length if length < 0 => place(length),
                    length => from.saturating_add(length).min(count),
                }
            }
        };
        Ok(letters[from as usize..end.max(from) as usize].iter().collect())
    }

    fn instead(
        &mut self,
        name: &str,
        value: Option<String>,
        (operator, colon): (char, bool),
        word: &Word,
        quoted: bool,
        pieces: &mut Vec<Piece>,
    ) -> Run<()> {
        let there = value.as_ref().is_some_and(|value| !colon || !value.is_empty());
        match (operator, there) {
            ('+', false) => pieces.extend(quoted.then(|| Piece::Hard(String::new()))),
            ('+', true) | ('-', false) => {
                let inner = self.pieces(word)?;
                if inner.is_empty() && quoted {
                    pieces.push(Piece::Hard(String::new()));
                }
                pieces.extend(inner);
            }
            ('=', false) => {
                let text = self.text(word)?;
                if !is_name(name) {
                    return Err(Stop::Fatal(format!("{name}: bad variable name")));
                }
                self.assign(name, text.clone())?;
                pieces.push(piece(text, quoted));
            }
            ('?', false) => {
                let text = self.text(word)?;
                let text = if text.is_empty() { "parameter not set".to_owned() } else { text };
                return Err(Stop::Fatal(format!("{name}: {text}")));
            }
            _ if matches!(name, "@" | "*") => self.all_arguments(name == "@", quoted, pieces),
            _ => pieces.push(piece(value.unwrap_or_default(), quoted)),
        }
        Ok(())
    }

    fn all_arguments(&self, apart: bool, quoted: bool, pieces: &mut Vec<Piece>) {
        if quoted && !apart {
            return pieces.push(Piece::Hard(self.joined()));
        }
        for (at, argument) in self.positional.iter().enumerate() {
            if at > 0 {
                pieces.push(Piece::Break);
            }
            pieces.push(piece(argument.clone(), quoted));
        }
    }

    /// `"$*"`.
    fn joined(&self) -> String {
        let separator = self.variables.get("IFS").map_or(Some(' '), |ifs| ifs.chars().next());
        self.positional.join(&separator.map(String::from).unwrap_or_default())
    }

    /// The value of a parameter; None: it is not set.
    pub(super) fn value_of(&self, name: &str) -> Option<String> {
        Some(match name {
            "?" => self.status.to_string(),
            "$" => self.id().to_string(),
            "!" => self.jobs.last_id()?.to_string(),
            "#" => self.positional.len().to_string(),
            "-" => self.options.letters(self.interactive),
            "0" => self.name.clone(),
            "@" | "*" if self.positional.is_empty() => return None,
            "@" | "*" => self.joined(),
            "LINENO" => "1".to_owned(),
            "RANDOM" => random().to_string(),
            digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.positional.get(digits.parse::<usize>().ok()?.checked_sub(1)?)?.clone()
            }
            name => self.variables.get(name)?.to_owned(),
        })
    }
}

impl arithmetic::Variables for Shell {
    fn value(&mut self, name: &str) -> String {
        self.value_of(name).unwrap_or_default()
    }

    fn assign(&mut self, name: &str, value: String) -> bool {
        self.variables.set(name, value).is_ok()
    }
}

fn piece(text: String, quoted: bool) -> Piece {
    if quoted { Piece::Hard(text) } else { Piece::Soft(text) }
}

/// From 0 to 32767.
fn random() -> u16 {
    use std::hash::{BuildHasher as _, RandomState};
    (RandomState::new().hash_one(std::time::Instant::now()) & 0x7fff) as u16
}
