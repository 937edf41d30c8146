//! Values as error messages show them: the way Go prints what it decoded from JSON.

use std::fmt::Write as _;

use serde_json::{Number, Value};

/// A value in a message: text in quotes, numbers plain, lists and maps with their Go types.
pub(super) fn value(value: &Value) -> String {
    match value {
        Value::Null => "\"null\"".to_owned(),
        other => syntax(other),
    }
}

/// Go's `%#v`.
fn syntax(value: &Value) -> String {
    match value {
        Value::Null => "interface {}(nil)".to_owned(),
        Value::Number(n) => number(n),
        Value::Array(list) => {
            let items: Vec<String> = list.iter().map(syntax).collect();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            let entries: Vec<String> =
                entries.into_iter().map(|(k, v)| format!("{}:{}", quoted(k), syntax(v))).collect();
            format!("map[string]interface {{}}{{{}}}", entries.join(", "))
        }
        plain => plain.to_string(),
    }
}

/// Go's `%v`, as the text of a cell.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(n) => number(n),
        Value::Bool(b) => b.to_string(),
        Value::Array(list) => format!("[{}]", list.iter().map(plain).collect::<Vec<_>>().join(" ")),
        Value::Object(map) => {
            let mut entries: Vec<String> = map.iter().map(|(k, v)| format!("{k}:{}", plain(v))).collect();
            entries.sort();
            format!("map[{}]", entries.join(" "))
        }
    }
}

/// Text in quotes.
pub(super) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// A number as Go prints it: whole ones without a fraction, huge and tiny ones with an exponent.
pub(super) fn number(n: &Number) -> String {
    match (n.as_i64(), n.as_f64()) {
        (Some(int), _) => int.to_string(),
        (None, Some(float)) => self::float(float),
        (None, None) => n.to_string(),
    }
}

/// A `float64` in Go's `%v`.
pub(super) fn float(f: f64) -> String {
    let scientific = format!("{f:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..21).contains(&exponent) {
        return f.to_string();
    }
    let mut text = mantissa.to_owned();
    let sign = if exponent < 0 { '-' } else { '+' };
    let _ = write!(text, "e{sign}{:02}", exponent.abs());
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_look_as_in_go() {
        for (shown, words) in [
            (json!("a\"b"), r#""a\"b""#),
            (json!(7), "7"),
            (json!(2.0), "2"),
            (json!(1.5), "1.5"),
            (json!(1e21), "1e+21"),
            (json!(1e-7), "1e-07"),
            (json!(true), "true"),
            (json!(null), "\"null\""),
            (json!(["a", 1, null]), r#"[]interface {}{"a", 1, interface {}(nil)}"#),
            (
                json!({"b": [1], "a": {}}),
                r#"map[string]interface {}{"a":map[string]interface {}{}, "b":[]interface {}{1}}"#,
            ),
        ] {
            assert_eq!(value(&shown), words);
        }
        assert_eq!(plain(&json!({"b": [1, "x"], "a": true})), "map[a:true b:[1 x]]");
    }
}
