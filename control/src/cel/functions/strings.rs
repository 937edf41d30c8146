//! Text: the standard functions and the strings extension. Places count code points.

use super::super::evaluate::EvalError;
use super::super::value::{Text, Value};
use super::{Answer, Function, Run, failed, no_overload, template};

/// The function of this name.
pub fn find(name: &str) -> Option<Function> {
    Some(match name {
        "size" | ".size" => size,
        ".contains" | ".startsWith" | ".endsWith" => test,
        ".charAt" => char_at,
        ".format" => template::format,
        ".join" => join,
        ".lowerAscii" | ".upperAscii" | ".trim" | "strings.quote" => change,
        ".replace" => replace,
        ".split" => split,
        ".substring" => substring,
        _ => return None,
    })
}

fn size<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let size = match of.as_slice() {
        [Value::String(text)] => {
            run.meter.charge(text.len() / 10)?;
            text.chars().count()
        }
        [Value::Bytes(bytes)] => bytes.len(),
        [Value::List(list)] => list.len(),
        [Value::Map(map)] => map.len(),
        _ => return Err(no_overload(run.name, &of)),
    };
    Ok(number(Some(size)))
}

fn test<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let [Value::String(text), Value::String(part)] = of.as_slice() else { return Err(no_overload(run.name, &of)) };
    run.meter.charge(match run.name {
        ".contains" => text.len() / 10 + part.len() / 10,
        _ => part.len() / 10,
    })?;
    Ok(Value::Bool(match run.name {
        ".contains" => text.contains(&**part),
        ".startsWith" => text.starts_with(&**part),
        _ => text.ends_with(&**part),
    }))
}

fn char_at<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let [Value::String(text), Value::Int(index)] = of.as_slice() else { return Err(no_overload(run.name, &of)) };
    pay(run, text)?;
    let at = byte_at(text, *index)?;
    Ok(Value::text(text[at..].chars().next().map(String::from).unwrap_or_default()))
}

/// Where a code point starts; the end counts as one.
fn byte_at(text: &str, index: i64) -> Result<usize, EvalError> {
    usize::try_from(index)
        .ok()
        .and_then(|index| text.char_indices().map(|(at, _)| at).chain([text.len()]).nth(index))
        .ok_or_else(|| failed(format!("index out of range: {index}")))
}

/// The first place of a text in another, -1 where it is not.
pub fn index_of<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let (text, part, from) = place_arguments(run, &of)?;
    let from = from.map_or(Ok(0), |from| byte_at(text, from))?;
    let found = text[from..].find(&**part).map(|at| from + at);
    Ok(number(found.map(|at| text[..at].chars().count())))
}

/// The last place, not behind the one given.
pub fn last_index_of<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let (text, part, last) = place_arguments(run, &of)?;
    let last = last.map_or(Ok(text.len()), |last| byte_at(text, last))?;
    let end = (last + part.len()).min(text.len());
    let end = (end..=text.len()).find(|end| text.is_char_boundary(*end)).unwrap_or(text.len());
    Ok(number(text[..end].rfind(&**part).map(|at| text[..at].chars().count())))
}

type Place<'v, 'a> = (&'v Text<'a>, &'v Text<'a>, Option<i64>);

fn place_arguments<'v, 'a>(run: &mut Run<'_>, of: &'v [Value<'a>]) -> Result<Place<'v, 'a>, EvalError> {
    let (text, part, from) = match of {
        [Value::String(text), Value::String(part)] => (text, part, None),
        [Value::String(text), Value::String(part), Value::Int(from)] => (text, part, Some(*from)),
        _ => return Err(no_overload(run.name, of)),
    };
    run.meter.charge(text.len() / 10 + part.len() / 10)?;
    Ok((text, part, from))
}

fn join<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let (list, separator) = match of.as_slice() {
        [Value::List(list)] => (list, ""),
        [Value::List(list), Value::String(separator)] => (list, &**separator),
        _ => return Err(no_overload(run.name, &of)),
    };
    let mut joined = String::new();
    for (i, element) in list.iter().enumerate() {
        let Value::String(text) = element else { return Err(no_overload("join", &[element])) };
        run.meter.charge((text.len() + separator.len()) / 10 + 1)?;
        if i > 0 {
            joined.push_str(separator);
        }
        joined.push_str(&text);
    }
    Ok(Value::text(joined))
}

fn change<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let [Value::String(text)] = of.as_slice() else { return Err(no_overload(run.name, &of)) };
    pay(run, text)?;
    Ok(Value::text(match run.name {
        ".lowerAscii" => text.to_ascii_lowercase(),
        ".upperAscii" => text.to_ascii_uppercase(),
        ".trim" => text.trim().to_owned(),
        _ => quote(text),
    }))
}

fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{b}' => quoted.push_str("\\v"),
            '\\' => quoted.push_str("\\\\"),
            '"' => quoted.push_str("\\\""),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn replace<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let (text, old, new, most) = match of.as_slice() {
        [Value::String(text), Value::String(old), Value::String(new)] => (text, old, new, usize::MAX),
        [Value::String(text), Value::String(old), Value::String(new), Value::Int(most)] => {
            (text, old, new, usize::try_from(*most).unwrap_or(usize::MAX))
        }
        _ => return Err(no_overload(run.name, &of)),
    };
    run.meter.charge(text.len() / 10)?;
    // No more than that many come out longer than they were.
    let found = text.matches(&**old).take(most).count();
    run.meter.charge(found.saturating_mul(new.len()) / 10)?;
    Ok(Value::text(text.replacen(&**old, new, most)))
}

fn split<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let (text, separator, most) = match of.as_slice() {
        [Value::String(text), Value::String(separator)] => (text, separator, -1),
        [Value::String(text), Value::String(separator), Value::Int(most)] => (text, separator, *most),
        _ => return Err(no_overload(run.name, &of)),
    };
    run.meter.charge(text.len())?;
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let parts: Vec<&str> = match (most, separator.is_empty()) {
        (0, _) => Vec::new(),
        (most, false) => text.splitn(most, &**separator).collect(),
        (most, true) => exploded(text, most),
    };
    Ok(Value::list(parts.into_iter().map(Value::text).collect()))
}

/// A part for each code point, the last with the rest.
fn exploded(text: &str, most: usize) -> Vec<&str> {
    let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).take(most).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().zip(ends).map(|(start, end)| &text[*start..end]).collect()
}

fn substring<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let (text, start, end) = match of.as_slice() {
        [Value::String(text), Value::Int(start)] => (text, *start, None),
        [Value::String(text), Value::Int(start), Value::Int(end)] => (text, *start, Some(*end)),
        _ => return Err(no_overload(run.name, &of)),
    };
    pay(run, text)?;
    let from = byte_at(text, start)?;
    let to = end.map_or(Ok(text.len()), |end| byte_at(text, end))?;
    if from > to {
        return Err(failed(format!("invalid substring range. start: {start}, end: {}", end.unwrap_or_default())));
    }
    Ok(Value::text(&text[from..to]))
}

fn pay(run: &mut Run<'_>, text: &str) -> Result<(), EvalError> {
    run.meter.charge(text.len() / 10)
}

fn number<'a>(found: Option<usize>) -> Value<'a> {
    Value::Int(found.and_then(|n| i64::try_from(n).ok()).unwrap_or(-1))
}
