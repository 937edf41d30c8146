//! LimitRanger: what containers, pods and claims of a namespace get by default, and the bounds that they keep.

mod bounds;

use serde_json::Value;

use super::facts::{Fact, Facts};
use super::{Operation, Review};
use crate::kinds::{Change, Look};
use crate::registry::Registry;
use crate::status::Status;

const ANNOTATION: &str = "kubernetes.io/limit-ranger";

/// The limits of one LimitRange.
pub struct Range {
    limits: Vec<Value>,
}

impl Fact for Range {
    const RESOURCE: &'static str = "limitranges";

    fn read(object: &Value) -> Self {
        Self { limits: object.items("spec.limits").to_vec() }
    }
}

/// Fills in what the namespace's limits give by default.
pub fn mutate(ranges: &Facts<Range>, registry: &Registry, review: &Review<'_>, object: &mut Value) {
    if !(applies(review) && review.is("", "pods")) {
        return;
    }
    for range in ranges.all(registry.store(), Some(&review.target.namespace)) {
        fill(object, &range.limits);
    }
}

/// Refuses what is out of bounds.
pub fn validate(ranges: &Facts<Range>, registry: &Registry, review: &Review<'_>, object: &Value) -> Result<(), Status> {
    if !applies(review) {
        return Ok(());
    }
    for range in ranges.all(registry.store(), Some(&review.target.namespace)) {
        let broken = match review.is("", "pods") {
            true => bounds::of_pod(&range.limits, object.at("spec")),
            false => bounds::of_claim(&range.limits, object.at("spec")),
        };
        match broken.as_slice() {
            [] => {}
            [one] => return Err(review.forbidden(object, one)),
            many => return Err(review.forbidden(object, &format!("[{}]", many.join(", ")))),
        }
    }
    Ok(())
}

/// Pods when they are made, and claims; the resources of a pod do not change later.
fn applies(review: &Review<'_>) -> bool {
    let deleting = review.old.is_some_and(|old| old.has("metadata.deletionTimestamp"));
    let resize = review.subresource == "resize" && review.is("", "pods") && review.operation == Operation::Update;
    let main = review.subresource.is_empty()
        && match review.operation {
            Operation::Create => review.is("", "pods") || review.is("", "persistentvolumeclaims"),
            Operation::Update => review.is("", "persistentvolumeclaims"),
            _ => false,
        };
    !deleting && (main || resize)
}

/// Gives the containers what the limits give by default, and says so in an annotation.
fn fill(pod: &mut Value, limits: &[Value]) {
    let mut said = Vec::new();
    for (list, what) in [("containers", "container"), ("initContainers", "init container")] {
        for container in pod.items_mut(&format!("spec.{list}")) {
            let requests = add(container, limits, "defaultRequest", "requests");
            let limited = add(container, limits, "default", "limits");
            let name = container.text("name");
            for (added, kind) in [(requests, "request"), (limited, "limit")] {
                if !added.is_empty() {
                    said.push(format!("{} {kind} for {what} {name}", added.join(", ")));
                }
            }
        }
    }
    if !said.is_empty() {
        pod.set("metadata.annotations", ANNOTATION, format!("LimitRanger plugin set: {}", said.join("; ")));
    }
}

/// Adds the amounts that the container has not, and names them. Of two limits for containers the later one wins.
fn add(container: &mut Value, limits: &[Value], from: &str, to: &str) -> Vec<String> {
    let path = format!("resources.{to}");
    let mut added = Vec::new();
    for limit in limits.iter().rev().filter(|l| l.text("type") == "Container") {
        for (name, amount) in limit.entries(from) {
            if container.at(&path).get(name).is_none() {
                container.set(&path, name, amount.clone());
                added.push(name.to_owned());
            }
        }
    }
    added.sort_unstable();
    added
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn defaults_are_filled_in_and_told() {
        let limits = [json!({"type": "Container", "default": {"cpu": "500m", "memory": "5Mi"},
            "defaultRequest": {"cpu": "100m", "memory": "1Mi"}})];
        let mut pod = json!({"metadata": {"name": "p"}, "spec": {
            "containers": [{"name": "a"}, {"name": "b", "resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "2"}}}],
            "initContainers": [{"name": "i", "resources": {"requests": {"cpu": "1", "memory": "1"},
                "limits": {"cpu": "1", "memory": "1"}}}]}});
        fill(&mut pod, &limits);
        assert_eq!(
            pod.at("metadata.annotations").get(ANNOTATION),
            Some(&json!(
                "LimitRanger plugin set: cpu, memory request for container a; cpu, memory limit for container a; memory \
                 request for container b; memory limit for container b"
            ))
        );
        assert_eq!(pod.items("spec.containers")[1].at("resources.limits"), &json!({"cpu": "2", "memory": "5Mi"}));
    }

    #[test]
    fn nothing_to_fill_in_says_nothing() {
        let mut pod = json!({"spec": {"containers": [{"name": "a"}]}});
        let before = pod.clone();
        fill(&mut pod, &[json!({"type": "Pod", "max": {"cpu": "1"}})]);
        assert_eq!(pod, before);
    }
}
