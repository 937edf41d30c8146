//! Values as text that is the same exactly when the values are: for finding equal ones among many.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// The JSON of a value with the keys of objects sorted.
pub(super) fn text(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Object(map) => object(map, text),
        Value::Array(list) => {
            text.push('[');
            for item in list {
                write(item, text);
                text.push(',');
            }
            text.push(']');
        }
        scalar => drop(write!(text, "{scalar}")),
    }
}

fn object(map: &Map<String, Value>, text: &mut String) {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_by_key(|(key, _)| *key);
    text.push('{');
    for (key, value) in entries {
        let _ = write!(text, "{key:?}:");
        write(value, text);
        text.push(',');
    }
    text.push('}');
}
