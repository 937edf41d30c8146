//! One rule of a role: verbs on resources, or on paths.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::auth::attributes::{Action, Attributes};
use crate::kinds::Look;

/// Matches every verb, group, resource or path.
const ALL: &str = "*";

/// A list of words of a rule.
pub type Words = Box<[Box<str>]>;

/// What a role allows, in one rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// `get`, `*`
    pub verbs: Words,
    /// `apps`; an empty one is core.
    pub api_groups: Words,
    /// `pods`, `pods/log`, `*/scale`
    pub resources: Words,
    /// None: all names.
    pub resource_names: Words,
    /// `/healthz`, `/apis/*`
    pub non_resource_urls: Words,
}

impl Rule {
    /// The rules of a role.
    pub fn all_of(role: &Value) -> Box<[Self]> {
        role.items("rules").iter().map(Self::of).collect()
    }

    fn of(rule: &Value) -> Self {
        let words = |field: &str| rule.items(field).iter().filter_map(Value::as_str).map(Box::from).collect();
        Self {
            verbs: words("verbs"),
            api_groups: words("apiGroups"),
            resources: words("resources"),
            resource_names: words("resourceNames"),
            non_resource_urls: words("nonResourceURLs"),
        }
    }

    /// The rule as an object of the API.
    pub fn object(&self) -> Value {
        let mut object = Map::new();
        object.insert("verbs".to_owned(), json!(self.verbs));
        let others = [
            ("apiGroups", &self.api_groups),
            ("resources", &self.resources),
            ("resourceNames", &self.resource_names),
            ("nonResourceURLs", &self.non_resource_urls),
        ];
        for (field, words) in others.into_iter().filter(|(_, words)| !words.is_empty()) {
            object.insert(field.to_owned(), json!(words));
        }
        object.into()
    }

    /// True where the rule allows what is wanted.
    pub fn allows(&self, wanted: &Attributes) -> bool {
        match wanted {
            Attributes::Resource(action) => self.allows_action(action),
            Attributes::Path { verb, path } => has_or_all(&self.verbs, verb) && self.allows_path(path),
        }
    }

    fn allows_action(&self, action: &Action) -> bool {
        has_or_all(&self.verbs, &action.verb)
            && has_or_all(&self.api_groups, &action.group)
            && self.allows_resource(&action.resource, &action.subresource)
            && (self.resource_names.is_empty() || has(&self.resource_names, &action.name))
    }

    fn allows_resource(&self, resource: &str, part: &str) -> bool {
        self.resources.iter().any(|word| match (&**word, part) {
            (ALL, _) => true,
            (word, "") => word == resource,
            (word, part) => {
                let whose = word.strip_suffix(part).and_then(|rest| rest.strip_suffix('/'));
                whose.is_some_and(|whose| whose == resource || whose == ALL)
            }
        })
    }

    fn allows_path(&self, path: &str) -> bool {
        self.non_resource_urls.iter().any(|pattern| covers_path(pattern, path))
    }
}

impl fmt::Display for Rule {
    /// `{APIGroups:[""], Resources:["pods"], Verbs:["get"]}`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            ("APIGroups", &self.api_groups),
            ("Resources", &self.resources),
            ("NonResourceURLs", &self.non_resource_urls),
            ("ResourceNames", &self.resource_names),
            ("Verbs", &self.verbs),
        ];
        let said: Vec<String> = parts
            .into_iter()
            .filter(|(_, words)| !words.is_empty())
            .map(|(name, words)| format!("{name}:{}", quoted(words)))
            .collect();
        write!(f, "{{{}}}", said.join(", "))
    }
}

/// A list of words as Go's `%q` shows it: `["a" "b"]`.
pub(super) fn quoted(words: &[impl AsRef<str>]) -> String {
    let words: Vec<String> = words.iter().map(|word| Value::from(word.as_ref()).to_string()).collect();
    format!("[{}]", words.join(" "))
}

/// True where a path, or a pattern of paths, lies within a pattern.
pub(super) fn covers_path(pattern: &str, path: &str) -> bool {
    pattern == path || pattern.ends_with(ALL) && path.starts_with(pattern.trim_end_matches(ALL))
}

pub(super) fn has(words: &[Box<str>], word: &str) -> bool {
    words.iter().any(|w| **w == *word)
}

pub(super) fn has_or_all(words: &[Box<str>], word: &str) -> bool {
    words.iter().any(|w| **w == *word || **w == *ALL)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(rule: Value) -> Rule {
        Rule::of(&rule)
    }

    fn action(verb: &str, resource: &str, name: &str) -> Attributes {
        let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        Attributes::Resource(Action {
            verb: verb.to_owned(),
            resource: resource.to_owned(),
            subresource: subresource.to_owned(),
            name: name.to_owned(),
            ..Action::default()
        })
    }

    #[test]
    fn resources_match_with_their_parts_and_names() {
        let table = [
            (json!(["pods"]), "pods", true),
            (json!(["pods"]), "pods/log", false),
            (json!(["pods/log"]), "pods/log", true),
            (json!(["pods/log"]), "pods", false),
            (json!(["*/scale"]), "deployments/scale", true),
            (json!(["*/scale"]), "deployments/status", false),
            (json!(["*/scale"]), "deployments", false),
            (json!(["*"]), "deployments/status", true),
            (json!([]), "pods", false),
        ];
        for (resources, wanted, allowed) in table {
            let rule = rule(json!({"verbs": ["get"], "apiGroups": [""], "resources": resources}));
            assert_eq!(rule.allows(&action("get", wanted, "x")), allowed, "{rule} {wanted}");
            assert!(!rule.allows(&action("list", wanted, "x")), "{rule} {wanted}");
        }
        let named =
            rule(json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["secrets"], "resourceNames": ["a", "b"]}));
        assert!(named.allows(&action("delete", "secrets", "b")));
        assert!(!named.allows(&action("delete", "secrets", "c")));
        assert!(!named.allows(&action("list", "secrets", "")));
    }

    #[test]
    fn paths_match_up_to_a_star_at_the_end() {
        let rule = rule(json!({"verbs": ["get"], "nonResourceURLs": ["/healthz", "/apis/*"]}));
        for (path, allowed) in
            [("/healthz", true), ("/healthz/ping", false), ("/apis/apps/v1", true), ("/apis", false), ("/apis/", true)]
        {
            let wanted = Attributes::Path { verb: "get".to_owned(), path: path.to_owned() };
            assert_eq!(rule.allows(&wanted), allowed, "{path}");
        }
        assert!(!rule.allows(&action("get", "pods", "")), "a rule about paths says nothing of resources");
    }

    #[test]
    fn a_rule_keeps_its_form() {
        let object = json!({"verbs": ["get"], "apiGroups": [""], "resources": ["pods"], "resourceNames": ["a"]});
        assert_eq!(rule(object.clone()).object().to_string(), object.to_string());
        assert_eq!(
            rule(object).to_string(),
            r#"{APIGroups:[""], Resources:["pods"], ResourceNames:["a"], Verbs:["get"]}"#
        );
    }
}
