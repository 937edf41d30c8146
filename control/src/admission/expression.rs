//! Expressions of policies and match conditions: what they may ask about, and what they have to come to.

use serde_json::Value;

use super::request::request_type;
use crate::cel::{Bindings, EvalError, Library, Program, Scope, Type};
use crate::kinds::Look;

/// What all match conditions of one request may cost (a quarter of what a policy may).
const CONDITIONS_BUDGET: u64 = 2_500_000;

/// What an expression has to come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Whatever it is.
    Anything,
    /// Yes or no.
    Bool,
    /// Text.
    Text,
    /// Text, or nothing.
    TextOrNull,
}

impl Wanted {
    fn allows(self, ty: &Type) -> bool {
        match self {
            Self::Anything => true,
            Self::Bool => *ty == Type::Bool,
            Self::Text => *ty == Type::String,
            Self::TextOrNull => matches!(ty, Type::String | Type::Null),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Anything => "",
            Self::Bool => "must evaluate to bool",
            Self::Text => "must evaluate to string",
            Self::TextOrNull => "must evaluate to one of [string null_type]",
        }
    }
}

/// What every expression about a request may ask of.
pub fn scope(params: bool, authorizer: bool) -> Scope {
    let mut scope = Scope::new()
        .with("object", Type::Dyn)
        .with("oldObject", Type::Dyn)
        .with("request", request_type())
        .with("namespaceObject", Type::Dyn);
    if params {
        scope = scope.with("params", Type::Dyn);
    }
    if authorizer {
        scope = scope
            .with("authorizer", Type::Library(Library::Authorizer))
            .with("authorizer.requestResource", Type::Library(Library::ResourceCheck));
    }
    scope
}

/// Compiles an expression.
///
/// # Errors
/// What is wrong with it, in upstream's words.
pub fn compile(expression: &str, scope: &Scope, wanted: Wanted) -> Result<Program, String> {
    let program = Program::compile(expression, scope).map_err(|error| error.to_string())?;
    if wanted.allows(program.output()) { Ok(program) } else { Err(wanted.words().to_owned()) }
}

/// An expression that can be run, or why it can't.
pub type Compiled = Result<Program, String>;

/// An expression with its text, for errors.
#[derive(Debug)]
pub struct Expression {
    /// As it is written.
    pub text: String,
    program: Compiled,
}

impl Expression {
    /// Compiles it, and keeps what is wrong with it for when it is run.
    pub fn new(text: &str, scope: &Scope, wanted: Wanted) -> Self {
        Self { text: text.to_owned(), program: compile(text, scope, wanted) }
    }

    /// Why it can't be run.
    pub fn error(&self) -> Option<&str> {
        self.program.as_ref().err().map(String::as_str)
    }

    /// Runs it.
    ///
    /// # Errors
    /// What went wrong, in upstream's words.
    pub fn evaluate<'a>(&'a self, bindings: &Bindings<'a>) -> Result<crate::cel::Value<'a>, String> {
        let program = self.program.as_ref().map_err(|error| format!("compilation error: {error}"))?;
        program.evaluate(bindings).map(|outcome| outcome.value).map_err(|error| match error {
            EvalError::CostExceeded if bindings.budget() == 0 => {
                "validation failed due to running out of cost budget, no further validation rules will be run"
                    .to_owned()
            }
            error => format!("expression '{}' resulted in error: {error}", self.text),
        })
    }

    /// The program, for variables that others use.
    pub fn program(&self) -> Option<&Program> {
        self.program.as_ref().ok()
    }
}

/// `matchConditions`: a request is meant where all of them hold.
#[derive(Debug)]
pub struct Conditions(Vec<Expression>);

/// Whether a request is meant.
#[derive(Debug, PartialEq, Eq)]
pub enum Meant {
    /// Every condition holds.
    Yes,
    /// One of them doesn't.
    No,
    /// None says no, and some can't be told.
    Unknown(String),
}

impl Conditions {
    /// Of a webhook or of a policy's `spec`.
    pub fn of(owner: &Value, scope: &Scope) -> Self {
        let expressions = owner.items("matchConditions").iter().map(|condition| condition.text("expression").trim());
        Self(expressions.map(|text| Expression::new(text, scope, Wanted::Bool)).collect())
    }

    /// True without any.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Evaluates them.
    pub fn meant<'a>(&'a self, bindings: Bindings<'a>) -> Meant {
        let bindings = bindings.within(CONDITIONS_BUDGET);
        let mut errors = Vec::new();
        for condition in &self.0 {
            match condition.evaluate(&bindings) {
                Ok(crate::cel::Value::Bool(true)) => {}
                Ok(_) => return Meant::No,
                Err(error) => errors.push(error),
            }
        }
        match errors.as_slice() {
            [] => Meant::Yes,
            [one] => Meant::Unknown(one.clone()),
            many => Meant::Unknown(format!("[{}]", many.join(", "))),
        }
    }
}
