//! What the checks say: who broke a rule, in upstream's grammar.

use serde_json::Value;

use crate::kinds::Look;

/// One broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule.
    pub reason: &'static str,
    /// Who broke it, and how to mend it.
    pub detail: String,
}

impl Violation {
    /// `reason (detail)`.
    pub fn text(&self) -> String {
        if self.detail.is_empty() { self.reason.to_owned() } else { format!("{} ({})", self.reason, self.detail) }
    }
}

/// The init, ordinary and ephemeral containers of a pod spec.
pub fn containers(spec: &Value) -> impl Iterator<Item = &Value> {
    ["initContainers", "containers", "ephemeralContainers"].into_iter().flat_map(|list| spec.items(list))
}

/// The names of the containers that `is_bad` takes.
pub fn names(spec: &Value, is_bad: impl FnMut(&&Value) -> bool) -> Vec<&str> {
    containers(spec).filter(is_bad).map(|c| c.text("name")).collect()
}

/// `container "a"`, `containers "a", "b"`.
pub fn named(names: &[&str]) -> String {
    format!("{} {}", plural("container", "containers", names.len()), quoted(names))
}

/// `pod and containers "a", "b"`; none where nobody is to blame.
pub fn blamed(pod: bool, names: &[&str]) -> Option<String> {
    match (pod, names) {
        (false, []) => None,
        (true, []) => Some("pod".to_owned()),
        (true, names) => Some(format!("pod and {}", named(names))),
        (false, names) => Some(named(names)),
    }
}

/// `"a", "b"`.
pub fn quoted<'a>(items: impl IntoIterator<Item = &'a (impl AsRef<str> + 'a)>) -> String {
    items.into_iter().map(|item| format!("\"{}\"", item.as_ref())).collect::<Vec<_>>().join(", ")
}

/// One word for one, another for many.
pub fn plural(one: &'static str, many: &'static str, count: usize) -> &'static str {
    if count == 1 { one } else { many }
}
