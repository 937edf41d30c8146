//! Label selectors inside objects: their rules, how Go shows them, and what they match.

use objects::names;
use serde_json::Value;

use super::access::Look;
use super::metadata;
use crate::field::{Errors, Path};

/// The rules for a `metav1.LabelSelector`.
pub fn validate(selector: &Value, at: &Path, errors: &mut Errors) {
    metadata::labels(selector.at("matchLabels"), &at.child("matchLabels"), errors);
    for (i, requirement) in selector.items("matchExpressions").iter().enumerate() {
        let at = at.child("matchExpressions").index(i);
        let values = requirement.items("values");
        match requirement.text("operator") {
            "In" | "NotIn" if values.is_empty() => {
                errors.required(&at.child("values"), "must be specified when `operator` is 'In' or 'NotIn'");
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                errors.forbidden(
                    &at.child("values"),
                    "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
                );
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            other => errors.invalid(&at.child("operator"), other, "not a valid selector operator"),
        }
        let key = requirement.text("key");
        errors.all_invalid(&at.child("key"), key, names::qualified_name(key));
        for (i, value) in values.iter().enumerate() {
            let value = value.as_str().unwrap_or_default();
            errors.all_invalid(&at.child("values").index(i), value, names::label_value(value));
        }
    }
}

/// True when it has no requirement at all.
pub fn is_empty(selector: &Value) -> bool {
    selector.entries("matchLabels").next().is_none() && selector.items("matchExpressions").is_empty()
}

/// True when the labels satisfy every requirement.
pub fn matches(selector: &Value, labels: &Value) -> bool {
    let label = |key: &str| labels.get(key).and_then(Value::as_str);
    selector.entries("matchLabels").all(|(key, value)| label(key) == value.as_str())
        && selector.items("matchExpressions").iter().all(|requirement| {
            let found = label(requirement.text("key"));
            let listed = found.is_some_and(|f| requirement.items("values").iter().any(|v| v.as_str() == Some(f)));
            match requirement.text("operator") {
                "In" => listed,
                "NotIn" => !listed,
                "Exists" => found.is_some(),
                _ => found.is_none(),
            }
        })
}

/// The selector as Go's `%#v` shows it.
pub fn shown(selector: &Value) -> String {
    let labels = match selector.at("matchLabels") {
        Value::Object(map) => format!("map[string]string{{{}}}", pairs(map)),
        _ => "map[string]string(nil)".into(),
    };
    let requirements: Vec<String> = selector
        .items("matchExpressions")
        .iter()
        .map(|r| {
            let values: Vec<String> = r.items("values").iter().map(Value::to_string).collect();
            let values =
                if values.is_empty() { "[]string(nil)".into() } else { format!("[]string{{{}}}", values.join(", ")) };
            format!(
                "v1.LabelSelectorRequirement{{Key:{}, Operator:{}, Values:{values}}}",
                r.at("key"),
                r.at("operator")
            )
        })
        .collect();
    let requirements = if requirements.is_empty() {
        "[]v1.LabelSelectorRequirement(nil)".into()
    } else {
        format!("[]v1.LabelSelectorRequirement{{{}}}", requirements.join(", "))
    };
    format!("v1.LabelSelector{{MatchLabels:{labels}, MatchExpressions:{requirements}}}")
}

fn pairs(map: &serde_json::Map<String, Value>) -> String {
    let mut pairs: Vec<String> = map.iter().map(|(k, v)| format!("{}:{v}", Value::from(k.as_str()))).collect();
    pairs.sort();
    pairs.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rules() {
        let mut errors = Errors::default();
        let selector = json!({"matchExpressions": [{"key": "a", "operator": "In"}, {"key": "b", "operator": "Like"}]});
        validate(&selector, &Path::new("spec").child("selector"), &mut errors);
        assert_eq!(
            errors.to_string(),
            "[spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or \
             'NotIn', spec.selector.matchExpressions[1].operator: Invalid value: \"Like\": not a valid selector operator]"
        );
    }

    #[test]
    fn matching_and_showing() {
        let selector = json!({"matchLabels": {"app": "x"}});
        assert!(matches(&selector, &json!({"app": "x", "b": "c"})));
        assert!(!matches(&selector, &Value::Null));
        assert_eq!(
            shown(&selector),
            r#"v1.LabelSelector{MatchLabels:map[string]string{"app":"x"}, MatchExpressions:[]v1.LabelSelectorRequirement(nil)}"#
        );
    }
}
