//! The sub-resources of a pod that change its spec while it runs: its debuggers, and the resources of its containers.

use serde_json::Value;

use super::qos;
use crate::field::{Errors, Path};
use crate::kinds::PartRules;
use crate::kinds::access::{Change, Look};
use crate::kinds::pod_spec;

/// `pods/ephemeralcontainers`.
pub const EPHEMERAL_CONTAINERS: PartRules =
    PartRules { name: "ephemeralcontainers", prepare: only_ephemeral_containers, validate: debuggers };

/// `pods/resize`.
pub const RESIZE: PartRules = PartRules { name: "resize", prepare: only_resources, validate: resized };

fn only_ephemeral_containers(new: &mut Value, old: &Value) {
    let wanted = new.at("spec.ephemeralContainers").clone();
    let metadata = new.unset("", "metadata");
    *new = old.clone();
    if let Some(metadata) = metadata {
        new.set("", "metadata", metadata);
    }
    match wanted {
        Value::Null => drop(new.unset("spec", "ephemeralContainers")),
        wanted => new.set("spec", "ephemeralContainers", wanted),
    }
}

/// Debuggers come, and neither change nor go.
fn debuggers(new: &Value, old: &Value, errors: &mut Errors) {
    let at = Path::new("spec");
    pod_spec::validate(new.at("spec"), &at, errors);
    let at = at.child("ephemeralContainers");
    for before in old.items("spec.ephemeralContainers") {
        let name = before.text("name");
        let why = match new.items("spec.ephemeralContainers").iter().find(|c| c.text("name") == name) {
            None => format!("existing ephemeral containers \"{name}\" may not be removed\n"),
            Some(now) if now != before => format!("existing ephemeral containers \"{name}\" may not be changed\n"),
            Some(_) => continue,
        };
        errors.forbidden(&at, &why);
    }
}

/// Of what was sent, the resources of the containers that are there.
fn only_resources(new: &mut Value, old: &Value) {
    let sent = std::mem::take(new);
    *new = old.clone();
    if sent.has("metadata") {
        new.set("", "metadata", sent.at("metadata").clone());
    }
    for list in ["containers", "initContainers"] {
        for container in new.map_at("spec").get_mut(list).map(|l| l.items_mut("")).unwrap_or_default() {
            let named = |c: &&Value| c.text("name") == container.text("name");
            let Some(wanted) = sent.at("spec").items(list).iter().find(named).cloned() else { continue };
            for field in ["resources", "resizePolicy"] {
                container.restore("", field, &wanted);
            }
        }
    }
}

/// The amounts of cpu and memory may change, and nothing that the pod's class depends on.
fn resized(new: &Value, old: &Value, errors: &mut Errors) {
    let at = Path::new("spec");
    pod_spec::validate(new.at("spec"), &at, errors);
    let class = qos::class(new.at("spec"));
    if class != qos::class(old.at("spec")) {
        errors.invalid(&at, class, "Pod QOS Class may not change as a result of resizing");
    }
    for list in ["containers", "initContainers"] {
        let pairs = new.at("spec").items(list).iter().zip(old.at("spec").items(list));
        for (i, (now, before)) in pairs.enumerate() {
            container(now.at("resources"), before.at("resources"), &at.child(list).index(i).child("resources"), errors);
        }
    }
}

fn container(now: &Value, before: &Value, at: &Path, errors: &mut Errors) {
    for list in ["limits", "requests"] {
        let at = at.child(list);
        for (name, _) in before.entries(list).filter(|(name, _)| now.at(list).get(name).is_none()) {
            errors.forbidden(&at, &format!("resource {list} cannot be removed ({name})"));
        }
        for (name, amount) in now.entries(list).filter(|(name, _)| !matches!(*name, "cpu" | "memory")) {
            if before.at(list).get(name) != Some(amount) {
                errors.forbidden(&at.key(name), "only cpu and memory resources are mutable");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn debuggers_come_and_stay() {
        let pod = |debuggers: Value| json!({"spec": {"ephemeralContainers": debuggers, "hostname": "h"}});
        let old = pod(json!([{"name": "d", "image": "a"}]));
        let mut new = pod(json!([{"name": "d", "image": "b"}]));
        new.set("spec", "hostname", "other");
        only_ephemeral_containers(&mut new, &old);
        assert_eq!(new.text("spec.hostname"), "h");
        let mut errors = Errors::default();
        debuggers(&new, &old, &mut errors);
        assert!(
            errors.to_string().contains(
                "spec.ephemeralContainers: Forbidden: existing ephemeral containers \"d\" may not be changed\n"
            ),
            "{errors}"
        );
    }

    #[test]
    fn a_resize_changes_amounts_alone() {
        let old = json!({"spec": {"containers": [{"name": "c", "image": "a",
            "resources": {"requests": {"cpu": "1"}}}]}});
        let mut new = json!({"spec": {"containers": [{"name": "c", "image": "zzz",
            "resources": {"requests": {"cpu": "2"}}}]}});
        only_resources(&mut new, &old);
        let container = &new.items("spec.containers")[0];
        assert_eq!((container.text("image"), container.text("resources.requests.cpu")), ("a", "2"));
    }
}
