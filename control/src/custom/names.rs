//! Which of the names that a definition asks for it gets: no two of a group may have the same.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::condition::Condition;
use crate::kinds::Look;

/// The names that definitions of a group have.
#[derive(Debug, Default)]
pub struct Taken {
    resources: BTreeSet<String>,
    kinds: BTreeSet<String>,
}

impl Taken {
    /// Adds what a definition was given.
    pub fn add(&mut self, definition: &Value) {
        let names = definition.at("status.acceptedNames");
        let short = names.items("shortNames").iter().filter_map(Value::as_str);
        self.resources
            .extend([names.text("plural"), names.text("singular")].into_iter().chain(short).map(str::to_owned));
        self.kinds.extend([names.text("kind"), names.text("listKind")].map(str::to_owned));
    }
}

/// The names that a definition has from now on, and what is said about those that it wants. Conflicts leave it with what
/// it had; `taken` is what the others of its group have.
pub fn accept(definition: &Value, taken: &Taken) -> (Value, Condition) {
    let (wanted, had) = (definition.at("spec.names"), definition.at("status.acceptedNames"));
    let mut accepted = had.as_object().cloned().unwrap_or_default();
    let mut conflict: Option<(&'static str, String)> = None;
    for (field, reason, among) in [
        ("plural", "PluralConflict", &taken.resources),
        ("singular", "SingularConflict", &taken.resources),
        ("shortNames", "ShortNamesConflict", &taken.resources),
        ("kind", "KindConflict", &taken.kinds),
        ("listKind", "ListKindConflict", &taken.kinds),
    ] {
        match clash(wanted.at(field), had.at(field), among) {
            Some(words) => conflict = Some((reason, words)),
            None => set(&mut accepted, field, wanted.at(field)),
        }
    }
    set(&mut accepted, "categories", wanted.at("categories"));
    let condition = match conflict {
        Some((reason, words)) => Condition::new("NamesAccepted", false, reason, words),
        None => Condition::new("NamesAccepted", true, "NoConflicts", "no conflicts found"),
    };
    (Value::Object(accepted), condition)
}

fn set(names: &mut Map<String, Value>, field: &str, value: &Value) {
    match value {
        Value::Null => drop(names.shift_remove(field)),
        value => drop(names.insert(field.to_owned(), value.clone())),
    }
}

/// Why a name, or one of a list of them, cannot be had.
fn clash(wanted: &Value, had: &Value, taken: &BTreeSet<String>) -> Option<String> {
    if wanted == had {
        return None;
    }
    let list = |value: &Value| match value {
        Value::Array(list) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Value::String(one) => vec![one.clone()],
        _ => Vec::new(),
    };
    let ours: Vec<String> = list(had);
    let mut clashes: Vec<String> = list(wanted)
        .into_iter()
        .filter(|name| !ours.contains(name) && taken.contains(name))
        .map(|name| format!("{name:?} is already in use"))
        .collect();
    clashes.dedup();
    match clashes.len() {
        0 => None,
        1 => clashes.pop(),
        _ => Some(format!("[{}]", clashes.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn definition(plural: &str, kind: &str, short: &[&str], accepted: Value) -> Value {
        let names = json!({"plural": plural, "singular": kind.to_lowercase(), "kind": kind,
            "listKind": format!("{kind}List"), "shortNames": short});
        json!({"spec": {"names": names}, "status": {"acceptedNames": accepted}})
    }

    #[test]
    fn free_names_are_accepted() {
        let wanted = definition("foos", "Foo", &["fo"], json!({"plural": "", "kind": ""}));
        let (names, condition) = accept(&wanted, &Taken::default());
        assert_eq!(&names, wanted.at("spec.names"));
        assert_eq!((condition.status, condition.reason), ("True", "NoConflicts"));
    }

    #[test]
    fn names_of_others_are_refused_one_by_one() {
        let mut taken = Taken::default();
        let other = definition("foos", "Foo", &["fo"], Value::Null);
        taken.add(&json!({"status": {"acceptedNames": other.at("spec.names")}}));
        let wanted = definition("bars", "Foo", &["fo", "b"], json!({"plural": "", "kind": ""}));
        let (names, condition) = accept(&wanted, &taken);
        assert_eq!((names.text("plural"), names.text("kind")), ("bars", ""));
        assert_eq!((condition.status, condition.reason), ("False", "ListKindConflict"));
        assert_eq!(condition.message, "\"FooList\" is already in use");
        // What it has already stays its own.
        let (_, condition) = accept(&definition("bars", "Foo", &["fo"], wanted.at("spec.names").clone()), &taken);
        assert_eq!(condition.status, "True");
    }
}
