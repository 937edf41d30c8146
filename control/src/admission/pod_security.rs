//! PodSecurity: pods keep to the level that their namespace's labels name, or are refused; workloads are warned about.

mod baseline;
mod checks;
mod policy;
mod restricted;
mod words;

use std::collections::{BTreeMap, HashSet};

use serde_json::Value;

use super::facts::Facts;
use super::namespace_lifecycle::Namespace;
use super::{Operation, Review};
use crate::field::Errors;
use crate::kinds::Look;
use crate::registry::Registry;
use crate::status::Status;
use policy::{Level, Standard};

pub use policy::Policy;

/// So many pods of a namespace are looked at when its labels change.
const MOST_PODS: usize = 3000;
/// Sub-resources of pods that carry no pod.
const NO_PODS: &[&str] = &["exec", "attach", "binding", "eviction", "log", "portforward", "proxy", "status"];
/// Kinds that make pods, and where their template is.
const WORKLOADS: &[(&str, &str, &str)] = &[
    ("", "podtemplates", "template"),
    ("", "replicationcontrollers", "spec.template"),
    ("apps", "daemonsets", "spec.template"),
    ("apps", "deployments", "spec.template"),
    ("apps", "replicasets", "spec.template"),
    ("apps", "statefulsets", "spec.template"),
    ("batch", "cronjobs", "spec.jobTemplate.spec.template"),
    ("batch", "jobs", "spec.template"),
];

/// Refuses a pod that breaks its namespace's level; warns about what would.
pub fn validate(
    namespaces: &Facts<Namespace>,
    registry: &Registry,
    review: &Review<'_>,
    object: &Value,
    warnings: &mut Vec<String>,
) -> Result<(), Status> {
    if !matches!(review.operation, Operation::Create | Operation::Update) {
        return Ok(());
    }
    let row = &review.target.resource.row;
    match (row.group.as_str(), row.resource.as_str()) {
        ("", "namespaces") => namespace(registry, review, object, warnings),
        ("", "pods") => pod(namespaces, registry, review, object, warnings),
        (group, resource) => {
            let Some((_, _, path)) = WORKLOADS.iter().find(|(g, r, _)| *g == group && *r == resource) else {
                return Ok(());
            };
            let template = object.at(path);
            if review.subresource.is_empty() && !template.is_null() {
                let policy = policy_of(namespaces, registry, review);
                warn(policy.warn, template.at("metadata"), template.at("spec"), warnings);
            }
            Ok(())
        }
    }
}

fn policy_of(namespaces: &Facts<Namespace>, registry: &Registry, review: &Review<'_>) -> Policy {
    let namespace = namespaces.one(registry.store(), &"".into(), &review.target.namespace);
    namespace.map_or(Policy::NONE, |n| n.policy)
}

fn warn(standard: Standard, metadata: &Value, spec: &Value, warnings: &mut Vec<String>) {
    let broken = checks::violations(standard, metadata, spec);
    if !broken.is_empty() {
        warnings.push(format!("would violate PodSecurity \"{standard}\": {}", checks::details(&broken)));
    }
}

fn pod(
    namespaces: &Facts<Namespace>,
    registry: &Registry,
    review: &Review<'_>,
    pod: &Value,
    warnings: &mut Vec<String>,
) -> Result<(), Status> {
    if NO_PODS.contains(&review.subresource) || review.old.is_some_and(|old| !matters(pod, old)) {
        return Ok(());
    }
    let policy = policy_of(namespaces, registry, review);
    if policy.is_none() {
        return Ok(());
    }
    let (metadata, spec) = (pod.at("metadata"), pod.at("spec"));
    let broken = checks::violations(policy.enforce, metadata, spec);
    if !broken.is_empty() {
        let why = format!("violates PodSecurity \"{}\": {}", policy.enforce, checks::details(&broken));
        return Err(review.forbidden(pod, &why));
    }
    warn(policy.warn, metadata, spec, warnings);
    Ok(())
}

/// True where a change of a pod may break a rule: its images and ephemeral containers, and the annotations that once
/// chose a seccomp profile.
fn matters(new: &Value, old: &Value) -> bool {
    let lists = ["containers", "initContainers", "ephemeralContainers"];
    let images = |pod: &Value| -> Vec<(String, String)> {
        let containers = lists.iter().flat_map(|list| pod.at("spec").items(list));
        containers.map(|c| (c.text("name").to_owned(), c.text("image").to_owned())).collect()
    };
    let profiles = |pod: &Value| -> BTreeMap<String, String> {
        let seccomp = pod.entries("metadata.annotations").filter(|(key, _)| key.contains("seccomp.security.alpha."));
        seccomp.map(|(key, value)| (key.to_owned(), value.to_string())).collect()
    };
    images(new) != images(old) || profiles(new) != profiles(old)
}

/// The labels must be right; and whoever makes a level stricter learns which pods break it already.
fn namespace(
    registry: &Registry,
    review: &Review<'_>,
    namespace: &Value,
    warnings: &mut Vec<String>,
) -> Result<(), Status> {
    if !review.subresource.is_empty() {
        return Ok(());
    }
    let (new, errors) = labels(namespace);
    let before = review.old.map(labels);
    let known = before.as_ref().is_some_and(|(_, old)| *old == errors);
    if !errors.is_empty() && !known {
        return Err(Status::invalid("Namespace", namespace.text("metadata.name"), &errors));
    }
    let Some((old, _)) = before else { return Ok(()) };
    let (new, old) = (new.enforce, old.enforce);
    let relaxed = new.version == old.version && new.level <= old.level;
    if new != old && new.level != Level::Privileged && !relaxed {
        warnings.extend(existing(registry, namespace.text("metadata.name"), new));
    }
    Ok(())
}

fn labels(namespace: &Value) -> (Policy, Errors) {
    let labels = namespace.at("metadata.labels");
    Policy::of(|key| labels.get(key)?.as_str())
}

/// One line for each way in which pods of the namespace break the level, the pods' names before it.
fn existing(registry: &Registry, namespace: &str, standard: Standard) -> Vec<String> {
    let entries = registry.store().list("pods", Some(namespace)).entries;
    let mut by_reason: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for pod in first_of_each_owner(entries.iter().map(|e| e.value()).collect()).iter().take(MOST_PODS) {
        let broken = checks::violations(standard, pod.at("metadata"), pod.at("spec"));
        if !broken.is_empty() {
            by_reason.entry(checks::reasons(&broken)).or_default().push(pod.text("metadata.name").to_owned());
        }
    }
    let mut said = Vec::new();
    if entries.len() > MOST_PODS {
        said.push(format!(
            "new PodSecurity enforce level only checked against the first {MOST_PODS} of {} existing pods",
            entries.len()
        ));
    }
    if !by_reason.is_empty() {
        said.push(format!(
            "existing pods in namespace \"{namespace}\" violate the new PodSecurity enforce level \"{standard}\""
        ));
    }
    let mut lines: Vec<String> = by_reason.into_iter().map(|(reason, pods)| line(&reason, pods)).collect();
    lines.sort();
    said.extend(lines);
    said
}

fn line(reason: &str, mut pods: Vec<String>) -> String {
    pods.sort();
    match pods.as_slice() {
        [] => reason.to_owned(),
        [one] => format!("{one}: {reason}"),
        [first, _] => format!("{first} (and 1 other pod): {reason}"),
        [first, others @ ..] => format!("{first} (and {} other pods): {reason}", others.len()),
    }
}

/// Replicas are alike: the first of each owner comes before the others.
fn first_of_each_owner(pods: Vec<Value>) -> Vec<Value> {
    let mut owners = HashSet::new();
    let mut is_first = |pod: &Value| {
        let owner = pod.items("metadata.ownerReferences").iter().find(|o| o.flag("controller"));
        owner.is_none_or(|o| owners.insert(o.text("uid").to_owned()))
    };
    let (mut first, others): (Vec<_>, Vec<_>) = pods.into_iter().partition(|pod| is_first(pod));
    first.extend(others);
    first
}
