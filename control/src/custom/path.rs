//! The simple paths of a definition: `.spec.replicas`, fields with dots before them and nothing else.

use std::fmt;

use serde_json::{Map, Value};

/// A path of fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldPath {
    text: Box<str>,
    steps: Box<[Box<str>]>,
}

impl FieldPath {
    /// Reads `.spec.replicas`.
    pub fn parse(text: &str) -> Self {
        let steps = text.split('.').filter(|s| !s.is_empty()).map(Into::into).collect();
        Self { text: text.into(), steps }
    }

    /// `spec.replicas`, as field selectors name it.
    pub fn label(&self) -> &str {
        self.text.trim_start_matches('.')
    }

    /// The fields on the way.
    pub fn steps(&self) -> Vec<&str> {
        self.steps.iter().map(|step| &**step).collect()
    }

    /// The value that is there.
    pub fn find<'a>(&self, object: &'a Value) -> Option<&'a Value> {
        self.steps.iter().try_fold(object, |value, step| value.get(&**step))
    }

    /// Sets the value; parents that are missing are made. False where a parent is no object.
    pub fn set(&self, object: &mut Value, to: Value) -> bool {
        let Some((last, parents)) = self.steps.split_last() else { return false };
        let mut here = object;
        for step in parents {
            let Value::Object(map) = here else { return false };
            here = map.entry(&**step).or_insert_with(|| Value::Object(Map::new()));
        }
        match here {
            Value::Object(map) => {
                map.insert(last.to_string(), to);
                true
            }
            _ => false,
        }
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_found_and_set() {
        let path = FieldPath::parse(".spec.replicas");
        assert_eq!((path.label(), path.to_string().as_str()), ("spec.replicas", ".spec.replicas"));
        let mut object = json!({});
        assert_eq!(path.find(&object), None);
        assert!(path.set(&mut object, 3.into()));
        assert_eq!(path.find(&object), Some(&json!(3)));
        assert!(!path.set(&mut json!({"spec": 7}), 3.into()));
    }
}
