//! Regular expressions: `matches`, and Kubernetes' `find` and `findAll`.

use std::borrow::Cow;
use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use super::super::evaluate::EvalError;
use super::super::node::Node;
use super::super::value::Value;
use super::{Answer, Function, Run, failed, no_overload};

/// How large a compiled expression may be, in bytes.
const SIZE: usize = 1 << 19;
/// What compiling one costs that is no literal: some milliseconds at worst.
const COMPILED: usize = 1_000;

/// The function of this name.
pub fn find(name: &str) -> Option<Function> {
    Some(match name {
        "matches" | ".matches" => matches,
        ".find" => first,
        ".findAll" => all,
        _ => return None,
    })
}

/// The compiled pattern of a call that has a literal for it.
///
/// # Errors
/// The literal is no regular expression.
pub fn constant(name: &str, arguments: &[Node]) -> Result<Option<Arc<Regex>>, String> {
    match (name, arguments) {
        ("matches" | ".matches" | ".find" | ".findAll", [_, Node::Constant(Value::String(pattern)), ..]) => {
            compile(pattern).map(|regex| Some(Arc::new(regex)))
        }
        _ => Ok(None),
    }
}

fn compile(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern).size_limit(SIZE).build().map_err(|error| {
        let message = error.to_string();
        let reason = message.lines().last().unwrap_or_default().trim_start_matches("error: ");
        format!("error parsing regexp: {reason}: `{pattern}`")
    })
}

fn pattern<'r>(run: &mut Run<'r>, text: &str, pattern: &str) -> Result<Cow<'r, Regex>, EvalError> {
    // Upstream's price: a tenth of the text times a quarter of the pattern.
    run.meter.charge((text.len() / 10 + 1).saturating_mul(pattern.len() / 4 + 1))?;
    match run.pattern {
        Some(compiled) => Ok(Cow::Borrowed(compiled)),
        None => {
            run.meter.charge(COMPILED)?;
            compile(pattern).map(Cow::Owned).map_err(failed)
        }
    }
}

fn matches<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let [Value::String(text), Value::String(of)] = of.as_slice() else { return Err(no_overload(run.name, &of)) };
    Ok(Value::Bool(pattern(run, text, of)?.is_match(text)))
}

fn first<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let [Value::String(text), Value::String(of)] = of.as_slice() else { return Err(no_overload(run.name, &of)) };
    let found = pattern(run, text, of)?.find(text).map_or("", |found| found.as_str());
    Ok(Value::text(found))
}

fn all<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let (text, of, most) = match of.as_slice() {
        [Value::String(text), Value::String(of)] => (text, of, usize::MAX),
        [Value::String(text), Value::String(of), Value::Int(most)] => {
            (text, of, usize::try_from(*most).unwrap_or(usize::MAX))
        }
        _ => return Err(no_overload(run.name, &of)),
    };
    let regex = pattern(run, text, of)?;
    run.meter.charge(text.len())?;
    Ok(Value::list(regex.find_iter(text).take(most).map(|found| Value::text(found.as_str())).collect()))
}
