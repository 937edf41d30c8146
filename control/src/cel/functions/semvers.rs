//! Semantic versions: `semver('1.2.3').major()`.

use std::sync::Arc;

use semver::Version;

use super::super::value::Value;
use super::quantities::compared;
use super::{Answer, Function, Run, failed, no_overload};

/// The function of this name.
pub fn find(name: &str) -> Option<Function> {
    Some(match name {
        "semver" | "isSemver" => read,
        ".major" | ".minor" | ".patch" => part,
        _ => return None,
    })
}

fn read<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let (text, normalize) = match of.as_slice() {
        [Value::String(text)] => (text, false),
        [Value::String(text), Value::Bool(normalize)] => (text, *normalize),
        _ => return Err(no_overload(run.name, &of)),
    };
    run.meter.charge(text.len() / 10)?;
    let version = if normalize { Version::parse(&normalized(text)) } else { Version::parse(text) };
    match (run.name, version) {
        ("isSemver", version) => Ok(Value::Bool(version.is_ok())),
        (_, Ok(version)) => Ok(Value::Semver(Arc::new(version))),
        (_, Err(error)) => Err(failed(error.to_string())),
    }
}

/// `v01.2` as `1.2.0`: without the `v`, without leading zeros, with three numbers.
fn normalized(text: &str) -> String {
    let text = text.strip_prefix('v').unwrap_or(text);
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let (numbers, rest) = text.split_at(end);
    let mut numbers: Vec<&str> = numbers
        .split('.')
        .map(|number| match number.trim_start_matches('0') {
            "" if !number.is_empty() => "0",
            number => number,
        })
        .collect();
    while numbers.len() < 3 {
        numbers.push("0");
    }
    numbers.join(".") + rest
}

fn part<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let [Value::Semver(version)] = of.as_slice() else { return Err(no_overload(run.name, &of)) };
    let part = match run.name {
        ".major" => version.major,
        ".minor" => version.minor,
        _ => version.patch,
    };
    Ok(Value::Int(i64::try_from(part).unwrap_or(i64::MAX)))
}

/// The order of two versions, each way it can be asked for.
pub fn compare<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let [Value::Semver(a), Value::Semver(b)] = of.as_slice() else { return Err(no_overload(run.name, &of)) };
    Ok(compared(run.name, a.cmp_precedence(b)))
}
