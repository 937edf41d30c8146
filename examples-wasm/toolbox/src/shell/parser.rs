//! Reads a script, one complete command line after the other.
//!
//! What a character means depends on where it stands, so there are no tokens: each rule of the grammar reads the text
//! itself. [`words`](super::words) has the rules within words, [`compound`](super::compound) those of `if`, `for` and so on.

use std::cell::RefCell;
use std::rc::Rc;

use super::heredoc::Pending;
use super::syntax::{AndOr, Command, Item, Join, Kind, List, Pipeline, Redirect, Span, Target, Text};

/// How deep commands may be nested: the parser and the shell go as deep themselves, and a guest's stack has an end.
const DEPTH: u32 = 60;

/// Why a text is no script.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum SyntaxError {
    /// More lines may mend it.
    #[error("syntax error: unexpected end of file{0}")]
    Incomplete(&'static str),
    #[error("line {line}: syntax error: unexpected {what}")]
    Unexpected { line: usize, what: String },
    #[error("syntax error: bad substitution")]
    Substitution,
    #[error("syntax error: nested too deeply")]
    Deep,
}

pub type Parsed<T> = Result<T, SyntaxError>;

/// A place in a text.
pub struct Parser {
    pub(super) source: Rc<Text>,
    pub(super) at: usize,
    /// Here-documents whose lines are still to come.
    pub(super) pending: Vec<Pending>,
    pub(super) depth: u32,
}

/// Words that mean something where a command is expected.
const RESERVED: &[&str] = &[
    "if", "then", "else", "elif", "fi", "do", "done", "case", "esac", "while", "until", "for", "{", "}", "!",
    "function",
];

/// Those of them that end a list.
const ENDING: &[&str] = &["then", "else", "elif", "fi", "do", "done", "esac", "}"];

impl Parser {
    pub fn new(text: impl Into<String>) -> Parser {
        let source = Rc::new(Text { text: text.into(), heredocs: RefCell::default() });
        Parser { source, at: 0, pending: Vec::new(), depth: 0 }
    }

    /// The next complete line of commands; None at the end.
    pub fn line(&mut self) -> Parsed<Option<List>> {
        self.skip_newlines()?;
        if self.rest().is_empty() {
            return Ok(None);
        }
        let mut list = List::new();
        loop {
            let item = self.item()?;
            let more = self.separator(&item)?;
            list.push(item);
            self.skip_blanks();
            if more == Separator::Newline || self.rest().is_empty() {
                break;
            }
            if self.peek() == Some('\n') {
                self.newline()?;
                break;
            }
            if more == Separator::None {
                return Err(self.unexpected());
            }
        }
        if self.rest().is_empty() && !self.pending.is_empty() {
            self.heredocs(true)?;
        }
        Ok(Some(list))
    }

    /// Commands up to a word or a character that ends them.
    pub(super) fn list(&mut self) -> Parsed<List> {
        self.deeper()?;
        let mut list = List::new();
        loop {
            self.skip_newlines()?;
            if self.at_end_of_list() {
                break;
            }
            let item = self.item()?;
            let separator = self.separator(&item)?;
            list.push(item);
            if separator == Separator::None {
                break;
            }
        }
        self.depth -= 1;
        match list.is_empty() {
            true => Err(self.unexpected()),
            false => Ok(list),
        }
    }

    pub(super) fn deeper(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth > DEPTH { Err(SyntaxError::Deep) } else { Ok(()) }
    }

    fn at_end_of_list(&self) -> bool {
        let rest = self.rest();
        rest.is_empty()
            || rest.starts_with(')')
            || rest.starts_with(";;")
            || rest.starts_with(";&")
            || self.reserved().is_some_and(|word| ENDING.contains(&word))
    }

    fn item(&mut self) -> Parsed<Item> {
        let and_or = self.and_or()?;
        self.skip_blanks();
        let background = self.rest().starts_with('&');
        Ok(Item { and_or, background })
    }

    /// What stands behind an item.
    fn separator(&mut self, item: &Item) -> Parsed<Separator> {
        self.skip_blanks();
        let rest = self.rest();
        if item.background || (rest.starts_with(';') && !rest.starts_with(";;") && !rest.starts_with(";&")) {
            self.at += 1;
            return Ok(Separator::Here);
        }
        if rest.starts_with('\n') {
            self.newline()?;
            return Ok(Separator::Newline);
        }
        Ok(Separator::None)
    }

    fn and_or(&mut self) -> Parsed<AndOr> {
        self.skip_blanks();
        let start = self.at;
        let first = self.pipeline()?;
        let mut rest = Vec::new();
        let mut end = self.at;
        loop {
            self.skip_blanks();
            let join = match self.rest() {
                rest if rest.starts_with("&&") => Join::And,
                rest if rest.starts_with("||") => Join::Or,
                _ => break,
            };
            self.at += 2;
            self.skip_newlines()?;
            rest.push((join, self.pipeline()?));
            end = self.at;
        }
        Ok(AndOr { first, rest, span: self.span(start, end) })
    }

    fn pipeline(&mut self) -> Parsed<Pipeline> {
        let mut negated = false;
        self.skip_blanks();
        while self.reserved() == Some("!") {
            self.at += 1;
            negated = !negated;
            self.skip_blanks();
        }
        let mut commands = vec![self.command()?];
        loop {
            self.skip_blanks();
            if !self.rest().starts_with('|') || self.rest().starts_with("||") {
                return Ok(Pipeline { negated, commands });
            }
            self.at += 1;
            if self.rest().starts_with('&') {
                self.at += 1;
                if let Some(command) = commands.last_mut() {
                    command.both = true;
                }
            }
            self.skip_newlines()?;
            commands.push(self.command()?);
        }
    }

    pub(super) fn command(&mut self) -> Parsed<Command> {
        self.deeper()?;
        self.skip_blanks();
        let start = self.at;
        let compound = self.compound()?;
        let (kind, mut redirects) = match compound {
            Some(kind) => (kind, Vec::new()),
            None => self.simple()?,
        };
        let mut end = self.at;
        if !matches!(kind, Kind::Simple { .. } | Kind::Function { .. }) {
            loop {
                self.skip_blanks();
                let Some(redirect) = self.redirect()? else { break };
                redirects.push(redirect);
                end = self.at;
            }
        }
        self.depth -= 1;
        Ok(Command { kind, redirects, both: false, span: self.span(start, end) })
    }

    fn simple(&mut self) -> Parsed<(Kind, Vec<Redirect>)> {
        let (mut assignments, mut words, mut redirects) = (Vec::new(), Vec::new(), Vec::new());
        let mut end = self.at;
        loop {
            self.skip_blanks();
            if let Some(redirect) = self.redirect()? {
                redirects.push(redirect);
            } else if self.at_delimiter() {
                break;
            } else if words.is_empty()
                && let Some(name) = self.assigned()
            {
                self.at += name.len() + 1;
                assignments.push((name, self.word_or_nothing()?));
            } else {
                words.push(self.word()?);
            }
            end = self.at;
        }
        if assignments.is_empty() && words.is_empty() && redirects.is_empty() {
            return Err(self.unexpected());
        }
        self.at = end;
        Ok((Kind::Simple { assignments, words }, redirects))
    }

    /// The name of an assignment that stands here.
    fn assigned(&self) -> Option<String> {
        let (name, _) = self.rest().split_once('=')?;
        is_name(name).then(|| name.to_owned())
    }

    /// A redirection, if one stands here.
    fn redirect(&mut self) -> Parsed<Option<Redirect>> {
        let rest = self.rest();
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let operators = ["<<<", "<<-", "<<", "<>", "<&", "<", "&>>", "&>", ">>", ">&", ">|", ">"];
        let Some(operator) = operators.into_iter().find(|operator| rest[digits..].starts_with(operator)) else {
            return Ok(None);
        };
        if operator.starts_with('&') && digits > 0 {
            return Ok(None);
        }
        let number = rest[..digits].parse().ok();
        let place = self.at;
        self.at += digits + operator.len();
        self.skip_blanks();
        let to = match operator {
            "<<" | "<<-" => self.heredoc(place, operator == "<<-")?,
            "<<<" => Target::HereString(self.word()?),
            "<>" => Target::ReadWrite(self.word()?),
            "<&" => Target::Duplicate(self.word()?, false),
            "<" => Target::Read(self.word()?),
            "&>>" => Target::Both(self.word()?, true),
            "&>" => Target::Both(self.word()?, false),
            ">>" => Target::Append(self.word()?),
            ">&" => self.duplicate(number)?,
            _ => Target::Write(self.word()?),
        };
        Ok(Some(Redirect { number, to }))
    }

    /// `>&2`, and `>&file`, which is `&>file`.
    fn duplicate(&mut self, number: Option<u32>) -> Parsed<Target> {
        let word = self.word()?;
        let descriptor = word.plain().is_none_or(|text| text == "-" || text.bytes().all(|byte| byte.is_ascii_digit()));
        Ok(if descriptor || number.is_some() { Target::Duplicate(word, true) } else { Target::Both(word, false) })
    }

    /// The end of a line, and the here-documents that follow it.
    fn newline(&mut self) -> Parsed<()> {
        self.at += 1;
        self.heredocs(false)
    }

    /// Reads within `$( )` leave the here-documents of the line around them alone.
    pub(super) fn apart<T>(&mut self, read: impl FnOnce(&mut Parser) -> Parsed<T>) -> Parsed<T> {
        let outer = std::mem::take(&mut self.pending);
        let result = read(self);
        self.pending = outer;
        result
    }

    pub(super) fn skip_newlines(&mut self) -> Parsed<()> {
        loop {
            self.skip_blanks();
            if self.peek() != Some('\n') {
                return Ok(());
            }
            self.newline()?;
        }
    }

    /// Blanks, comments, and ends of lines that are escaped.
    pub(super) fn skip_blanks(&mut self) {
        loop {
            let rest = &self.source.text[self.at..];
            let skipped = match rest.as_bytes() {
                [b' ' | b'\t' | b'\r', ..] => 1,
                [b'\\', b'\n', ..] => 2,
                [b'#', ..] => rest.find('\n').unwrap_or(rest.len()),
                _ => return,
            };
            self.at += skipped;
        }
    }

    pub(super) fn rest(&self) -> &str {
        &self.source.text[self.at..]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn at_delimiter(&self) -> bool {
        self.peek().is_none_or(|c| matches!(c, '\n' | ';' | '&' | '|' | '(' | ')'))
    }

    /// The reserved word that stands here.
    pub(super) fn reserved(&self) -> Option<&'static str> {
        let rest = self.rest();
        let end = rest.find(|c: char| c.is_ascii_whitespace() || ";&|()<>".contains(c)).unwrap_or(rest.len());
        RESERVED.iter().find(|word| **word == &rest[..end]).copied()
    }

    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        Span { source: self.source.clone(), start, end }
    }

    /// The error for what stands here.
    pub(super) fn unexpected(&self) -> SyntaxError {
        let line = self.source.text[..self.at].matches('\n').count() + 1;
        let rest = self.rest();
        let what = match rest.chars().next() {
            None => return SyntaxError::Incomplete(""),
            Some('\n') => "newline".to_owned(),
            Some(c) if ";&|()<>".contains(c) => {
                let end = rest.find(|other| other != c).unwrap_or(rest.len()).min(2);
                format!("\"{}\"", &rest[..end])
            }
            Some(_) => format!("\"{}\"", rest.split_ascii_whitespace().next().unwrap_or_default()),
        };
        SyntaxError::Unexpected { line, what }
    }
}

#[derive(PartialEq, Eq)]
enum Separator {
    None,
    Here,
    Newline,
}

/// Whether this can name a variable.
pub fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}
