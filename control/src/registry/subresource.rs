//! Sub-resources that are views of an object: status, scale, binding.

use serde_json::{Value, json};

use super::Registry;
use super::object::{meta_str, metadata, set_meta};
use super::options::{Outcome, WriteOptions};
use super::resources::Target;
use super::update::Proposal;
use crate::field::{Errors, Path};
use crate::status::Status;

/// The part of an object that a write is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All but the status.
    Main,
    /// The status alone.
    Status,
    /// The replica count.
    Scale,
    /// A namespace's finalizers.
    Finalize,
    /// What the server itself does to an object: a deletion under way, a binding.
    Internal,
}

impl Registry {
    /// The `scale` of a workload.
    ///
    /// # Errors
    /// 404 where the workload does not exist.
    pub fn scale(&self, target: &Target) -> Result<Value, Status> {
        let object = self.entry(target)?.value();
        let count = |at: &str| object.pointer(at).and_then(Value::as_i64).unwrap_or_default();
        let selector = object.pointer("/spec/selector").map(selector_text).unwrap_or_default();
        let mut meta = serde_json::Map::new();
        for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
            if let Some(value) = metadata(&object).and_then(|m| m.get(field)) {
                meta.insert(field.to_owned(), value.clone());
            }
        }
        let mut status = json!({"replicas": count("/status/replicas")});
        if !selector.is_empty() {
            status["selector"] = selector.into();
        }
        let mut spec = json!({});
        if count("/spec/replicas") != 0 {
            spec["replicas"] = count("/spec/replicas").into();
        }
        Ok(json!({"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": meta, "spec": spec, "status": status}))
    }

    /// Sets the replica count of a workload from a Scale.
    ///
    /// # Errors
    /// As [`Registry::update`].
    pub async fn update_scale(&self, target: &Target, scale: Value, options: &WriteOptions) -> Result<Outcome, Status> {
        let replicas = scale.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or_default();
        if replicas < 0 {
            let mut errors = Errors::default();
            let at = Path::new("spec").child("replicas");
            errors.invalid(&at, replicas, "must be greater than or equal to 0");
            return Err(Status::invalid("Scale.autoscaling", &target.name, &errors));
        }
        let pinned = meta_str(&scale, "resourceVersion").to_owned();
        let outcome = self
            .mutate(target, Part::Scale, options, |old| {
                let mut object = old.clone();
                if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
                    spec.insert("replicas".to_owned(), replicas.into());
                }
                if !pinned.is_empty() {
                    set_meta(&mut object, "resourceVersion", Some(pinned.as_str().into()));
                }
                Ok(Proposal { object, warnings: Vec::new(), pinned: !pinned.is_empty() })
            })
            .await?;
        let mut scale = self.scale(target)?;
        if options.dry_run {
            scale["spec"] = json!({"replicas": replicas});
        }
        let bytes = serde_json::to_vec(&scale).map_err(Status::internal)?.into();
        Ok(Outcome { bytes, ..outcome })
    }

    /// Assigns a pod to a node, once.
    ///
    /// # Errors
    /// 404 where the pod is gone, 409 where it is bound already or being deleted.
    pub async fn bind(&self, target: &Target, binding: &Value, options: &WriteOptions) -> Result<(), Status> {
        let node = binding.pointer("/target/name").and_then(Value::as_str).unwrap_or_default();
        if node.is_empty() {
            let mut errors = Errors::default();
            errors.required(&Path::new("target").child("name"), "");
            return Err(Status::invalid("Binding", &target.name, &errors));
        }
        let uid = meta_str(binding, "uid").to_owned();
        self.mutate(target, Part::Internal, options, |old| {
            let conflict = |why: String| Status::conflict("pods/binding", &target.name, &why);
            let bound = old.pointer("/spec/nodeName").and_then(Value::as_str).unwrap_or_default();
            if !bound.is_empty() {
                return Err(conflict(format!("pod {} is already assigned to node \"{bound}\"", target.name)));
            }
            if super::object::is_deleting(old) {
                return Err(conflict(format!("pod {} is being deleted, cannot be assigned to a host", target.name)));
            }
            if !uid.is_empty() && uid != meta_str(old, "uid") {
                return Err(conflict(format!("Precondition failed: UID in precondition: {uid}")));
            }
            Ok(Proposal { object: bound_to(old, node), warnings: Vec::new(), pinned: false })
        })
        .await
        .map(drop)
    }
}

fn bound_to(pod: &Value, node: &str) -> Value {
    let mut pod = pod.clone();
    if let Some(spec) = pod.get_mut("spec").and_then(Value::as_object_mut) {
        spec.insert("nodeName".to_owned(), node.into());
    }
    let now = objects::time::text(&objects::time::now());
    let scheduled = json!({"type": "PodScheduled", "status": "True", "lastProbeTime": null, "lastTransitionTime": now});
    if let Some(status) = pod.get_mut("status").and_then(Value::as_object_mut) {
        let conditions = status.entry("conditions").or_insert_with(|| json!([]));
        if let Some(list) = conditions.as_array_mut() {
            list.retain(|c| c.get("type").and_then(Value::as_str) != Some("PodScheduled"));
            list.push(scheduled);
        }
    }
    pod
}

/// A selector as a query string: a plain map, or a LabelSelector.
fn selector_text(selector: &Value) -> String {
    let is_label_selector = selector.get("matchLabels").is_some_and(Value::is_object)
        || selector.get("matchExpressions").is_some_and(Value::is_array);
    let wrapped = if is_label_selector { selector.clone() } else { json!({"matchLabels": selector}) };
    serde_json::from_value(wrapped)
        .ok()
        .and_then(|s| objects::selectors::LabelSelector::of(Some(&s)).ok())
        .map(|s| s.to_string())
        .unwrap_or_default()
}
