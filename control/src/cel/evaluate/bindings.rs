//! What the variables of a scope are, in one evaluation or in several about the same request.

use std::cell::{Cell, RefCell};

use serde_json::Value as Json;

use super::{EvalError, run};
use crate::cel::functions::authorizer::{Authority, Check, Question};
use crate::cel::{Program, Type, Value};

/// How many levels all that runs at once may have: programs run on the stack of whoever asks.
const DEEPEST: u32 = 500;

/// The values of variables, who answers questions of authorization, and what may still be spent.
///
/// Values are borrowed; variables that are programs themselves are computed when one asks for them, once.
#[derive(Default)]
pub struct Bindings<'a> {
    bound: Vec<(&'a str, Bound<'a>)>,
    programs: Vec<(&'a str, &'a Program)>,
    computed: RefCell<Vec<(&'a str, Result<Value<'a>, EvalError>)>>,
    authority: Option<&'a dyn Authority>,
    spent: Cell<u64>,
    limit: Option<u64>,
    depth: Cell<u32>,
}

enum Bound<'a> {
    Json(&'a Json),
    Optional(Option<&'a Json>),
    Value(Value<'a>),
}

impl<'a> Bindings<'a> {
    /// Nothing bound, and only the limit that every evaluation has.
    pub fn new() -> Self {
        Self::default()
    }

    /// All evaluations together may spend this much.
    #[must_use]
    pub fn within(mut self, budget: u64) -> Self {
        self.limit = Some(budget);
        self
    }

    /// JSON, seen as the type that the program's scope says.
    #[must_use]
    pub fn json(mut self, name: &'a str, value: &'a Json) -> Self {
        self.bound.push((name, Bound::Json(value)));
        self
    }

    /// JSON that may not be there, as an optional value.
    #[must_use]
    pub fn optional(mut self, name: &'a str, value: Option<&'a Json>) -> Self {
        self.bound.push((name, Bound::Optional(value)));
        self
    }

    /// A value made otherwise.
    #[must_use]
    pub fn value(mut self, name: &'a str, value: Value<'a>) -> Self {
        self.bound.push((name, Bound::Value(value)));
        self
    }

    /// The fields of `variables`, each computed from the same bindings when it is asked for.
    #[must_use]
    pub fn variables(mut self, programs: impl IntoIterator<Item = (&'a str, &'a Program)>) -> Self {
        self.programs = programs.into_iter().collect();
        self.value("variables", Value::Variables)
    }

    /// Who is asked by `authorizer` about whoever makes the request.
    #[must_use]
    pub fn authorizer(mut self, authority: &'a dyn Authority) -> Self {
        self.authority = Some(authority);
        self.value("authorizer", Value::Check(Check::start().into()))
    }

    /// The same, and what is asked about where an expression says `authorizer.requestResource`.
    #[must_use]
    pub fn authorizer_of(self, authority: &'a dyn Authority, resource: Question) -> Self {
        self.authorizer(authority).value("authorizer.requestResource", Value::Check(Check::about(resource).into()))
    }

    /// What may still be spent.
    pub fn budget(&self) -> u64 {
        self.limit.map_or(u64::MAX, |limit| limit.saturating_sub(self.spent.get()))
    }

    /// What has been spent.
    pub fn spent(&self) -> u64 {
        self.spent.get()
    }

    pub(super) fn spend(&self, cost: u64) {
        self.spent.set(self.spent.get().saturating_add(cost));
    }

    pub(super) fn authority(&self) -> Option<&'a dyn Authority> {
        self.authority
    }

    pub(super) fn find(&self, name: &str, ty: &'a Type) -> Option<Value<'a>> {
        let (_, bound) = self.bound.iter().find(|(bound, _)| *bound == name)?;
        Some(match bound {
            Bound::Json(json) => Value::of_json(json, ty),
            Bound::Optional(json) => Value::optional(json.map(|json| Value::of_json(json, inner(ty)))),
            Bound::Value(value) => value.clone(),
        })
    }

    pub(super) fn is_computed(&self, name: &str) -> bool {
        self.programs.iter().any(|(known, _)| *known == name)
    }

    /// The value of a variable that is a program. What it costs is taken from the budget like that of any program.
    pub(super) fn computed(&self, name: &str) -> Result<Value<'a>, EvalError> {
        if let Some((_, known)) = self.computed.borrow().iter().find(|(known, _)| *known == name) {
            return known.clone();
        }
        let Some((name, program)) = self.programs.iter().find(|(known, _)| *known == name) else {
            return Err(EvalError::NoSuchKey(name.to_owned()));
        };
        let value = run(program, self).map(|outcome| outcome.value).map_err(|error| match error {
            EvalError::CostExceeded => error,
            other => EvalError::Other(format!("composited variable {name:?} fails to evaluate: {other}")),
        });
        self.computed.borrow_mut().push((name, value.clone()));
        value
    }

    /// One level deeper, programs in variables among them: `true` while there is stack for it.
    pub(super) fn enter(&self) -> bool {
        self.depth.set(self.depth.get() + 1);
        self.depth.get() <= DEEPEST
    }

    pub(super) fn leave(&self) {
        self.depth.set(self.depth.get() - 1);
    }
}

fn inner(ty: &Type) -> &Type {
    match ty {
        Type::Optional(inner) => inner,
        other => other,
    }
}
