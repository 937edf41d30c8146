//! Following a path through an object.

use serde_json::Value;

use super::path::Step;

/// How much a path may lead to: `..` finds whole objects many times over.
const MOST: usize = 10_000;

/// All that the steps lead to. What is not there is left out.
pub(super) fn all<'v>(steps: &[Step], value: &'v Value) -> Vec<&'v Value> {
    steps.iter().fold(vec![value], |here, step| {
        let mut found = Vec::new();
        here.into_iter().for_each(|value| follow(step, value, &mut found));
        found.truncate(MOST);
        found
    })
}

fn follow<'v>(step: &Step, value: &'v Value, found: &mut Vec<&'v Value>) {
    if found.len() >= MOST {
        return;
    }
    match (step, value) {
        (Step::Field(name), value) if name.is_empty() => found.push(value),
        (Step::Field(name), Value::Object(map)) => found.extend(map.get(name)),
        (Step::Each, Value::Object(map)) => found.extend(map.values()),
        (Step::Each, Value::Array(list)) => found.extend(list),
        (Step::Index(index), Value::Array(list)) => {
            found.extend(position(*index, list.len()).and_then(|i| list.get(i)))
        }
        (Step::Slice { from, to, by }, Value::Array(list)) => slice(list, *from, *to, *by, found),
        (Step::Filter(filter), Value::Array(list)) => found.extend(list.iter().filter(|item| filter.takes(item))),
        (Step::Union(paths), value) => paths.iter().for_each(|path| found.extend(all(path, value))),
        (Step::Descend, value) => descend(value, found),
        _ => {}
    }
}

fn position(index: i64, length: usize) -> Option<usize> {
    let length = i64::try_from(length).ok()?;
    usize::try_from(if index < 0 { index + length } else { index }).ok()
}

fn slice<'v>(list: &'v [Value], from: Option<i64>, to: Option<i64>, by: i64, found: &mut Vec<&'v Value>) {
    let at = |index: i64| position(index, list.len()).unwrap_or_default().min(list.len());
    let (start, end) = (from.map_or(0, at), to.map_or(list.len(), at));
    if let (true, Ok(by)) = (start < end, usize::try_from(by.max(1))) {
        found.extend(list[start..end].iter().step_by(by));
    }
}

fn descend<'v>(value: &'v Value, found: &mut Vec<&'v Value>) {
    if found.len() >= MOST {
        return;
    }
    match value {
        Value::Object(map) if !map.is_empty() => {
            found.push(value);
            map.values().for_each(|child| descend(child, found));
        }
        Value::Array(list) if !list.is_empty() => {
            found.push(value);
            list.iter().for_each(|child| descend(child, found));
        }
        _ => {}
    }
}
