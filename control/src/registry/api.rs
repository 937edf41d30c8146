//! A typed front of the registry for the loops inside the process.

use std::marker::PhantomData;
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Registry;
use super::delete::{DeleteOptions, Deleted};
use super::options::WriteOptions;
use super::part::Part;
use super::patch::Patch;
use super::resources::{Resource, Target};
use crate::status::Status;

/// A kind with a Rust type.
pub trait Object:
    k8s_openapi::Resource
    + k8s_openapi::Metadata<Ty = ObjectMeta>
    + Serialize
    + DeserializeOwned
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<K> Object for K where
    K: k8s_openapi::Resource
        + k8s_openapi::Metadata<Ty = ObjectMeta>
        + Serialize
        + DeserializeOwned
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// The verbs for one kind, on its Rust type.
pub struct Api<K> {
    registry: Registry,
    resource: Arc<Resource>,
    options: WriteOptions,
    kind: PhantomData<fn() -> K>,
}

impl<K> Clone for Api<K> {
    fn clone(&self) -> Self {
        Self {
            registry: self.registry.clone(),
            resource: self.resource.clone(),
            options: self.options.clone(),
            kind: PhantomData,
        }
    }
}

impl<K: Object> Api<K> {
    pub(super) fn new(registry: Registry) -> Self {
        let found = registry.resources().of_kind(K::GROUP, K::VERSION, K::KIND).cloned();
        let resource = found.unwrap_or_else(|| panic!("{} {} is not served", K::API_VERSION, K::KIND));
        Self { registry, resource, options: WriteOptions::default(), kind: PhantomData }
    }

    /// The same, writing under another name: `system:kube-scheduler`.
    #[must_use]
    pub fn acting_as(self, user: &str) -> Self {
        Self { options: WriteOptions::of(user), ..self }
    }

    /// The same, with another name for who manages what it writes.
    #[must_use]
    pub fn managed_by(mut self, manager: &str) -> Self {
        self.options.manager = manager.into();
        self
    }

    /// The resource behind it.
    pub fn resource(&self) -> Arc<Resource> {
        self.resource.clone()
    }

    /// One object as it is stored now (an informer may be a moment behind).
    pub fn get(&self, namespace: &str, name: &str) -> Result<K, Status> {
        decode(&self.registry.get(&self.target(namespace, name))?.bytes)
    }

    /// Creates `object`.
    pub async fn create(&self, object: &K) -> Result<K, Status> {
        let value = encode(object)?;
        let namespace = object.metadata().namespace.as_deref().unwrap_or_default();
        let outcome = self.registry.create(&self.target(namespace, ""), value, &self.options).await?;
        decode(&outcome.bytes)
    }

    /// Replaces all but the status.
    pub async fn update(&self, object: &K) -> Result<K, Status> {
        self.put(object, Part::Main).await
    }

    /// Replaces the status.
    pub async fn update_status(&self, object: &K) -> Result<K, Status> {
        self.put(object, Part::Status).await
    }

    /// Replaces a part; `Part::Finalize` is for namespaces.
    pub async fn put(&self, object: &K, part: Part) -> Result<K, Status> {
        let meta = object.metadata();
        let (namespace, name) =
            (meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default());
        let target = self.target(namespace, name);
        let outcome = self.registry.update(&target, part, encode(object)?, &self.options).await?;
        decode(&outcome.bytes)
    }

    /// Merges `patch` into the object.
    pub async fn patch_merge(&self, namespace: &str, name: &str, patch: Value) -> Result<K, Status> {
        self.patch(namespace, name, Part::Main, patch).await
    }

    /// Merges `patch` into the object's status.
    pub async fn patch_status_merge(&self, namespace: &str, name: &str, patch: Value) -> Result<K, Status> {
        self.patch(namespace, name, Part::Status, patch).await
    }

    async fn patch(&self, namespace: &str, name: &str, part: Part, patch: Value) -> Result<K, Status> {
        let target = self.target(namespace, name);
        let outcome = self.registry.patch(&target, part, &Patch::Merge(patch), &self.options).await?;
        decode(&outcome.bytes)
    }

    /// Deletes an object; the last state where it is gone, the marked one where something holds it.
    pub async fn delete(&self, namespace: &str, name: &str, options: &DeleteOptions) -> Result<K, Status> {
        let deleted = self.registry.delete(&self.target(namespace, name), options).await?;
        let (Deleted::Gone(bytes) | Deleted::Pending(bytes)) = deleted;
        decode(&bytes)
    }

    fn target(&self, namespace: &str, name: &str) -> Target {
        Target::new(&self.resource, namespace, name)
    }
}

impl Api<k8s_openapi::api::core::v1::Pod> {
    /// Assigns the pod with this uid to a node.
    pub async fn bind(&self, namespace: &str, name: &str, uid: &str, node: &str) -> Result<(), Status> {
        let binding = json!({"metadata": {"name": name, "uid": uid}, "target": {"kind": "Node", "name": node}});
        self.registry.bind(&self.target(namespace, name), &binding, &self.options).await
    }
}

fn encode<K: Serialize>(object: &K) -> Result<Value, Status> {
    serde_json::to_value(object).map_err(Status::internal)
}

fn decode<K: DeserializeOwned>(bytes: &[u8]) -> Result<K, Status> {
    serde_json::from_slice(bytes).map_err(Status::internal)
}
