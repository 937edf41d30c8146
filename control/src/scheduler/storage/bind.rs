//! Carrying out what is to be done for a pod's claims, and waiting until they are bound.

use std::time::Duration;

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use objects::volumes;
use serde_json::json;
use tokio::time::timeout;

use super::{Bind, Storage};
use crate::status::Status;
use crate::work::Key;

/// How long a provisioner may take; then the pod is looked at again.
const PATIENCE: Duration = Duration::from_secs(600);

impl Storage {
    /// Does it, and returns when all claims have their volumes.
    pub async fn bind(&self, binds: Vec<Bind>, node: &str) -> Result<(), Status> {
        let mut claims = Vec::with_capacity(binds.len());
        for bind in binds {
            let claim = match &bind {
                Bind::Reserve(claim, volume) => {
                    self.reserve(claim, volume).await?;
                    claim
                }
                Bind::Select(claim) => {
                    self.select(claim, node).await?;
                    claim
                }
                Bind::Await(claim) => claim,
            };
            claims.push(Key::of(&**claim));
        }
        if claims.is_empty() {
            return Ok(());
        }
        let waited = timeout(PATIENCE, self.all_bound(&claims)).await;
        waited.map_err(|_| {
            Status::internal("running PreBind plugin \"VolumeBinding\": binding volumes: context deadline exceeded")
        })
    }

    async fn reserve(&self, claim: &PersistentVolumeClaim, volume: &PersistentVolume) -> Result<(), Status> {
        let (meta, of) = (&volume.metadata, &claim.metadata);
        let patch = json!({
            "metadata": {"uid": meta.uid, "resourceVersion": meta.resource_version,
                "annotations": {volumes::BOUND_BY_CONTROLLER: "yes"}},
            "spec": {"claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": of.namespace,
                "name": of.name, "uid": of.uid, "resourceVersion": of.resource_version}},
        });
        self.volume_api.patch_merge("", meta.name.as_deref().unwrap_or_default(), patch).await.map(drop)
    }

    async fn select(&self, claim: &PersistentVolumeClaim, node: &str) -> Result<(), Status> {
        let patch = json!({"metadata": {"uid": claim.metadata.uid, "resourceVersion": claim.metadata.resource_version,
            "annotations": {volumes::SELECTED_NODE: node}}});
        let key = Key::of(claim);
        self.claim_api.patch_merge(&key.namespace, &key.name, patch).await.map(drop)
    }

    /// Bound to the last write: a node does not mount what is not called so.
    async fn all_bound(&self, claims: &[Key]) {
        let mut changes = self.claims.subscribe();
        let is_bound = |key: &Key| {
            let claim = self.claims.get(&key.namespace, &key.name);
            // A claim that is gone is the next attempt's to complain about.
            claim.is_none_or(|claim| volumes::is_bound(&claim) && volumes::claim_phase(&claim) == "Bound")
        };
        while !claims.iter().all(is_bound) && changes.recv().await.is_some() {}
    }
}
