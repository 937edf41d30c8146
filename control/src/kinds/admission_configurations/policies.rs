//! The rules for policies: their expressions have to compile.

use std::collections::HashSet;

use objects::names;
use serde_json::Value;

use super::rules::{self, FAILURE_POLICIES, one_of};
use crate::admission::expression::{Wanted, compile};
use crate::admission::policy::variables;
use crate::cel::{Scope, escape};
use crate::field::{Errors, Path};
use crate::kinds::Look;

/// The most audit annotations.
const ANNOTATIONS: usize = 20;
/// The longest expression for the value of one, in bytes.
const VALUE: usize = 5 * 1024;
const REASONS: &[&str] = &["Forbidden", "Invalid", "RequestEntityTooLarge"];

/// All that is wrong with a policy.
pub fn validate(policy: &Value, errors: &mut Errors) {
    let (spec, at) = (policy.at("spec"), Path::new("spec"));
    one_of(spec, "failurePolicy", FAILURE_POLICIES, &at, errors);
    let params = spec.has("paramKind");
    if params {
        param_kind(spec.at("paramKind"), &at.child("paramKind"), errors);
    }
    constraints(spec, &at.child("matchConstraints"), errors);
    rules::conditions(spec, params, &at, errors);
    declared(spec, params, &at.child("variables"), errors);
    let (validations, annotations) = (spec.items("validations"), spec.items("auditAnnotations"));
    if validations.is_empty() && annotations.is_empty() {
        let why = "validations or auditAnnotations must contain at least one item";
        errors.required(&at.child("validations"), why);
        errors.required(&at.child("auditAnnotations"), why);
        return;
    }
    let (_, with_all) = variables(spec, params, true);
    let (_, for_messages) = variables(spec, params, false);
    for (i, one) in validations.iter().enumerate() {
        validation(one, &with_all, &for_messages, &at.child("validations").index(i), errors);
    }
    audit(policy, annotations, &with_all, &at.child("auditAnnotations"), errors);
}

fn constraints(spec: &Value, at: &Path, errors: &mut Errors) {
    if !spec.has("matchConstraints") {
        errors.required(at, "");
        return;
    }
    let constraints = spec.at("matchConstraints");
    rules::resources(constraints, at, errors);
    if constraints.items("resourceRules").is_empty() {
        errors.required(&at.child("resourceRules"), "");
    }
}

fn param_kind(kind: &Value, at: &Path, errors: &mut Errors) {
    match kind.text("apiVersion") {
        "" => errors.required(&at.child("apiVersion"), ""),
        version => api_version(version, &at.child("apiVersion"), errors),
    }
    let (name, at) = (kind.text("kind"), at.child("kind"));
    if name.is_empty() {
        errors.required(&at, "");
        return;
    }
    let wrong = names::dns1035_label(&name.to_lowercase());
    if !wrong.is_empty() {
        let why = format!("may have mixed case, but should otherwise match: {}", wrong.join(","));
        errors.invalid(&at, name, &why);
    }
}

fn api_version(text: &str, at: &Path, errors: &mut Errors) {
    let (group, version) = match text.split('/').collect::<Vec<_>>().as_slice() {
        [version] => ("", *version),
        [group, version] => (*group, *version),
        _ => return errors.invalid(at, text, &format!("unexpected GroupVersion string: {text}")),
    };
    if !group.is_empty() {
        let wrong = names::dns1123_subdomain(group);
        if !wrong.is_empty() {
            errors.invalid(at, group, &wrong.join(","));
        }
    }
    let wrong = names::dns1035_label(version);
    if version.is_empty() {
        errors.invalid(at, text, "version must be specified");
    } else if !wrong.is_empty() {
        errors.invalid(at, version, &wrong.join(","));
    }
}

fn declared(spec: &Value, params: bool, at: &Path, errors: &mut Errors) {
    let (compiled, _) = variables(spec, params, true);
    for (i, (name, expression)) in compiled.iter().enumerate() {
        let at = at.index(i);
        if name.trim().is_empty() {
            errors.required(&at.child("name"), "name is not specified");
        } else if !escape::is_identifier(name) {
            errors.invalid(&at.child("name"), name.as_str(), "name is not a valid CEL identifier");
        }
        if expression.text.trim().is_empty() {
            errors.required(&at.child("expression"), "expression is not specified");
        } else if let Some(why) = expression.error() {
            errors.invalid(&at.child("expression"), expression.text.as_str(), why);
        }
    }
}

fn validation(one: &Value, scope: &Scope, for_messages: &Scope, at: &Path, errors: &mut Errors) {
    let rule = one.text("expression");
    if rule.trim().is_empty() {
        errors.required(&at.child("expression"), "expression is not specified");
    } else if let Err(why) = compile(rule, scope, Wanted::Bool) {
        errors.invalid(&at.child("expression"), rule, &why);
    }
    let computed = one.text("messageExpression");
    if !computed.is_empty() && computed.trim().is_empty() {
        errors.invalid(&at.child("messageExpression"), computed, "must be non-empty if specified");
    } else if !computed.is_empty()
        && let Err(why) = compile(computed, for_messages, Wanted::Text)
    {
        errors.invalid(&at.child("messageExpression"), computed, &why);
    }
    let message = one.text("message");
    if !message.is_empty() && message.trim().is_empty() {
        errors.invalid(&at.child("message"), message, "message must be non-empty if specified");
    } else if message.trim().contains(['\n', '\r']) {
        errors.invalid(&at.child("message"), message, "message must not contain line breaks");
    }
    one_of(one, "reason", REASONS, at, errors);
}

fn audit(policy: &Value, annotations: &[Value], scope: &Scope, at: &Path, errors: &mut Errors) {
    if annotations.len() > ANNOTATIONS {
        let why = format!("must not have more than {ANNOTATIONS} auditAnnotations");
        errors.invalid(at, annotations.to_vec(), &why);
    }
    let owner = policy.text("metadata.name");
    let mut seen = HashSet::new();
    for (i, annotation) in annotations.iter().enumerate() {
        let at = at.index(i);
        let key = annotation.text("key");
        if owner.is_empty() {
            errors.invalid(&at.child("key"), key, "requires metadata.name be non-empty");
        } else {
            let qualified = format!("{owner}/{key}");
            errors.all_invalid(&at.child("key"), &qualified, names::qualified_name(&qualified));
        }
        let value_at = at.child("valueExpression");
        let value = annotation.text("valueExpression");
        match value.trim() {
            "" => errors.required(&value_at, "valueExpression is not specified"),
            text if text.len() > VALUE => {
                errors.required(&value_at, &format!("must not exceed {VALUE} bytes in length"));
            }
            text => {
                if let Err(why) = compile(text, scope, Wanted::TextOrNull) {
                    errors.invalid(&value_at, value, &why);
                }
            }
        }
        if !seen.insert(key) {
            errors.duplicate(&at.child("key"), key);
        }
    }
}
