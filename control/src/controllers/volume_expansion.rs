//! Claims that grow: their volume's capacity follows, and then what the claim says that it has.
//!
//! A directory of a node has no size of its own, so that growing one is a matter of its objects. Volumes of others are
//! theirs to grow.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use objects::volumes;
use serde_json::json;

use super::{Context, Key, Next, Queue, Recorder, feed};
use crate::registry::{Api, Informer};
use crate::status::Status;

const AT_ONCE: usize = 4;
/// Whose volumes are directories.
const LOCAL_PATH: &str = "rancher.io/local-path";

/// Grows what has to grow.
pub(super) fn run(context: &Context) -> impl Future<Output = ()> + Send + use<> {
    Expansion {
        claims: context.registry.informer(),
        volumes: context.registry.informer(),
        claim_api: context.api(),
        volume_api: context.api(),
        events: context.recorder("volume_expand"),
        queue: Queue::new(),
    }
    .run()
}

struct Expansion {
    claims: Arc<Informer<PersistentVolumeClaim>>,
    volumes: Arc<Informer<PersistentVolume>>,
    claim_api: Api<PersistentVolumeClaim>,
    volume_api: Api<PersistentVolume>,
    events: Recorder,
    queue: Queue<Key>,
}

/// The next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Nothing,
    /// The volume's capacity.
    Volume,
    /// The claim's.
    Claim,
    /// Somebody else's volume.
    Others,
}

impl Expansion {
    async fn run(self) {
        self.claims.synced().await;
        self.volumes.synced().await;
        futures::join!(
            feed(self.claims.subscribe(), |change| {
                let grown = change.new.iter().filter(|claim| volumes::asked(claim) > volumes::given(claim));
                grown.for_each(|claim| self.queue.add(Key::of(&**claim)));
            }),
            feed(self.volumes.subscribe(), |change| {
                let reference = change.new.as_ref().and_then(|volume| volume.spec.as_ref()?.claim_ref.as_ref());
                if let Some((namespace, name)) = reference.and_then(|r| Some((r.namespace.as_ref()?, r.name.as_ref()?)))
                {
                    self.queue.add(Key::new(namespace, name));
                }
            }),
            self.queue.work(AT_ONCE, |key| self.reconcile(key)),
        );
    }

    async fn reconcile(&self, key: Key) -> Result<Next, Status> {
        let Some(claim) = self.claims.get(&key.namespace, &key.name) else { return Ok(Next::Done) };
        let name = volumes::volume_of(&claim).unwrap_or_default();
        let Some(volume) = self.volumes.get("", name) else { return Ok(Next::Done) };
        let asked = volumes::asked(&claim).to_text();
        let done = match plan(&claim, &volume) {
            Step::Nothing => return Ok(Next::Done),
            Step::Others => {
                let message = "waiting for an external controller to expand this PVC";
                self.events.normal(&*claim, "ExternalExpanding", message);
                return Ok(Next::Done);
            }
            Step::Volume => {
                let message = format!("External resizer is resizing volume {name}");
                self.events.normal(&*claim, "Resizing", message);
                let patch = json!({"spec": {"capacity": {"storage": asked}}});
                self.volume_api.patch_merge("", name, patch).await.map(drop)
            }
            Step::Claim => {
                let capacity = volumes::capacity(&volume).to_text();
                let status = json!({"status": {"capacity": {"storage": capacity}, "conditions": null}});
                let written = self.claim_api.patch_status_merge(&key.namespace, &key.name, status).await;
                if written.is_ok() {
                    self.events.normal(&*claim, "VolumeResizeSuccessful", "Resize volume succeeded");
                }
                written.map(drop)
            }
        };
        match done {
            Err(status) if !status.is_not_found() => Err(status),
            _ => Ok(Next::Done),
        }
    }
}

fn plan(claim: &PersistentVolumeClaim, volume: &PersistentVolume) -> Step {
    let bound = volumes::is_bound(claim) && volumes::claim_phase(claim) == "Bound" && volumes::is_of(volume, claim);
    let grows = volumes::asked(claim) > volumes::given(claim);
    let ours = volumes::annotation(&volume.metadata, volumes::PROVISIONED_BY) == Some(LOCAL_PATH);
    match (bound && grows, ours) {
        (false, _) => Step::Nothing,
        (true, false) => Step::Others,
        (true, true) if volumes::capacity(volume) < volumes::asked(claim) => Step::Volume,
        (true, true) => Step::Claim,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value};

    use super::*;

    #[test]
    fn the_volume_grows_before_the_claim_says_so() {
        let planned = |asked: &str, given: &str, capacity: &str, annotations: Value| {
            let claim = json!({"metadata": {"name": "c", "namespace": "n", "uid": "u",
                    "annotations": {volumes::BIND_COMPLETED: "yes"}},
                "spec": {"volumeName": "v", "resources": {"requests": {"storage": asked}}},
                "status": {"phase": "Bound", "capacity": {"storage": given}}});
            let volume = json!({"metadata": {"name": "v", "annotations": annotations},
                "spec": {"capacity": {"storage": capacity}, "claimRef": {"namespace": "n", "name": "c", "uid": "u"}}});
            plan(&from_value(claim).expect("a claim"), &from_value(volume).expect("a volume"))
        };
        let ours = || json!({volumes::PROVISIONED_BY: LOCAL_PATH});
        assert_eq!(planned("1Gi", "1Gi", "1Gi", ours()), Step::Nothing);
        assert_eq!(planned("2Gi", "1Gi", "1Gi", ours()), Step::Volume);
        assert_eq!(planned("2Gi", "1Gi", "2Gi", ours()), Step::Claim);
        assert_eq!(planned("1Gi", "2Gi", "2Gi", ours()), Step::Nothing);
        assert_eq!(planned("2Gi", "1Gi", "1Gi", json!({})), Step::Others);
    }
}
