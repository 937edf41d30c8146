//! What a start does to an object that is there: adds what is missing, and takes nothing away.

use serde_json::{Value, json};

use crate::auth::rbac::{Rule, uncovered};
use crate::kinds::{Change as _, Look as _};

const PROTECTED: &str = "rbac.authorization.kubernetes.io/autoupdate";

/// What has to be done about one object.
#[derive(Debug, PartialEq)]
pub enum Step {
    /// It will do.
    Nothing,
    /// It is not there.
    Create(Value),
    /// Something is missing.
    Update(Value),
    /// It binds another role, which cannot be changed.
    Recreate,
}

/// Compares what is to be there with what is.
pub fn step(expected: &Value, present: Option<&Value>) -> Step {
    let Some(present) = present else { return Step::Create(expected.clone()) };
    if present.at("metadata.annotations").get(PROTECTED).and_then(Value::as_str) == Some("false") {
        return Step::Nothing;
    }
    if expected.at("roleRef") != present.at("roleRef") {
        return Step::Recreate;
    }
    let mut object = present.clone();
    for field in ["labels", "annotations"] {
        let at = format!("metadata.{field}");
        for (name, value) in expected.entries(&at) {
            object.set_default(&at, name, value.clone());
        }
    }
    add_rules(&mut object, expected);
    add_items(&mut object, expected, "", "subjects");
    add_items(&mut object, expected, "aggregationRule", "clusterRoleSelectors");
    if !expected.has("aggregationRule") {
        object.unset("", "aggregationRule");
    }
    if object == *present { Step::Nothing } else { Step::Update(object) }
}

fn add_rules(object: &mut Value, expected: &Value) {
    let held = Rule::all_of(object);
    let missing = uncovered(&held.iter().collect::<Vec<_>>(), &Rule::all_of(expected));
    if !missing.is_empty() {
        let rules: Vec<Value> = held.iter().chain(&missing).map(Rule::object).collect();
        object.set("", "rules", rules);
    }
}

fn add_items(object: &mut Value, expected: &Value, at: &str, field: &str) {
    let path = if at.is_empty() { field.to_owned() } else { format!("{at}.{field}") };
    let missing: Vec<Value> =
        expected.items(&path).iter().filter(|item| !object.items(&path).contains(item)).cloned().collect();
    if !missing.is_empty() {
        let items: Vec<Value> = object.items(&path).iter().cloned().chain(missing).collect();
        object.set(at, field, json!(items));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(verbs: &[&str]) -> Value {
        json!({"metadata": {"name": "r", "annotations": {PROTECTED: "true"}},
            "rules": [{"verbs": verbs, "apiGroups": [""], "resources": ["pods"]}]})
    }

    #[test]
    fn what_will_do_is_left_alone() {
        assert_eq!(step(&role(&["get"]), None), Step::Create(role(&["get"])));
        assert_eq!(step(&role(&["get"]), Some(&role(&["get"]))), Step::Nothing);
        assert_eq!(step(&role(&["get"]), Some(&role(&["get", "list"]))), Step::Nothing, "more than asked for");
    }

    #[test]
    fn missing_rules_are_added_unless_the_owner_says_no() {
        let Step::Update(object) = step(&role(&["get", "list"]), Some(&role(&["get"]))) else { panic!("an update") };
        assert_eq!(
            object["rules"],
            json!([{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]},
                {"verbs": ["list"], "apiGroups": [""], "resources": ["pods"]}])
        );
        let mut own = role(&["get"]);
        own["metadata"]["annotations"][PROTECTED] = json!("false");
        assert_eq!(step(&role(&["get", "list"]), Some(&own)), Step::Nothing);
    }

    #[test]
    fn bindings_get_their_subjects_back_and_their_role() {
        let amy = json!({"kind": "User", "name": "amy"});
        let bob = json!({"kind": "User", "name": "bob"});
        let binding = |role: &str, subjects: Value| json!({"roleRef": {"name": role}, "subjects": subjects});
        let Step::Update(object) = step(&binding("a", json!([amy])), Some(&binding("a", json!([bob])))) else {
            panic!("an update")
        };
        assert_eq!(object["subjects"], json!([bob, amy]));
        assert_eq!(step(&binding("a", json!([amy])), Some(&binding("b", json!([amy])))), Step::Recreate);
    }
}
