//! What a script is made of.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

/// The text that commands were read from, and where its here-documents lie.
#[derive(Debug)]
pub struct Text {
    pub text: String,
    pub heredocs: RefCell<Vec<Heredoc>>,
}

/// A here-document: where its operator is, and where its lines are, the last included.
#[derive(Debug, Clone, Copy)]
pub struct Heredoc {
    pub operator: usize,
    pub start: usize,
    pub end: usize,
}

/// A part of the text. Kept for what has to run elsewhere: functions, subshells and the members of pipelines are sent to
/// another shell as text.
#[derive(Debug, Clone)]
pub struct Span {
    pub source: Rc<Text>,
    pub start: usize,
    pub end: usize,
}

impl Span {
    /// The part as a script of its own: with the here-documents that belong to it, without those that do not.
    pub fn text(&self) -> String {
        let within = |at: usize| (self.start..self.end).contains(&at);
        let source = &self.source.text;
        let mut text = String::new();
        let mut after = String::new();
        let mut at = self.start;
        for heredoc in self.source.heredocs.borrow().iter() {
            match (within(heredoc.operator), within(heredoc.start)) {
                (true, false) => after.push_str(&source[heredoc.start..heredoc.end]),
                (false, true) => {
                    text.push_str(&source[at..heredoc.start]);
                    at = heredoc.end;
                }
                _ => {}
            }
        }
        text.push_str(source.get(at..self.end).unwrap_or_default());
        if !after.is_empty() {
            text.push('\n');
            text.push_str(&after);
        }
        text
    }
}

/// Commands, one after the other.
pub type List = Vec<Item>;

#[derive(Debug)]
pub struct Item {
    pub and_or: AndOr,
    pub background: bool,
}

/// Pipelines with `&&` and `||` between them.
#[derive(Debug)]
pub struct AndOr {
    pub first: Pipeline,
    pub rest: Vec<(Join, Pipeline)>,
    pub span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    And,
    Or,
}

#[derive(Debug)]
pub struct Pipeline {
    pub negated: bool,
    pub commands: Vec<Command>,
}

#[derive(Debug)]
pub struct Command {
    pub kind: Kind,
    pub redirects: Vec<Redirect>,
    /// `|&` follows: its errors go into the pipe, too.
    pub both: bool,
    pub span: Span,
}

#[derive(Debug)]
pub enum Kind {
    Simple { assignments: Vec<(String, Word)>, words: Vec<Word> },
    Group(List),
    Subshell(Span),
    If { arms: Vec<(List, List)>, otherwise: Option<List> },
    Loop { until: bool, condition: List, body: List },
    For { name: String, words: Option<Vec<Word>>, body: List },
    Case { word: Word, arms: Vec<Arm> },
    Function { name: String, body: Rc<Command> },
}

/// One of a `case`.
#[derive(Debug)]
pub struct Arm {
    pub patterns: Vec<Word>,
    pub body: List,
    /// `;&`: the next one's body follows.
    pub falls: bool,
}

#[derive(Debug)]
pub struct Redirect {
    pub number: Option<u32>,
    pub to: Target,
}

#[derive(Debug)]
pub enum Target {
    Read(Word),
    /// `>`, and `>|`.
    Write(Word),
    Append(Word),
    ReadWrite(Word),
    /// `&>`: both outputs; whether it appends.
    Both(Word, bool),
    /// `>&` and `<&`: another descriptor, or `-`.
    Duplicate(Word, bool),
    /// `<<`: known once the line is over.
    Here(Rc<OnceCell<Word>>),
    /// `<<<`.
    HereString(Word),
}

/// A word before expansion.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Word(pub Vec<Part>);

#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// As it stands, with what it may mean to a pattern.
    Plain(String),
    /// As it stands, and nothing else.
    Quoted(String),
    Parameter(Parameter),
    /// A script whose output is meant.
    Command {
        script: String,
        quoted: bool,
    },
    Arithmetic {
        expression: Word,
        quoted: bool,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    pub name: String,
    pub change: Change,
    pub quoted: bool,
}

/// What `${…}` does with a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    None,
    Length,
    /// `-`, `=`, `?`, `+`; with a colon an empty value is as good as none.
    Instead {
        operator: char,
        colon: bool,
        word: Word,
    },
    Trim {
        suffix: bool,
        longest: bool,
        pattern: Word,
    },
    /// `${x/pattern/word}`.
    Replace {
        all: bool,
        pattern: Word,
        word: Word,
    },
    /// `${x:from:length}`.
    Slice {
        from: Word,
        length: Option<Word>,
    },
}

impl Word {
    /// The text of a word in which nothing is to be expanded or quoted.
    pub fn plain(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Part::Plain(text)] => Some(text),
            _ => None,
        }
    }
}
