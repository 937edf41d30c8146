//! From text to a tree, with the parser of the crate `cel`.
//!
//! The parser and what drops its tree recurse as deep as the text asks for, so it runs on a thread of its own with a
//! stack for the deepest text that is let in, and the tree is checked there too: what leaves is shallow.

use std::thread;

use cel::Env;
use cel::common::ast::{IdedExpr, SourceInfo};

use super::CompileError;

/// Upstream's limit, in code points.
const LONGEST: usize = 100_000;
/// How many characters that can nest something a rule may have: each is a level at worst.
const NESTING: usize = 10_000;
/// For [`NESTING`] levels.
const STACK: usize = 256 << 20;

/// Parses, and does `work` with the tree while there is stack for it.
pub fn parsed<T: Send>(
    source: &str,
    work: impl FnOnce(&IdedExpr, &SourceInfo) -> Result<T, CompileError> + Send,
) -> Result<T, CompileError> {
    let length = source.chars().count();
    if length > LONGEST {
        let message = format!("expression code point size exceeds limit: size: {length}, limit {LONGEST}");
        return Err(CompileError::whole(source, &message));
    }
    if source.bytes().filter(|b| b".+-*/%[(?<>=!&|{,".contains(b)).count() > NESTING {
        return Err(CompileError::whole(source, "expression recursion limit exceeded"));
    }
    thread::scope(|scope| {
        let parse = || parse(source).and_then(|(tree, info)| work(&tree, &info));
        let started = thread::Builder::new().name("cel".to_owned()).stack_size(STACK).spawn_scoped(scope, parse);
        match started.map(thread::ScopedJoinHandle::join) {
            Ok(Ok(result)) => result,
            Ok(Err(_panic)) => Err(CompileError::whole(source, "the parser gave up")),
            Err(error) => Err(CompileError::whole(source, &format!("no thread to parse on: {error}"))),
        }
    })
}

fn parse(source: &str) -> Result<(IdedExpr, SourceInfo), CompileError> {
    let parser = Env::default().parser().max_recursion_depth(250);
    parser.parse_with_source_info(source).map_err(|errors| {
        let issues = errors.errors.into_iter().map(|error| {
            let (line, column) = (usize::try_from(error.pos.0).unwrap_or(1), usize::try_from(error.pos.1).unwrap_or(1));
            Issue { line: line.max(1), column: column.saturating_sub(1), message: error.msg }
        });
        CompileError::of(source, issues.collect())
    })
}

/// Something wrong at a place: lines count from one, columns from zero.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Issue {
    pub line: usize,
    pub column: usize,
    pub message: String,
}

impl Issue {
    /// At a node of the tree.
    pub fn at(info: &SourceInfo, id: u64, message: String) -> Self {
        let offset = info.offset_for(id).map_or(0, |(start, _)| start as usize);
        let before: String = info.source.chars().take(offset).collect();
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count();
        Self { line, column, message }
    }

    /// As upstream shows it, the line of the source and a pointer under it.
    pub fn show(&self, source: &str) -> String {
        let line = source.lines().nth(self.line - 1).unwrap_or_default().replace('\t', " ");
        let dots: String = line
            .chars()
            .chain(std::iter::repeat(' '))
            .take(self.column)
            .map(|c| if c.is_ascii() { '.' } else { '\u{ff0e}' })
            .collect();
        format!("ERROR: <input>:{}:{}: {}\n | {line}\n | {dots}^", self.line, self.column + 1, self.message)
    }
}
