//! Priority: the class that a pod names becomes a number, and at most one class is everybody's.

use serde_json::Value;

use super::facts::{Fact, Facts};
use super::{Operation, Review};
use crate::kinds::{Change, Look};
use crate::registry::Registry;
use crate::status::Status;

const SYSTEM: [&str; 2] = ["system-node-critical", "system-cluster-critical"];

/// What a pod gets from its class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    name: String,
    value: i64,
    preemption: String,
    is_default: bool,
}

impl Fact for Class {
    const RESOURCE: &'static str = "priorityclasses.scheduling.k8s.io";

    fn read(object: &Value) -> Self {
        let preemption = match object.text("preemptionPolicy") {
            "" => "PreemptLowerPriority",
            policy => policy,
        };
        Self {
            name: object.text("metadata.name").to_owned(),
            value: object.int("value").unwrap_or_default(),
            preemption: preemption.to_owned(),
            is_default: object.flag("globalDefault"),
        }
    }
}

/// Gives a new pod the priority of its class; a changed pod keeps what it got.
pub fn mutate(classes: &Facts<Class>, registry: &Registry, review: &Review<'_>, pod: &mut Value) -> Result<(), Status> {
    if !(review.is("", "pods") && review.subresource.is_empty()) {
        return Ok(());
    }
    match (review.operation, review.old) {
        (Operation::Create, _) => prioritize(classes, registry, pod).map_err(|why| review.forbidden_early(pod, &why)),
        (Operation::Update, Some(old)) => {
            for field in ["priority", "preemptionPolicy"] {
                if !pod.at("spec").has(field) {
                    pod.restore("spec", field, old);
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Refuses to take the system's own classes away.
pub fn admit_delete(review: &Review<'_>) -> Result<(), Status> {
    let name = &*review.target.name;
    if review.is("scheduling.k8s.io", "priorityclasses") && SYSTEM.contains(&name) {
        let why = "this is a system priority class and cannot be deleted";
        return Err(Status::forbidden("priorityclasses.scheduling.k8s.io", name, why));
    }
    Ok(())
}

/// Refuses a second default.
pub fn validate(
    classes: &Facts<Class>,
    registry: &Registry,
    review: &Review<'_>,
    object: &Value,
) -> Result<(), Status> {
    if !(review.is("scheduling.k8s.io", "priorityclasses") && object.flag("globalDefault")) {
        return Ok(());
    }
    match default(classes, registry) {
        Some(present) if review.operation == Operation::Create || present.name != object.text("metadata.name") => {
            let why =
                format!("PriorityClass {} is already marked as default. Only one default can exist", present.name);
            Err(review.forbidden(object, &why))
        }
        _ => Ok(()),
    }
}

fn prioritize(classes: &Facts<Class>, registry: &Registry, pod: &mut Value) -> Result<(), String> {
    let class = match pod.text("spec.priorityClassName") {
        "" => default(classes, registry),
        name => {
            let found = classes.one(registry.store(), &"".into(), name);
            Some(found.ok_or_else(|| format!("no PriorityClass with name {name} was found"))?)
        }
    };
    assign(pod, class.as_deref())
}

/// The default class; the least, should there be several.
fn default(classes: &Facts<Class>, registry: &Registry) -> Option<std::sync::Arc<Class>> {
    classes.all(registry.store(), None).into_iter().filter(|c| c.is_default).min_by_key(|c| c.value)
}

fn assign(pod: &mut Value, class: Option<&Class>) -> Result<(), String> {
    let (value, preemption) = class.map_or((0, "PreemptLowerPriority"), |c| (c.value, &c.preemption));
    if let Some(given) = pod.int("spec.priority").filter(|given| *given != value) {
        return Err(format!(
            "the integer value of priority ({given}) must not be provided in pod spec; priority admission controller \
             computed {value} from the given PriorityClass name"
        ));
    }
    let given = pod.text("spec.preemptionPolicy");
    if !given.is_empty() && given != preemption {
        return Err(format!(
            "the string value of PreemptionPolicy ({given}) must not be provided in pod spec; priority admission \
             controller computed {preemption} from the given PriorityClass name"
        ));
    }
    if let Some(class) = class {
        pod.set("spec", "priorityClassName", class.name.clone());
    }
    pod.set("spec", "priority", value);
    pod.set("spec", "preemptionPolicy", preemption);
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_class_decides_and_the_pod_may_not_contradict() {
        let class = Class::read(&json!({"metadata": {"name": "high"}, "value": 7, "preemptionPolicy": "Never"}));
        let mut pod = json!({"spec": {}});
        assert_eq!(assign(&mut pod, Some(&class)), Ok(()));
        assert_eq!(pod["spec"], json!({"priorityClassName": "high", "priority": 7, "preemptionPolicy": "Never"}));
        let mut pod = json!({"spec": {}});
        assert_eq!(assign(&mut pod, None), Ok(()));
        assert_eq!(pod["spec"], json!({"priority": 0, "preemptionPolicy": "PreemptLowerPriority"}));
        let mut pod = json!({"spec": {"priority": 8}});
        assert_eq!(
            assign(&mut pod, Some(&class)),
            Err("the integer value of priority (8) must not be provided in pod spec; priority admission controller \
                 computed 7 from the given PriorityClass name"
                .to_owned())
        );
    }
}
