//! `x-kubernetes-validations`: whether rules are written well.

use serde_json::Value;

use super::{Context, Found};
use crate::field::{Errors, Path};
use crate::kinds::access::Look;

const RULES: &str = "x-kubernetes-validations";

/// What a rule may give as its reason.
const REASONS: [&str; 4] = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

/// Checks the rules of one schema.
pub(super) fn check(schema: &Value, at: &Path, _context: Context<'_>, found: &mut Found) {
    for (index, rule) in schema.items(RULES).iter().enumerate() {
        written(rule, &at.child(RULES).index(index), &mut found.keywords);
    }
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
