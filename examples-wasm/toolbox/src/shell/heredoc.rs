//! Here-documents: their lines come after the line that asks for them.

use std::cell::OnceCell;
use std::rc::Rc;

use super::parser::{Parsed, Parser, SyntaxError};
use super::syntax::{Heredoc, Part, Target, Word};

/// A here-document whose lines are still to come.
pub struct Pending {
    operator: usize,
    delimiter: String,
    quoted: bool,
    strip_tabs: bool,
    body: Rc<OnceCell<Word>>,
}

impl Parser {
    /// What stands behind `<<`.
    pub(super) fn heredoc(&mut self, operator: usize, strip_tabs: bool) -> Parsed<Target> {
        let word = self.word()?;
        let quoted = word.0.iter().any(|part| matches!(part, Part::Quoted(_)));
        let text = |part: &Part| match part {
            Part::Plain(text) | Part::Quoted(text) => text.clone(),
            _ => String::new(),
        };
        let delimiter = word.0.iter().map(text).collect();
        let body = Rc::new(OnceCell::new());
        self.pending.push(Pending { operator, delimiter, quoted, strip_tabs, body: body.clone() });
        Ok(Target::Here(body))
    }

    /// Reads those that the line before asked for.
    pub(super) fn heredocs(&mut self, at_end: bool) -> Parsed<()> {
        for pending in std::mem::take(&mut self.pending) {
            let start = self.at;
            let mut body = String::new();
            loop {
                let rest = &self.source.text[self.at..];
                if rest.is_empty() {
                    if !at_end && !pending.delimiter.is_empty() {
                        return Err(SyntaxError::Incomplete(" (a here-document has no end)"));
                    }
                    break;
                }
                let line = rest.split_inclusive('\n').next().unwrap_or_default();
                self.at += line.len();
                let line = if pending.strip_tabs { line.trim_start_matches('\t') } else { line };
                if line.trim_end_matches('\n') == pending.delimiter {
                    break;
                }
                body.push_str(line);
            }
            let heredoc = Heredoc { operator: pending.operator, start, end: self.at };
            self.source.heredocs.borrow_mut().push(heredoc);
            let word = match pending.quoted {
                true => Word(vec![Part::Quoted(body)]),
                false => Parser::here(body)?,
            };
            let _ = pending.body.set(word);
        }
        Ok(())
    }
}
