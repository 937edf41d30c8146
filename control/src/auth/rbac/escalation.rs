//! Nobody hands out what he does not hold.
//!
//! A role may be written by whoever holds all of its rules, or has the verb `escalate` on it; a binding by whoever holds the
//! rules of its role, or has the verb `bind` on that. Otherwise the right to write roles would be the right to do everything.

use serde_json::Value;

use super::cover::{compact, uncovered};
use super::rule::quoted;
use super::{Index, NoRole, RoleRef, Rule, unbounded};
use crate::auth::Caller;
use crate::kinds::Look;

/// What the writing of a role or a binding hands out.
#[derive(Debug, PartialEq, Eq)]
pub enum Grant {
    /// The rules of the role itself; the flag is set where it gathers the rules of others, which may be any.
    Role {
        /// Its own rules.
        rules: Box<[Rule]>,
        /// It gathers others'.
        gathers: bool,
    },
    /// The rules of another role.
    Binding(RoleRef),
    /// Nothing: the object is only on its way out.
    Nothing,
}

impl Grant {
    /// What a write of `new` in place of `old` hands out; `resource` is `roles`, `clusterrolebindings`, ….
    pub fn of(resource: &str, new: &Value, old: Option<&Value>) -> Self {
        if old.is_some_and(|old| only_released(new, old)) {
            return Self::Nothing;
        }
        if resource.ends_with("bindings") {
            return Self::Binding(RoleRef::of(new));
        }
        let gathers = |role: &Value| !role.items("aggregationRule.clusterRoleSelectors").is_empty();
        Self::Role { rules: Rule::all_of(new), gathers: gathers(new) || old.is_some_and(gathers) }
    }
}

/// True where two states differ in nothing but what garbage collection changes.
fn only_released(new: &Value, old: &Value) -> bool {
    let bare = |object: &Value| {
        let mut object = object.clone();
        if let Some(meta) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            for field in ["ownerReferences", "finalizers", "managedFields", "resourceVersion"] {
                meta.shift_remove(field);
            }
        }
        object
    };
    bare(new) == bare(old)
}

/// Why the caller may not hand it out in the namespace (empty: in the cluster), or nothing.
///
/// # Errors
/// Where the role of a binding is not there.
pub fn refusal(index: &Index, caller: &Caller, namespace: &str, grant: &Grant) -> Result<Option<String>, NoRole> {
    let (held, incomplete) = index.rules_for(caller, namespace);
    Ok(match grant {
        Grant::Nothing => None,
        Grant::Binding(role) => not_held(caller, &held, index.rules_of(role, namespace)?, incomplete),
        Grant::Role { rules, gathers } => {
            let partial = *gathers && !uncovered(&held, &unbounded()).is_empty();
            not_held(caller, &held, rules, incomplete)
                .or_else(|| partial.then(|| "must have cluster-admin privileges to use the aggregationRule".to_owned()))
        }
    })
}

fn not_held(caller: &Caller, held: &[&Rule], wanted: &[Rule], incomplete: Option<String>) -> Option<String> {
    let missing = uncovered(held, wanted);
    if missing.is_empty() {
        return None;
    }
    let mut missing: Vec<String> = compact(missing).iter().map(Rule::to_string).collect();
    missing.sort();
    missing.dedup();
    let errors = incomplete.map(|why| format!("; resolution errors: [{why}]")).unwrap_or_default();
    Some(format!(
        "user \"{}\" (groups={}) is attempting to grant RBAC permissions not currently held:\n{}{errors}",
        caller.user,
        quoted(&caller.groups),
        missing.join("\n")
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::auth::follower::View as _;
    use crate::store::Key;

    fn index() -> Index {
        let mut index = Index::default();
        let mut set = |resource: &str, namespace: &str, name: &str, object: Value| {
            index.set(&Key::new(&format!("{resource}.rbac.authorization.k8s.io"), namespace, name), Some(&object));
        };
        let rule = |verb: &str| json!({"rules": [{"verbs": [verb], "apiGroups": [""], "resources": ["pods"]}]});
        set("clusterroles", "", "reader", rule("get"));
        set("clusterroles", "", "writer", rule("update"));
        let binding = json!({"roleRef": {"kind": "ClusterRole", "name": "reader"}, "subjects":
            [{"kind": "User", "name": "bob"}]});
        set("rolebindings", "a", "some", binding);
        index
    }

    fn refused(resource: &str, namespace: &str, new: &Value) -> Result<Option<String>, String> {
        let bob = Caller::authenticated("bob", []);
        refusal(&index(), &bob, namespace, &Grant::of(resource, new, None)).map_err(|no_role| no_role.to_string())
    }

    #[test]
    fn roles_hold_no_more_than_their_writer() {
        let role = |verb: &str| json!({"rules": [{"verbs": [verb], "apiGroups": [""], "resources": ["pods"]}]});
        assert_eq!(refused("roles", "a", &role("get")), Ok(None));
        assert_eq!(
            refused("roles", "a", &role("update")),
            Ok(Some(
                "user \"bob\" (groups=[\"system:authenticated\"]) is attempting to grant RBAC permissions not currently \
                 held:\n{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"update\"]}"
                    .to_owned()
            ))
        );
        assert!(refused("clusterroles", "", &role("get")).is_ok_and(|why| why.is_some()), "held in one namespace only");
        let gathering = json!({"aggregationRule": {"clusterRoleSelectors": [{}]}});
        assert_eq!(
            refused("clusterroles", "a", &gathering),
            Ok(Some("must have cluster-admin privileges to use the aggregationRule".to_owned()))
        );
    }

    #[test]
    fn bindings_hand_out_what_their_role_holds() {
        let binding = |role: &str| json!({"roleRef": {"kind": "ClusterRole", "name": role}});
        assert_eq!(refused("rolebindings", "a", &binding("reader")), Ok(None));
        assert!(refused("rolebindings", "b", &binding("reader")).is_ok_and(|why| why.is_some()));
        assert!(refused("rolebindings", "a", &binding("writer")).is_ok_and(|why| why.is_some()));
        assert_eq!(
            refused("rolebindings", "a", &binding("none")),
            Err("clusterrole.rbac.authorization.k8s.io \"none\" not found".to_owned())
        );
    }

    #[test]
    fn letting_go_hands_out_nothing() {
        let old = json!({"metadata": {"name": "r", "finalizers": ["x"]}, "rules": [{"verbs": ["*"]}]});
        let new = json!({"metadata": {"name": "r"}, "rules": [{"verbs": ["*"]}]});
        assert_eq!(Grant::of("roles", &new, Some(&old)), Grant::Nothing);
    }
}
