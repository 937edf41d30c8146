//! Binding: a pod gets its node, once.

use serde_json::{Value, json};

use super::Registry;
use super::managed::Tracking;
use super::object::{is_deleting, meta_str, metadata_mut, set_meta};
use super::options::WriteOptions;
use super::part::Part;
use super::resources::Target;
use super::update::Proposal;
use crate::field::{Errors, Path};
use crate::status::Status;

impl Registry {
    /// Assigns the pod `target` to the node that `binding` names. The pod may also be named by the binding alone.
    ///
    /// # Errors
    /// 404 where the pod is gone, 409 where it is bound already or being deleted, 422 without a node.
    pub async fn bind(&self, target: &Target, binding: &Value, options: &WriteOptions) -> Result<(), Status> {
        let target = &self.bound_pod(target, binding)?;
        let node = binding.pointer("/target/name").and_then(Value::as_str).unwrap_or_default();
        if node.is_empty() {
            let mut errors = Errors::default();
            errors.required(&Path::new("target").child("name"), "");
            return Err(Status::invalid("Binding", &target.name, &errors));
        }
        let conflict = |why: String| Status::conflict("pods/binding", &target.name, &why);
        let propose = |old: &Value| {
            let bound = old.pointer("/spec/nodeName").and_then(Value::as_str).unwrap_or_default();
            let (wanted, uid) = (meta_str(binding, "uid"), meta_str(old, "uid"));
            if !bound.is_empty() {
                return Err(conflict(format!("pod {} is already assigned to node \"{bound}\"", target.name)));
            }
            if old.pointer("/spec/schedulingGates").and_then(Value::as_array).is_some_and(|gates| !gates.is_empty()) {
                return Err(conflict(format!("pod {} has non-empty .spec.schedulingGates", target.name)));
            }
            if is_deleting(old) {
                return Err(conflict(format!("pod {} is being deleted, cannot be assigned to a host", target.name)));
            }
            if !wanted.is_empty() && wanted != uid {
                return Err(conflict(format!(
                    "Precondition failed: UID in precondition: {wanted}, UID in object meta: {uid}"
                )));
            }
            Ok(Proposal {
                object: bound_to(old, node, binding),
                warnings: Vec::new(),
                pinned: false,
                tracking: Tracking::Kept,
            })
        };
        self.mutate(target, Part::Internal, options, propose).await.map(drop)
    }

    fn bound_pod(&self, target: &Target, binding: &Value) -> Result<Target, Status> {
        let named = meta_str(binding, "name");
        if target.name.is_empty() {
            let resources = self.resources();
            let pods = resources.find("", "v1", "pods").ok_or_else(Status::no_such_resource)?;
            return Ok(Target::new(pods, &target.namespace, named));
        }
        if !named.is_empty() && named != &*target.name {
            return Err(Status::bad_request("name in URL does not match name in Binding object"));
        }
        Ok(target.clone())
    }
}

/// The pod on its node.
fn bound_to(pod: &Value, node: &str, binding: &Value) -> Value {
    let mut pod = pod.clone();
    if let Some(spec) = pod.get_mut("spec").and_then(Value::as_object_mut) {
        spec.insert("nodeName".to_owned(), node.into());
    }
    // The annotations of a Binding are for its pod.
    if let Some(Value::Object(more)) = binding.pointer("/metadata/annotations") {
        let mut all = metadata_mut(&mut pod).get("annotations").and_then(Value::as_object).cloned().unwrap_or_default();
        all.extend(more.clone());
        set_meta(&mut pod, "annotations", Some(all.into()));
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
