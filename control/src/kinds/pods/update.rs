//! What may change in a pod that exists: very little, since its containers run already.

use serde_json::Value;

use crate::field::{Errors, Path};
use crate::kinds::access::{Change, Look};
use crate::kinds::difference::difference;

const MAY_CHANGE: &str = "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,\
    `spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set \
    to 1 if it was previously negative)";

/// The rules for a change of spec.
pub fn validate(new: &Value, old: &Value, errors: &mut Errors) {
    let at = Path::new("spec");
    for list in ["containers", "initContainers"] {
        if new.at("spec").items(list).len() != old.at("spec").items(list).len() {
            return errors.forbidden(&at.child(list), "pod updates may not add or remove containers");
        }
    }
    if !deadline(new, old, &at, errors) {
        return;
    }
    tolerations(new.items("spec.tolerations"), old.items("spec.tolerations"), &at.child("tolerations"), errors);
    let allowed = without_allowed_changes(new, old);
    if &allowed != old.at("spec") {
        let difference = difference(&allowed, old.at("spec"));
        errors.forbidden(&at, &format!("pod updates may not change fields other than {MAY_CHANGE}\n{difference}"));
    }
}

/// A deadline may be set, and then only shortened. False when there is no point in looking further.
fn deadline(new: &Value, old: &Value, at: &Path, errors: &mut Errors) -> bool {
    let at = at.child("activeDeadlineSeconds");
    match (new.int("spec.activeDeadlineSeconds"), old.int("spec.activeDeadlineSeconds")) {
        (Some(now), Some(before)) if now > before => {
            errors.invalid(&at, now, "must be less than or equal to previous value");
            false
        }
        (None, Some(_)) => {
            errors.invalid(&at, Value::Null, "must not update from a positive integer to nil value");
            true
        }
        _ => true,
    }
}

/// Tolerations may be added; of those that are there only the seconds may change.
fn tolerations(new: &[Value], old: &[Value], at: &Path, errors: &mut Errors) {
    let same = |a: &Value, b: &Value| ["key", "operator", "value", "effect"].iter().all(|f| a.text(f) == b.text(f));
    if !old.iter().all(|before| new.iter().any(|now| same(now, before))) {
        errors.forbidden(at, "existing toleration can not be modified except its tolerationSeconds");
    }
}

/// The new spec with everything put back that may change.
fn without_allowed_changes(new: &Value, old: &Value) -> Value {
    let mut spec = new.at("spec").clone();
    let before = old.at("spec");
    for list in ["containers", "initContainers"] {
        for (now, before) in spec.items_mut(list).iter_mut().zip(before.items(list)) {
            now.restore("", "image", before);
        }
    }
    for field in ["activeDeadlineSeconds", "tolerations", "schedulingGates"] {
        spec.restore("", field, before);
    }
    if before.int("terminationGracePeriodSeconds").is_some_and(|s| s < 0)
        && spec.int("terminationGracePeriodSeconds") == Some(1)
    {
        spec.restore("", "terminationGracePeriodSeconds", before);
    }
    spec
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(new: Value) -> String {
        let old = json!({"spec": {"containers": [{"name": "c", "image": "a"}], "hostname": "h",
            "tolerations": [{"key": "k", "operator": "Exists"}]}});
        let mut whole = old.clone();
        if let Value::Object(fields) = new {
            whole.map_at("spec").extend(fields);
        }
        let mut errors = Errors::default();
        validate(&whole, &old, &mut errors);
        errors.to_string()
    }

    #[test]
    fn little_may_change() {
        assert_eq!(said(json!({"containers": [{"name": "c", "image": "b"}]})), "[]");
        assert_eq!(said(json!({"activeDeadlineSeconds": 5})), "[]");
        assert_eq!(
            said(
                json!({"tolerations": [{"key": "k", "operator": "Exists", "tolerationSeconds": 1}, {"operator": "Exists"}]})
            ),
            "[]"
        );
        assert_eq!(
            said(json!({"tolerations": []})),
            "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds"
        );
        assert_eq!(
            said(json!({"containers": []})),
            "spec.containers: Forbidden: pod updates may not add or remove containers"
        );
        assert_eq!(
            said(json!({"hostname": "other"})),
            "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,\
             `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing \
             tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n\
             - \thostname: \"h\",\n+ \thostname: \"other\",\n"
        );
    }
}
