//! RuntimeClass: what the class of a pod's runtime costs, and on which nodes it is.

use serde_json::Value;

use super::Review;
use super::amounts::{self, Amounts};
use super::facts::{Fact, Facts};
use crate::kinds::{Change, Look};
use crate::registry::Registry;
use crate::status::Status;

const MISMATCH: &str = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";
const WITHOUT: &str = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead";

/// What a pod gets from its runtime's class.
#[derive(Debug, Default)]
pub struct Class {
    overhead: Option<Value>,
    node_selector: Value,
    tolerations: Vec<Value>,
}

impl Fact for Class {
    const RESOURCE: &'static str = "runtimeclasses.node.k8s.io";

    fn read(object: &Value) -> Self {
        Self {
            overhead: object.has("overhead").then(|| object.at("overhead.podFixed").clone()),
            node_selector: object.at("scheduling.nodeSelector").clone(),
            tolerations: object.items("scheduling.tolerations").to_vec(),
        }
    }
}

/// Gives a new pod the overhead, node selector and tolerations of its runtime's class.
pub fn mutate(classes: &Facts<Class>, registry: &Registry, review: &Review<'_>, pod: &mut Value) -> Result<(), Status> {
    if !review.creates("", "pods") {
        return Ok(());
    }
    let overhead = match pod.at("spec.runtimeClassName").as_str() {
        None => None,
        Some(name) => {
            let class = classes.one(registry.store(), &"".into(), name).ok_or_else(|| {
                review.forbidden_early(pod, &format!("pod rejected: RuntimeClass \"{name}\" not found"))
            })?;
            join(pod, &class).map_err(|why| review.forbidden_early(pod, &why))?;
            class.overhead.clone()
        }
    };
    match overhead {
        None if pod.has("spec.overhead") => Err(review.forbidden_early(pod, WITHOUT)),
        _ => Ok(()),
    }
}

fn join(pod: &mut Value, class: &Class) -> Result<(), String> {
    if let Some(overhead) = &class.overhead {
        let given: Amounts = amounts::read(pod.at("spec.overhead"));
        if !given.is_empty() && given != amounts::read(overhead) {
            return Err(MISMATCH.to_owned());
        }
        pod.set("spec", "overhead", overhead.clone());
    }
    for (key, wanted) in class.node_selector.entries("") {
        let text = wanted.as_str().unwrap_or_default();
        match pod.at("spec.nodeSelector").get(key).and_then(Value::as_str) {
            Some(given) if given != text => {
                return Err(format!(
                    "conflict: runtimeClass.scheduling.nodeSelector[{key}] = {text}; pod.spec.nodeSelector[{key}] = {given}"
                ));
            }
            Some(_) => {}
            None => pod.set("spec.nodeSelector", key, text),
        }
    }
    let mut tolerations = pod.items("spec.tolerations").to_vec();
    let more = class.tolerations.iter().filter(|t| !tolerations.iter().any(|mine| covers(mine, t)));
    let more: Vec<Value> = more.cloned().collect();
    if !more.is_empty() {
        tolerations.extend(more);
        pod.set("spec", "tolerations", tolerations);
    }
    Ok(())
}

/// True where whoever tolerates `wide` tolerates all that `narrow` does.
fn covers(wide: &Value, narrow: &Value) -> bool {
    let exists = wide.text("operator") == "Exists";
    let every_key = wide.text("key").is_empty() && exists;
    let longer = match (wide.int("tolerationSeconds"), narrow.int("tolerationSeconds")) {
        (None, _) => true,
        (Some(wide), Some(narrow)) => narrow <= wide,
        (Some(_), None) => false,
    };
    wide == narrow
        || (every_key || wide.text("key") == narrow.text("key"))
            && (wide.text("effect").is_empty() || wide.text("effect") == narrow.text("effect"))
            && (wide.text("effect") != "NoExecute" || longer)
            && (exists || narrow.text("operator") != "Exists" && wide.text("value") == narrow.text("value"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_gets_what_its_runtime_needs() {
        let class = Class::read(&json!({"overhead": {"podFixed": {"memory": "10Mi"}}, "scheduling": {
            "nodeSelector": {"runtime": "vm"}, "tolerations": [{"key": "vm", "operator": "Exists"}]}}));
        let mut pod = json!({"spec": {"tolerations": [{"key": "a", "operator": "Exists"}]}});
        assert_eq!(join(&mut pod, &class), Ok(()));
        assert_eq!(
            pod["spec"],
            json!({"tolerations": [{"key": "a", "operator": "Exists"}, {"key": "vm", "operator": "Exists"}],
                "overhead": {"memory": "10Mi"}, "nodeSelector": {"runtime": "vm"}})
        );
        let mut pod = json!({"spec": {"overhead": {"memory": "11Mi"}}});
        assert_eq!(join(&mut pod, &class), Err(MISMATCH.to_owned()));
        let mut pod = json!({"spec": {"nodeSelector": {"runtime": "wasm"}}});
        assert_eq!(
            join(&mut pod, &class),
            Err("conflict: runtimeClass.scheduling.nodeSelector[runtime] = vm; pod.spec.nodeSelector[runtime] = wasm"
                .to_owned())
        );
    }

    #[test]
    fn a_toleration_may_cover_another() {
        let narrow = json!({"key": "a", "operator": "Equal", "value": "b", "effect": "NoSchedule"});
        assert!(covers(&json!({"operator": "Exists"}), &narrow));
        assert!(covers(&json!({"key": "a", "operator": "Exists"}), &narrow));
        assert!(!covers(&json!({"key": "b", "operator": "Exists"}), &narrow));
        assert!(!covers(&json!({"key": "a", "value": "c", "effect": "NoSchedule"}), &narrow));
    }
}
