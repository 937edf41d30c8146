//! What the functions do: one file per library. Which there are, and for which types, is in `signatures.txt`; a function
//! sees values of types that fit one of its overloads, or of unknown types.

pub mod authorizer;
pub mod convert;
pub mod formats;
pub mod ip;
mod lists;
mod operators;
mod optionals;
mod overloads;
mod quantities;
pub mod regex;
mod semvers;
mod strings;
mod template;
pub mod time;
pub mod urls;

use ::regex::Regex;

use super::evaluate::{EvalError, Meter};
use super::value::Value;

/// What a call may use beside its arguments.
pub struct Run<'m> {
    /// What is called.
    pub name: &'static str,
    /// Who counts.
    pub meter: &'m mut Meter,
    /// The compiled pattern, where it is a literal.
    pub pattern: Option<&'m Regex>,
    /// Who answers questions of authorization.
    pub authority: Option<&'m dyn authorizer::Authority>,
}

/// The answer of a function.
pub type Answer<'a> = Result<Value<'a>, EvalError>;

/// A function.
pub type Function = for<'a> fn(&mut Run<'_>, Vec<Value<'a>>) -> Answer<'a>;

/// The function of this name (a member's has a dot in front).
pub fn find(name: &str) -> Option<Function> {
    operators::find(name)
        .or_else(|| overloads::find(name))
        .or_else(|| convert::find(name))
        .or_else(|| strings::find(name))
        .or_else(|| regex::find(name))
        .or_else(|| time::find(name))
        .or_else(|| lists::find(name))
        .or_else(|| optionals::find(name))
        .or_else(|| urls::find(name))
        .or_else(|| quantities::find(name))
        .or_else(|| ip::find(name))
        .or_else(|| formats::find(name))
        .or_else(|| semvers::find(name))
        .or_else(|| authorizer::find(name))
}

/// Values that no overload takes.
pub fn no_overload(name: &str, arguments: &[Value<'_>]) -> EvalError {
    let types: Vec<&str> = arguments.iter().map(Value::type_name).collect();
    EvalError::NoSuchOverload(format!("{}({})", name.trim_start_matches('.'), types.join(", ")))
}

/// An error in a function's own words.
fn failed(message: impl Into<String>) -> EvalError {
    EvalError::Other(message.into())
}
