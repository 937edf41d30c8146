//! Applying the objects of `sampan run`: create what is not there, patch what is.

use anyhow::Context as _;
use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::GroupVersionKind;
use kube::discovery::{Scope, pinned_kind};
use kube::{Client, ResourceExt as _};
use serde_json::Value;

/// An object as the server has it, and what to call it.
pub struct Applied {
    /// The object.
    pub object: DynamicObject,
    /// `deployment.apps/web`.
    pub title: String,
}

/// Applies one object.
pub async fn apply(client: &Client, manifest: &Value) -> anyhow::Result<Applied> {
    let object: DynamicObject = serde_json::from_value(manifest.clone()).context("an object without metadata")?;
    let types = object.types.clone().unwrap_or_default();
    let kind = GroupVersionKind::try_from(&types)?;
    let (resource, capabilities) = pinned_kind(client, &kind)
        .await
        .with_context(|| format!("{} {} is not served", types.api_version, types.kind))?;
    let name = object.name_any();
    let title = match resource.group.as_str() {
        "" => format!("{}/{name}", resource.kind.to_lowercase()),
        group => format!("{}.{group}/{name}", resource.kind.to_lowercase()),
    };
    let namespace = object.namespace().unwrap_or_else(|| "default".to_owned());
    let api: Api<DynamicObject> = match capabilities.scope {
        Scope::Namespaced => Api::namespaced_with(client.clone(), &namespace, &resource),
        Scope::Cluster => Api::all_with(client.clone(), &resource),
    };
    let object = match api.create(&PostParams::default(), &object).await {
        Err(kube::Error::Api(status)) if status.reason == "AlreadyExists" => {
            api.patch(&name, &PatchParams::default(), &Patch::Merge(manifest)).await
        }
        created => created,
    };
    Ok(Applied { object: object.with_context(|| title.clone())?, title })
}
