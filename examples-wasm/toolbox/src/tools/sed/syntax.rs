//! What a script of `sed` is made of.

use crate::matcher::Matcher;

#[derive(Debug)]
pub enum Address {
    Line(usize),
    Last,
    /// `first~step`.
    Step(usize, usize),
    Match(Option<Matcher>),
    /// `+n`, behind a comma.
    More(usize),
}

/// Which lines a command is for.
#[derive(Debug, Default)]
pub struct Range {
    pub from: Option<Address>,
    pub to: Option<Address>,
    pub inverted: bool,
}

#[derive(Debug)]
pub struct Command {
    pub range: Range,
    pub action: Action,
}

#[derive(Debug)]
pub enum Action {
    /// `{`: goes on behind its `}`, whose index this is, when the lines are others.
    Open(usize),
    Close,
    Substitute(Box<Substitution>),
    Delete,
    DeleteFirst,
    Print,
    PrintFirst,
    Number,
    List,
    Quit {
        code: u8,
        quiet: bool,
    },
    Append(String),
    Insert(String),
    Change(String),
    Transliterate(Vec<(char, char)>),
    Next,
    NextAppend,
    Hold,
    HoldAppend,
    Get,
    GetAppend,
    Exchange,
    Read(String),
    Write(String),
    Label,
    /// To a label's index; None: to the end.
    Branch(Option<usize>, When),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    Always,
    Substituted,
    NotSubstituted,
}

#[derive(Debug)]
pub struct Substitution {
    pub pattern: Option<Matcher>,
    pub with: Vec<Piece>,
    pub global: bool,
    pub nth: usize,
    pub print: bool,
    pub write: Option<String>,
}

/// A part of what is put in.
#[derive(Debug, PartialEq)]
pub enum Piece {
    Text(String),
    /// `\1`; 0 is `&`.
    Group(usize),
    /// `\U`, `\L`, `\E`, `\u`, `\l`.
    Case(char),
}
