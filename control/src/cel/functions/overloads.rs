//! Names that several libraries share: which is meant, the receiver tells.

use super::super::value::Value;
use super::{Answer, Function, Run, lists, quantities, semvers, strings};

/// The function of this name.
pub fn find(name: &str) -> Option<Function> {
    Some(match name {
        ".indexOf" => index_of,
        ".lastIndexOf" => last_index_of,
        ".isLessThan" | ".isGreaterThan" | ".compareTo" => compare,
        _ => return None,
    })
}

fn index_of<'a>(run: &mut Run<'_>, arguments: Vec<Value<'a>>) -> Answer<'a> {
    match arguments.first() {
        Some(Value::List(_)) => lists::index_of(run, arguments),
        _ => strings::index_of(run, arguments),
    }
}

fn last_index_of<'a>(run: &mut Run<'_>, arguments: Vec<Value<'a>>) -> Answer<'a> {
    match arguments.first() {
        Some(Value::List(_)) => lists::last_index_of(run, arguments),
        _ => strings::last_index_of(run, arguments),
    }
}

fn compare<'a>(run: &mut Run<'_>, arguments: Vec<Value<'a>>) -> Answer<'a> {
    match arguments.first() {
        Some(Value::Semver(_)) => semvers::compare(run, arguments),
        _ => quantities::compare(run, arguments),
    }
}
