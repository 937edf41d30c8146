//! What came of checking a value: the failures, and how much of the schema the value did fit.

use std::collections::HashSet;

use crate::field::{Errors, Path};

use super::MANY;

/// The failures of one value against one schema.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub failures: Vec<Failure>,
    /// How many checks it went through: of several alternatives that all failed, the nearest is told.
    pub matches: usize,
}

/// One thing wrong with one value.
#[derive(Debug)]
pub(super) struct Failure {
    /// `spec.list[0].x`; empty for failures of no field.
    pub at: String,
    pub words: Words,
}

/// What is wrong, in the forms that field errors have.
#[derive(Debug)]
pub(super) enum Words {
    /// Missing.
    Required,
    /// Of another type than the one that is named.
    Type { found: String, detail: String },
    /// Not among the choices.
    Choice { shown: String, choices: Vec<String> },
    /// More than so many characters.
    TooLong(i64),
    /// More than so many items or fields.
    TooMany { actual: usize, max: i64 },
    /// Anything else.
    Invalid { shown: String, detail: String },
}

impl Outcome {
    /// One failure and nothing that matched.
    pub fn failed(at: String, words: Words) -> Self {
        Self { failures: vec![Failure { at, words }], matches: 0 }
    }

    /// Nothing wrong.
    pub fn passed(matches: usize) -> Self {
        Self { failures: Vec::new(), matches }
    }

    /// True when nothing is wrong.
    pub fn is_valid(&self) -> bool {
        self.failures.is_empty()
    }

    /// Adds a failure, unless there are too many.
    pub fn fail(&mut self, at: String, words: Words) {
        if self.failures.len() < MANY {
            self.failures.push(Failure { at, words });
        }
    }

    /// Takes over what another check found.
    pub fn merge(&mut self, other: Outcome) {
        self.matches += other.matches;
        let room = MANY.saturating_sub(self.failures.len());
        self.failures.extend(other.failures.into_iter().take(room));
    }

    /// Tells the failures, each once, of a value at a place.
    pub fn tell(self, at: &Path, errors: &mut Errors) {
        let mut told = HashSet::new();
        for failure in self.failures {
            if told.insert(format!("{} {:?}", failure.at, failure.words)) {
                failure.tell(at, errors);
            }
        }
    }
}

impl Failure {
    fn tell(self, base: &Path, errors: &mut Errors) {
        let at = if self.at.is_empty() { base.clone() } else { base.child(&self.at) };
        match self.words {
            Words::Required => errors.required(&at, ""),
            Words::Type { found, detail } => errors.type_invalid(&at, &found, &detail),
            Words::Choice { shown, choices } => {
                let choices: Vec<&str> = choices.iter().map(String::as_str).collect();
                errors.not_supported_text(&at, &shown, &choices);
            }
            Words::TooLong(max) => errors.too_long(&at, usize::try_from(max).unwrap_or_default()),
            Words::TooMany { actual, max } => errors.too_many(&at, actual, usize::try_from(max).unwrap_or_default()),
            Words::Invalid { shown, detail } => errors.invalid_as(&at, &shown, &detail),
        }
    }
}
