//! Cells that Tables of several kinds share, in the words of `kubectl get`.

use jiff::Timestamp;
use serde_json::Value;

use super::access::Look;
use super::age;

/// The object's name.
pub fn name(object: &Value) -> Value {
    object.text("metadata.name").into()
}

/// The object's age.
pub fn age(object: &Value, now: Timestamp) -> Value {
    age::since(object.text("metadata.creationTimestamp"), now).into()
}

/// The text at a path, or `<none>`.
pub fn text_or_none(object: &Value, path: &str) -> Value {
    or(object.text(path), "<none>")
}

/// The text, or what stands for its absence.
pub fn or(text: &str, absent: &str) -> Value {
    if text.is_empty() { absent.into() } else { text.into() }
}

/// The integer at the path; 0 when absent.
pub fn count(object: &Value, path: &str) -> Value {
    object.int(path).unwrap_or_default().into()
}

/// `k=v,…` sorted by key, or `<none>`.
pub fn labels(map: &Value) -> Value {
    let mut pairs: Vec<String> =
        map.entries("").map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or_default())).collect();
    pairs.sort();
    or(&pairs.join(","), "<none>")
}

/// A label selector as its query text, or `<none>` when it selects everything or nothing.
pub fn selector(selector: &Value) -> Value {
    or(&selector_text(selector), "<none>")
}

/// A label selector as its query text: requirements sorted by key.
pub fn selector_text(selector: &Value) -> String {
    let mut parts: Vec<(&str, String)> =
        selector.entries("matchLabels").map(|(k, v)| (k, format!("{k}={}", v.as_str().unwrap_or_default()))).collect();
    for requirement in selector.items("matchExpressions") {
        let key = requirement.text("key");
        let mut values: Vec<&str> = requirement.items("values").iter().filter_map(Value::as_str).collect();
        values.sort_unstable();
        let text = match requirement.text("operator") {
            "In" => format!("{key} in ({})", values.join(",")),
            "NotIn" => format!("{key} notin ({})", values.join(",")),
            "Exists" => key.to_owned(),
            _ => format!("!{key}"),
        };
        parts.push((key, text));
    }
    parts.sort_by(|a, b| a.0.cmp(b.0));
    parts.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join(",")
}

/// The names of a pod spec's containers.
pub fn containers(spec: &Value) -> Value {
    joined(spec, "name")
}

/// The images of a pod spec's containers.
pub fn images(spec: &Value) -> Value {
    joined(spec, "image")
}

/// Up to `max` items, and how many there are beyond them.
pub fn some_of(items: &[String], max: usize) -> String {
    match items.len() {
        n if n > max => format!("{} + {} more...", items[..max].join(","), n - max),
        _ => items.join(","),
    }
}

/// The addresses of a load balancer's status, sorted.
pub fn load_balancer(status: &Value) -> String {
    let mut addresses: Vec<&str> = status
        .items("ingress")
        .iter()
        .map(|i| if i.has("ip") { i.text("ip") } else { i.text("hostname") })
        .filter(|a| !a.is_empty())
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses.join(",")
}

/// The last line of defence for counts: how many entries a map or list has.
pub fn len(value: &Value) -> usize {
    match value {
        Value::Object(map) => map.len(),
        Value::Array(list) => list.len(),
        _ => 0,
    }
}

fn joined(spec: &Value, field: &str) -> Value {
    spec.items("containers").iter().map(|c| c.text(field)).collect::<Vec<_>>().join(",").into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn selectors_read_as_queries() {
        let s = json!({"matchLabels": {"q": "1", "a": "b"}, "matchExpressions": [
            {"key": "env", "operator": "In", "values": ["t", "d"]}, {"key": "z", "operator": "DoesNotExist"}]});
        assert_eq!(selector(&s), "a=b,env in (d,t),q=1,!z");
        assert_eq!(selector(&json!({})), "<none>");
        assert_eq!(labels(&Value::Null), "<none>");
    }

    #[test]
    fn long_lists_are_cut() {
        let items: Vec<String> = ["a", "b", "c", "d", "e"].map(String::from).into();
        assert_eq!(some_of(&items, 3), "a,b,c + 2 more...");
        assert_eq!(some_of(&items[..3], 3), "a,b,c");
    }
}
