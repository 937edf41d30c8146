//! `x-kubernetes-validations`: whether rules are written well, and compile.

use serde_json::Value;

use super::{Context, Found};
use crate::cel::{Program, Type};
use crate::custom::schema::rules::{RULES, field_path, scope};
use crate::custom::schema::{Structural, shown};
use crate::field::{Errors, Path};
use crate::kinds::access::Look;

/// What a rule may give as its reason.
const REASONS: [&str; 4] = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

/// Checks the rules of one schema. They are compiled only if all else is well here and within.
pub(super) fn check(schema: &Value, at: &Path, context: Context<'_>, found: &mut Found) {
    let rules = schema.items(RULES);
    if rules.is_empty() {
        return;
    }
    let (at, tree) = (at.child(RULES), Structural::parse_part(schema));
    for (index, rule) in rules.iter().enumerate() {
        let at = at.index(index);
        written(rule, &at, &mut found.keywords);
        let field = rule.text("fieldPath");
        if !field.trim().is_empty() && tree.as_ref().is_none_or(|tree| field_path(field, tree).is_none()) {
            found.keywords.invalid(&at.child("fieldPath"), field, "fieldPath must be a valid path");
        }
    }
    if !context.rules || !found.keywords.is_empty() {
        return;
    }
    if schema.text("type").is_empty() && !schema.flag("x-kubernetes-int-or-string") {
        let words = "internal error: failed to retrieve type information for x-kubernetes-validations";
        found.rules.internal(&at, words);
        return;
    }
    let of = Type::of_schema(schema, context.is_root);
    for (index, rule) in rules.iter().enumerate() {
        compiled(rule, &of, &at.index(index), context, &mut found.rules);
    }
}

fn compiled(rule: &Value, of: &Type, at: &Path, context: Context<'_>, errors: &mut Errors) {
    let (scope, text) = (scope(rule, of), rule.text("rule"));
    let place = at.child("rule");
    let expression = rule.text("messageExpression");
    match Program::compile(text, &scope) {
        Err(error) => errors.invalid_as(&place, &in_go(rule), &error.to_string()),
        Ok(program) if *program.output() != Type::Bool => {
            errors.invalid_as(&place, &in_go(rule), "cel expression must evaluate to a bool");
        }
        Ok(program) if program.uses("oldSelf") => {
            if let Some(list) = context.uncorrelatable {
                let words = format!("oldSelf cannot be used on the uncorrelatable portion of the schema within {list}");
                errors.invalid(&place, text, &words);
            }
        }
        Ok(_) => {
            if let Some(optional) = rule["optionalOldSelf"].as_bool() {
                let words = "may not be set if oldSelf is not used in rule";
                errors.invalid(&at.child("optionalOldSelf"), optional, words);
            }
        }
    }
    if expression.is_empty() {
        return;
    }
    let place = at.child("messageExpression");
    match Program::compile(expression, &scope) {
        Err(error) => errors.invalid_as(&place, &in_go(rule), &format!("messageExpression {error}")),
        Ok(program) if *program.output() != Type::String => {
            errors.invalid_as(&place, &in_go(rule), "messageExpression must evaluate to a string");
        }
        Ok(_) => {}
    }
}

/// A rule as Go shows the struct.
fn in_go(rule: &Value) -> String {
    let text = |field: &str| shown::quoted(rule.text(field));
    format!(
        "apiextensions.ValidationRule{{Rule:{}, Message:{}, MessageExpression:{}, \
         Reason:(*apiextensions.FieldValueErrorReason)(nil), FieldPath:{}, OptionalOldSelf:(*bool)(nil)}}",
        text("rule"),
        text("message"),
        text("messageExpression"),
        text("fieldPath"),
    )
}

fn written(rule: &Value, at: &Path, errors: &mut Errors) {
    let (text, message) = (rule.text("rule").trim(), rule.text("message"));
    let place = at.child("message");
    if text.is_empty() {
        errors.required(&at.child("rule"), "rule is not specified");
    } else if !message.is_empty() && message.trim().is_empty() {
        errors.invalid(&place, message, "message must be non-empty if specified");
    } else if has_breaks(message.trim()) {
        errors.invalid(&place, message, "message must not contain line breaks");
    } else if has_breaks(text) && message.is_empty() {
        errors.required(&place, "message must be specified if rule contains line breaks");
    }
    if is_blank(rule.text("messageExpression")) {
        errors.required(&at.child("messageExpression"), "messageExpression must be non-empty if specified");
    }
    if let Some(reason) = rule["reason"].as_str().filter(|reason| !REASONS.contains(reason)) {
        errors.not_supported(&at.child("reason"), reason, &REASONS);
    }
    let (field, place) = (rule.text("fieldPath"), at.child("fieldPath"));
    if is_blank(field) {
        errors.invalid(&place, field, "fieldPath must be non-empty if specified");
    }
    if has_breaks(field) {
        errors.invalid(&place, field, "fieldPath must not contain line breaks");
    }
}

fn is_blank(text: &str) -> bool {
    !text.is_empty() && text.trim().is_empty()
}

fn has_breaks(text: &str) -> bool {
    text.contains(['\n', '\r'])
}
