//! `x-kubernetes-validations`: rules in CEL about the values of a schema.
//!
//! Rules are compiled once, with the schema. They run over an object after all else is well, within one budget for all of
//! them; a rule that costs too much ends the check with an error rather than holding up the server.

mod field_path;
mod run;

use serde_json::Value;

pub(super) use field_path::normalized as field_path;
pub(super) use run::Run;

use crate::cel::{CompileError, Program, Scope, Type};
use crate::kinds::access::Look;

/// What all rules about one object may cost together (upstream's `RuntimeCELCostBudget`).
const BUDGET: u64 = 10_000_000;

/// The keyword.
pub(super) const RULES: &str = "x-kubernetes-validations";

/// One rule and what it says when it does not hold.
#[derive(Debug)]
pub(super) struct Rule {
    text: Box<str>,
    message: Box<str>,
    message_expression: Option<(Box<str>, Program)>,
    reason: Box<str>,
    /// As the schema has it: `.spec.x`.
    field_path: Box<str>,
    optional_old: bool,
    program: Result<Program, CompileError>,
}

impl Rule {
    /// Compiles the rules of a schema; `is_object` where it is that of an object as a whole.
    pub fn all(schema: &Value, is_object: bool) -> Box<[Self]> {
        let rules = schema.items(RULES);
        if rules.is_empty() {
            return Box::default();
        }
        let of = Type::of_schema(schema, is_object);
        rules.iter().filter(|rule| !rule.text("rule").trim().is_empty()).map(|rule| Self::new(rule, &of)).collect()
    }

    fn new(rule: &Value, of: &Type) -> Self {
        let scope = scope(rule, of);
        let expression = rule.text("messageExpression");
        let compiled = Program::compile(expression, &scope).ok().filter(|_| !expression.trim().is_empty());
        Self {
            text: rule.text("rule").trim().into(),
            message: rule.text("message").trim().into(),
            message_expression: compiled.map(|program| (expression.into(), program)),
            reason: rule.text("reason").into(),
            field_path: rule.text("fieldPath").into(),
            optional_old: rule.flag("optionalOldSelf"),
            program: Program::compile(rule.text("rule"), &scope),
        }
    }

    /// How errors name it.
    fn name(&self) -> &str {
        if self.message.is_empty() { &self.text } else { &self.message }
    }

    /// What is said when it does not hold.
    fn verdict(&self) -> String {
        if self.message.is_empty() { format!("failed rule: {}", self.text) } else { self.message.to_string() }
    }
}

/// What a rule may use.
pub(super) fn scope(rule: &Value, of: &Type) -> Scope {
    if rule.flag("optionalOldSelf") { Scope::optional_rule(of) } else { Scope::rule(of) }
}
