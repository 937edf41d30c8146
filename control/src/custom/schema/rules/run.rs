//! Running rules over an object.

use std::collections::HashMap;
use std::ops::ControlFlow;

use serde_json::Value;

use super::{BUDGET, Rule, field_path};
use crate::cel::{Bindings, CALL_LIMIT, EvalError, Program};
use crate::custom::schema::ratchet::{self, OldItems};
use crate::custom::schema::{MANY, Structural, shown};
use crate::field::{Errors, Path};

/// How long a computed message may be, in bytes.
const LONGEST_MESSAGE: usize = 5 * 1024;

const OUT_OF_BUDGET: &str = "failed due to running out of cost budget, no further validation rules will be run";

/// One walk over an object.
pub(in super::super) struct Run<'a> {
    budget: u64,
    errors: &'a mut Errors,
    /// What is wrong but was so before.
    warnings: Vec<String>,
    /// Which values were compared to their old ones, and whether they are the same: many items may ask about one list.
    same: HashMap<*const Value, bool>,
}

/// A value, what it was, and what tells whether it changed.
#[derive(Clone, Copy)]
struct Place<'a> {
    schema: &'a Structural,
    value: &'a Value,
    old: Option<&'a Value>,
    /// The nearest value around, or this one, whose old value is known.
    known: Option<Known<'a>>,
}

/// A value with its schema and its old value.
#[derive(Clone, Copy)]
struct Known<'a> {
    schema: &'a Structural,
    old: &'a Value,
    new: &'a Value,
}

impl<'a> Place<'a> {
    fn within(self, schema: &'a Structural, value: &'a Value, old: Option<&'a Value>) -> Self {
        let known = old.map(|old| Known { schema, old, new: value }).or(self.known);
        Self { schema, value, old, known }
    }
}

impl<'a> Run<'a> {
    /// Runs all rules about an object, `old` being what it was. Returns warnings of failures that are tolerated.
    pub fn all(schema: &Structural, value: &Value, old: Option<&Value>, errors: &'a mut Errors) -> Vec<String> {
        let known = old.map(|old| Known { schema, old, new: value });
        let mut run = Run::new(errors);
        let _ = run.node(Place { schema, value, old, known }, &Path::default(), true);
        run.warnings
    }

    /// Runs all rules about a value that stands at a place of its own and did not change, such as a default.
    pub fn part(schema: &Structural, value: &Value, at: &Path, errors: &'a mut Errors) {
        let place = Place { schema, value, old: Some(value), known: None };
        let _ = Run::new(errors).node(place, at, false);
    }

    fn new(errors: &'a mut Errors) -> Self {
        Run { budget: BUDGET, errors, warnings: Vec::new(), same: HashMap::new() }
    }

    /// True when what is wrong at a place was so before.
    fn is_unchanged(&mut self, place: Place<'_>) -> bool {
        let Some(known) = place.known else { return false };
        let same = self.same.entry(known.new);
        *same.or_insert_with(|| ratchet::is_same(known.schema, known.old, known.new))
    }

    fn node(&mut self, place: Place<'_>, at: &Path, is_root: bool) -> ControlFlow<()> {
        if !place.schema.governed || place.value.is_null() {
            return ControlFlow::Continue(());
        }
        for rule in &place.schema.rules {
            self.rule(rule, place, at)?;
        }
        match place.value {
            Value::Object(map) => {
                for (key, value) in map {
                    let Some(child) = place.schema.child(key) else { continue };
                    let old = place.old.and_then(|old| old.get(key)).filter(|old| !old.is_null());
                    let mut inner = place.within(child, value, old);
                    if is_root && matches!(key.as_str(), "apiVersion" | "kind") {
                        inner.known = None;
                    }
                    self.node(inner, &place.schema.place(at, key), false)?;
                }
            }
            Value::Array(list) => {
                let Some(items) = place.schema.items.as_ref().filter(|items| items.governed) else {
                    return ControlFlow::Continue(());
                };
                let before = OldItems::of(place.schema, place.old);
                for (index, item) in list.iter().enumerate() {
                    self.node(place.within(items, item, before.get(item)), &at.index(index), false)?;
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn rule(&mut self, rule: &Rule, place: Place<'_>, at: &Path) -> ControlFlow<()> {
        let ty = place.schema.type_name();
        let program = match &rule.program {
            Ok(program) => program,
            Err(error) => {
                self.errors.invalid(at, ty, &format!("rule compile error: {error}"));
                return ControlFlow::Continue(());
            }
        };
        let uses_old = program.uses("oldSelf");
        if uses_old && place.old.is_none() && !rule.optional_old {
            return ControlFlow::Continue(());
        }
        if self.errors.len() + self.warnings.len() >= MANY {
            return ControlFlow::Break(());
        }
        match self.evaluate(program, rule, place) {
            Ok(Evaluated { holds: true, .. }) => ControlFlow::Continue(()),
            Ok(_) => self.failed(rule, uses_old, place, at),
            Err(error) => {
                let (words, next) = self.words(rule, &error);
                self.errors.invalid(at, ty, &words);
                next
            }
        }
    }

    fn words(&self, rule: &Rule, error: &EvalError) -> (String, ControlFlow<()>) {
        let name = rule.name();
        match error {
            EvalError::CostExceeded if self.budget == 0 => {
                (format!("validation {OUT_OF_BUDGET}"), ControlFlow::Break(()))
            }
            EvalError::CostExceeded => {
                let because = "no further validation rules will be run due to call cost exceeds limit for rule";
                (format!("'{error}': {because}: {name}"), ControlFlow::Break(()))
            }
            EvalError::NoSuchOverload(_) | EvalError::NoFields => {
                let because = "call arguments did not match a supported operator, function or macro signature for rule";
                (format!("'{error}': {because}: {name}"), ControlFlow::Continue(()))
            }
            other => (format!("{other} evaluating rule: {name}"), ControlFlow::Continue(())),
        }
    }

    /// Runs a program and pays for it.
    fn evaluate(&mut self, program: &Program, rule: &Rule, place: Place<'_>) -> Result<Evaluated, EvalError> {
        let bindings = Bindings::new().within(self.budget).json("self", place.value);
        let bindings = match (rule.optional_old, place.old) {
            (true, old) => bindings.optional("oldSelf", old),
            (false, Some(old)) => bindings.json("oldSelf", old),
            (false, None) => bindings,
        };
        let outcome = program.evaluate(&bindings);
        let evaluated = outcome.map(|outcome| Evaluated {
            holds: outcome.as_bool() == Some(true),
            text: outcome.as_text().map(|text| text.trim().to_owned()),
        });
        let left = bindings.budget();
        self.budget = match evaluated {
            Err(EvalError::CostExceeded) if self.budget > CALL_LIMIT => left.max(1),
            _ => left,
        };
        evaluated
    }

    fn failed(&mut self, rule: &Rule, uses_old: bool, place: Place<'_>, at: &Path) -> ControlFlow<()> {
        let at = match field_path(&rule.field_path, place.schema) {
            Some(path) if !path.is_empty() => at.child(&path),
            _ => at.clone(),
        };
        let (words, next) = self.message(rule, place);
        let mut error = Errors::default();
        let (detail, ty) = (words.as_deref().unwrap_or_else(|failed| failed), place.schema.type_name());
        match (&words, &*rule.reason) {
            (Ok(_), "FieldValueForbidden") => error.forbidden(&at, detail),
            (Ok(_), "FieldValueRequired") => error.required(&at, detail),
            (Ok(_), "FieldValueDuplicate") => error.duplicate(&at, ty),
            _ => error.invalid(&at, ty, detail),
        }
        if !uses_old && self.is_unchanged(place) {
            self.warnings.push(error.to_string());
        } else {
            self.errors.append(error);
        }
        next
    }

    /// What to say of a rule that does not hold: an error where saying it costs too much.
    fn message(&mut self, rule: &Rule, place: Place<'_>) -> (Result<String, String>, ControlFlow<()>) {
        let Some((source, program)) = &rule.message_expression else {
            return (Ok(rule.verdict()), ControlFlow::Continue(()));
        };
        let words = match self.evaluate(program, rule, place) {
            Ok(Evaluated { text: Some(text), .. }) if is_message(&text) => Ok(text),
            Err(EvalError::CostExceeded) if self.budget == 0 => {
                Err(format!("messageExpression evaluation {OUT_OF_BUDGET}"))
            }
            Err(EvalError::CostExceeded) => {
                let because =
                    "no further validation rules will be run due to call cost exceeds limit for messageExpression";
                Err(format!("{because}: {}", shown::quoted(source)))
            }
            _ => Ok(rule.verdict()),
        };
        let next = if words.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
        (words, next)
    }
}

/// What came of a program.
struct Evaluated {
    holds: bool,
    text: Option<String>,
}

fn is_message(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST_MESSAGE && !text.contains('\n')
}
