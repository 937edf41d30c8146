//! The worker's two writes to the API: the pod's status, and in the end its removal.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Pod, PodStatus};
use kube::api::{Api, DeleteParams, Patch, PatchParams, Preconditions};
use kube::core::Request;
use kube::{Client, Resource};
use serde_json::json;

use crate::status;

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is there.
    Done,
    /// The pod is not there any more.
    Gone,
}

/// Patches the status of the object with this uid, and in the same write the annotations that have changed. A strategic
/// merge, as kubelets do: conditions that others own stay.
pub async fn status(
    client: Client,
    pod: &Pod,
    uid: &str,
    status: &PodStatus,
    previous: Option<&PodStatus>,
    annotations: &BTreeMap<String, String>,
) -> Result<Written, kube::Error> {
    let (namespace, name) = names(pod);
    // At first, what is there is what the node reported in its earlier life.
    let mut patch = status::patch(uid, status, previous.or(pod.status.as_ref()));
    if !annotations.is_empty() {
        patch["metadata"]["annotations"] = json!(annotations);
    }
    let patch = Patch::Strategic(patch);
    let request = Request::new(Pod::url_path(&(), Some(namespace)))
        .patch_subresource("status", name, &PatchParams::default(), &patch)
        .map_err(kube::Error::BuildRequest)?;
    // The answer is the whole pod, which the watch brings anyway: it is not decoded.
    gone_is_fine(client.request_text(request).await.map(drop))
}

/// Removes the object for good, if it is still the same pod.
pub async fn removal(client: Client, pod: &Pod, uid: &str) -> Result<Written, kube::Error> {
    let (namespace, name) = names(pod);
    let preconditions = Preconditions { uid: Some(uid.to_owned()), resource_version: None };
    let params =
        DeleteParams { grace_period_seconds: Some(0), preconditions: Some(preconditions), ..DeleteParams::default() };
    gone_is_fine(Api::<Pod>::namespaced(client, namespace).delete(name, &params).await.map(drop))
}

fn names(pod: &Pod) -> (&str, &str) {
    (pod.metadata.namespace.as_deref().unwrap_or("default"), pod.metadata.name.as_deref().unwrap_or_default())
}

fn gone_is_fine(result: Result<(), kube::Error>) -> Result<Written, kube::Error> {
    match result {
        Ok(()) => Ok(Written::Done),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(Written::Gone),
        Err(error) => Err(error),
    }
}
