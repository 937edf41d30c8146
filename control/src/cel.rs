//! CEL as Kubernetes has it: rules in CustomResourceDefinitions, admission policies and match conditions.
//!
//! ```text
//! text ─► syntax (the parser of crate `cel`) ─► check (scope, signatures) ─► node ─► evaluate (functions) ─► value
//! ```
//!
//! Only the parser is the crate's. Its interpreter finds out about names and types while it runs, and runs for as long as
//! a rule wants; Kubernetes refuses a rule that can't be right when it is stored, in words that clients show, and stops
//! one that costs too much. So rules are checked against declared types here and run by an evaluator that counts.
//!
//! # What is bounded
//! The length of a rule (100,000 code points), how deep it nests (250), and what it does: every step, every element
//! looked at and every ten bytes of text cost one, and an evaluation that has spent [`CALL_LIMIT`], or what is left of
//! its caller's budget, ends with [`EvalError::CostExceeded`]. What is copied is paid for before it is copied, which
//! bounds memory as well. Regular expressions take linear time, and their size is limited.

mod check;
mod compare;
mod declare;
pub mod escape;
mod evaluate;
mod functions;
mod node;
mod signatures;
mod syntax;
#[cfg(test)]
mod tests;
mod types;
mod value;

use std::fmt;
use std::sync::Arc;

pub use evaluate::{Bindings, CALL_LIMIT, EvalError, Outcome};
pub use functions::authorizer::{Answer, Authority, Question};
pub use types::{Library, ListKind, ListType, ObjectType, Type};
pub use value::{List, Map, Text, Value};

use node::Node;
use syntax::Issue;

/// Which variables an expression may use, and of what types.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    variables: Vec<(Arc<str>, Type)>,
    escapes: bool,
}

impl Scope {
    /// Nothing but functions; field names are as they are written.
    pub fn new() -> Self {
        Self::default()
    }

    /// For a rule of a CustomResourceDefinition about a value of this type: `self` and `oldSelf`. Fields that are no
    /// identifiers are escaped: `self.a__dash__b`.
    pub fn rule(of: &Type) -> Self {
        Self { escapes: true, ..Self::new() }.with("self", of.clone()).with("oldSelf", of.clone())
    }

    /// The same for a rule with `optionalOldSelf`: `oldSelf` is an optional value.
    pub fn optional_rule(of: &Type) -> Self {
        let old = Type::optional(of.clone());
        Self { escapes: true, ..Self::new() }.with("self", of.clone()).with("oldSelf", old)
    }

    /// A further variable.
    #[must_use]
    pub fn with(mut self, name: &str, ty: Type) -> Self {
        self.variables.push((name.into(), ty));
        self
    }
}

/// A checked expression. It is compiled once and evaluated often, by many at once.
#[derive(Debug)]
pub struct Program {
    node: Node,
    output: Type,
    variables: Vec<(Arc<str>, Type)>,
    used: Vec<bool>,
}

impl Program {
    /// Parses and checks an expression.
    ///
    /// # Errors
    /// Text that is no expression, names that are not in the scope, calls that no overload fits.
    pub fn compile(source: &str, scope: &Scope) -> Result<Self, CompileError> {
        let (checked, used) = syntax::parsed(source, |tree, info| check::check(tree, info, scope))?;
        Ok(Self { node: checked.node, output: checked.ty, variables: scope.variables.clone(), used })
    }

    /// The type of what it evaluates to: [`Type::Dyn`] where only values tell.
    pub fn output(&self) -> &Type {
        &self.output
    }

    /// True where the expression uses this variable of its scope: a rule that uses `oldSelf` is for updates only.
    pub fn uses(&self, variable: &str) -> bool {
        self.variables.iter().zip(&self.used).any(|((name, _), used)| *used && **name == *variable)
    }

    /// Computes it.
    ///
    /// # Errors
    /// What the values turned out not to have, a call that they don't fit, too much work.
    pub fn evaluate<'a>(&'a self, bindings: &Bindings<'a>) -> Result<Outcome<'a>, EvalError> {
        evaluate::run(self, bindings)
    }
}

/// Why an expression can't be compiled, as Kubernetes shows it: with the line and a pointer under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompileError {
    shown: String,
}

impl CompileError {
    fn of(source: &str, issues: Vec<Issue>) -> Self {
        let shown: Vec<String> = issues.iter().map(|issue| issue.show(source)).collect();
        Self { shown: shown.join("\n") }
    }

    fn whole(source: &str, message: &str) -> Self {
        Self::of(source, vec![Issue { line: 1, column: 0, message: message.to_owned() }])
    }

    /// The issues without the words in front.
    pub fn issues(&self) -> &str {
        &self.shown
    }
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "compilation failed: {}", self.shown)
    }
}

impl std::error::Error for CompileError {}
