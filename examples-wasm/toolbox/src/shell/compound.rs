//! The commands that hold other commands.

use std::rc::Rc;

use super::parser::{Parsed, Parser, is_name};
use super::syntax::{Arm, Kind, Word};

impl Parser {
    /// A compound command or the definition of a function, if one starts here.
    pub(super) fn compound(&mut self) -> Parsed<Option<Kind>> {
        if self.rest().starts_with('(') {
            return self.subshell().map(Some);
        }
        let Some(word) = self.reserved() else {
            return self.function();
        };
        let start = self.at;
        self.at += word.len();
        Ok(Some(match word {
            "{" => Kind::Group(self.list_until("}")?),
            "if" => self.if_clause()?,
            "while" | "until" => {
                let condition = self.list_until("do")?;
                Kind::Loop { until: word == "until", condition, body: self.list_until("done")? }
            }
            "for" => self.for_clause()?,
            "case" => self.case_clause()?,
            "function" => {
                self.skip_blanks();
                let name = self.bare();
                self.skip_blanks();
                if self.rest().starts_with("()") {
                    self.at += 2;
                }
                self.function_body(name)?
            }
            _ => {
                self.at = start;
                return Err(self.unexpected());
            }
        }))
    }

    fn subshell(&mut self) -> Parsed<Kind> {
        self.at += 1;
        let start = self.at;
        self.list()?;
        let end = self.at;
        self.expect(")")?;
        Ok(Kind::Subshell(self.span(start, end)))
    }

    /// Commands, and the reserved word behind them.
    fn list_until(&mut self, word: &str) -> Parsed<Vec<super::syntax::Item>> {
        let list = self.list()?;
        self.expect(word)?;
        Ok(list)
    }

    fn expect(&mut self, word: &str) -> Parsed<()> {
        self.skip_newlines()?;
        let there = match word {
            ")" => self.rest().starts_with(')'),
            word => self.reserved() == Some(word),
        };
        if !there {
            return Err(self.unexpected());
        }
        self.at += word.len();
        Ok(())
    }

    fn if_clause(&mut self) -> Parsed<Kind> {
        let mut arms = Vec::new();
        loop {
            let condition = self.list_until("then")?;
            arms.push((condition, self.list()?));
            match self.reserved() {
                Some("elif") => self.at += 4,
                Some("else") => {
                    self.at += 4;
                    return Ok(Kind::If { arms, otherwise: Some(self.list_until("fi")?) });
                }
                _ => {
                    self.expect("fi")?;
                    return Ok(Kind::If { arms, otherwise: None });
                }
            }
        }
    }

    fn for_clause(&mut self) -> Parsed<Kind> {
        self.skip_blanks();
        let start = self.at;
        let name = self.bare();
        if !is_name(&name) {
            self.at = start;
            return Err(self.unexpected());
        }
        self.skip_newlines()?;
        let mut words = None;
        if self.at_word("in") {
            self.at += 2;
            words = Some(self.words()?);
        }
        self.skip_blanks();
        if self.rest().starts_with(';') {
            self.at += 1;
        }
        self.skip_newlines()?;
        self.expect("do")?;
        Ok(Kind::For { name, words, body: self.list_until("done")? })
    }

    fn words(&mut self) -> Parsed<Vec<Word>> {
        let mut words = Vec::new();
        loop {
            self.skip_blanks();
            match self.peek() {
                None | Some(';' | '\n') => return Ok(words),
                Some('&' | '|' | '(' | ')' | '<' | '>') => return Err(self.unexpected()),
                Some(_) => words.push(self.word()?),
            }
        }
    }

    fn case_clause(&mut self) -> Parsed<Kind> {
        self.skip_blanks();
        let word = self.word()?;
        self.skip_newlines()?;
        if !self.at_word("in") {
            return Err(self.unexpected());
        }
        self.at += 2;
        let mut arms = Vec::new();
        loop {
            self.skip_newlines()?;
            if self.reserved() == Some("esac") {
                self.at += 4;
                return Ok(Kind::Case { word, arms });
            }
            arms.push(self.arm()?);
        }
    }

    fn arm(&mut self) -> Parsed<Arm> {
        if self.rest().starts_with('(') {
            self.at += 1;
        }
        let mut patterns = Vec::new();
        loop {
            self.skip_blanks();
            patterns.push(self.word()?);
            self.skip_blanks();
            match self.peek() {
                Some('|') => self.at += 1,
                Some(')') => break,
                _ => return Err(self.unexpected()),
            }
        }
        self.at += 1;
        self.skip_newlines()?;
        let empty = self.rest().starts_with(";;") || self.reserved() == Some("esac");
        let body = if empty { Vec::new() } else { self.list()? };
        self.skip_newlines()?;
        let falls = self.rest().starts_with(";&");
        if falls || self.rest().starts_with(";;") {
            self.at += 2;
        } else if self.reserved() != Some("esac") {
            return Err(self.unexpected());
        }
        Ok(Arm { patterns, body, falls })
    }

    /// `name() command`.
    fn function(&mut self) -> Parsed<Option<Kind>> {
        let start = self.at;
        let name = self.bare();
        self.skip_blanks();
        if name.is_empty() || !self.rest().starts_with('(') {
            self.at = start;
            return Ok(None);
        }
        self.at += 1;
        self.skip_blanks();
        self.expect(")")?;
        self.function_body(name).map(Some)
    }

    fn function_body(&mut self, name: String) -> Parsed<Kind> {
        self.skip_newlines()?;
        let start = self.at;
        let body = self.command()?;
        if matches!(body.kind, Kind::Simple { .. }) {
            self.at = start;
            return Err(self.unexpected());
        }
        Ok(Kind::Function { name, body: Rc::new(body) })
    }

    /// A word without anything special in it.
    fn bare(&mut self) -> String {
        let rest = self.rest();
        let end = rest.find(|c: char| c.is_ascii_whitespace() || ";&|()<>$`\"'\\=".contains(c)).unwrap_or(rest.len());
        let word = rest[..end].to_owned();
        self.at += end;
        word
    }

    fn at_word(&self, word: &str) -> bool {
        let rest = self.rest().strip_prefix(word);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\n', ';']))
    }
}
