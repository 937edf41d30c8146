//! Claims and volumes are bound to each other.
//!
//! ```text
//! claim ─► a volume that will do, or a word to its provisioner ─► volume.claimRef ─► claim.volumeName ─► both Bound
//! ```
//!
//! A binding is four writes, each a step of its own that the next one follows from; whoever is interrupted goes on where
//! the objects are. What is to be done is decided by [`claim::plan`] and [`volume::plan`]. A claim whose class waits for
//! a pod is left to the scheduler, which names a node or reserves a volume.

mod claim;
mod volume;

use std::sync::Arc;

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod};
use k8s_openapi::api::storage::v1::StorageClass;
use objects::events::Level;
use objects::{time, volumes};
use serde_json::{Value, json};

use super::{Context, Key, Next, Overlay, Queue, Recorder, feed};
use crate::registry::{Api, Informer};
use crate::status::Status;

/// One at a time: each decision is about all volumes.
const AT_ONCE: usize = 1;

/// Binds; a key without a namespace is a volume's.
pub(super) fn run(context: &Context) -> impl Future<Output = ()> + Send + use<> {
    Binder {
        claims: context.registry.informer(),
        volumes: context.registry.informer(),
        classes: context.registry.informer(),
        pods: context.registry.informer(),
        claim_api: context.api(),
        volume_api: context.api(),
        events: context.recorder("persistentvolume-controller"),
        written: Overlay::new(),
        queue: Queue::new(),
    }
    .run()
}

struct Binder {
    claims: Arc<Informer<PersistentVolumeClaim>>,
    volumes: Arc<Informer<PersistentVolume>>,
    classes: Arc<Informer<StorageClass>>,
    pods: Arc<Informer<Pod>>,
    claim_api: Api<PersistentVolumeClaim>,
    volume_api: Api<PersistentVolume>,
    events: Recorder,
    /// Volumes as they were written: two claims must not be given one volume.
    written: Overlay<PersistentVolume>,
    queue: Queue<Key>,
}

/// There is one owner of all volumes.
const ALL: &str = "";

impl Binder {
    async fn run(self) {
        self.claims.synced().await;
        self.volumes.synced().await;
        self.classes.synced().await;
        self.pods.synced().await;
        futures::join!(
            feed(self.claims.subscribe(), |change| {
                let Some(claim) = change.object() else { return };
                self.queue.add(Key::of(&**claim));
                volumes::volume_of(claim).into_iter().for_each(|name| self.queue.add(Key::new("", name)));
            }),
            feed(self.volumes.subscribe(), |change| {
                let Some(volume) = change.object() else { return };
                self.queue.add(Key::of(&**volume));
                match claim_key(volume) {
                    Some(claim) => self.queue.add(claim),
                    None => self.wake(|claim| volumes::class_of(claim) == volumes::class_of_volume(volume)),
                }
            }),
            feed(self.classes.subscribe(), |change| {
                let Some(class) = &change.new else { return };
                let opens = volumes::is_default(class);
                let named = |claim: &PersistentVolumeClaim| volumes::class_of(claim) == class.metadata.name.as_deref();
                self.wake(|claim| named(claim) || (opens && volumes::leaves_class_open(claim)));
            }),
            self.queue.work(AT_ONCE, |key| self.reconcile(key)),
        );
    }

    /// Looks again at claims that have no volume.
    fn wake(&self, which: impl Fn(&PersistentVolumeClaim) -> bool) {
        let unbound = self.claims.list(None).into_iter().filter(|claim| !volumes::is_bound(claim));
        unbound.filter(|claim| which(claim)).for_each(|claim| self.queue.add(Key::of(&*claim)));
    }

    async fn reconcile(&self, key: Key) -> Result<Next, Status> {
        let done = match &*key.namespace {
            "" => self.reconcile_volume(&key.name).await,
            namespace => self.reconcile_claim(namespace, &key.name).await,
        };
        match done {
            // Whoever was first has changed it, which brings us back.
            Err(status) if !status.is_not_found() => Err(status),
            _ => Ok(Next::Done),
        }
    }

    fn all_volumes(&self) -> Vec<Arc<PersistentVolume>> {
        let exists = |volume: &PersistentVolume| self.volume_api.get("", name(volume)).is_ok();
        self.written.over(ALL, self.volumes.list(None), exists)
    }

    fn step(&self, claim: &PersistentVolumeClaim) -> claim::Step {
        let volumes = self.all_volumes();
        let class = volumes::class_of(claim).and_then(|class| self.classes.get("", class));
        let consumer = || self.unscheduled_pod(claim);
        let default = self.default_class();
        let seen = claim::Seen { volumes: &volumes, class: class.as_deref(), default, consumer: &consumer };
        claim::plan(claim, &seen)
    }

    async fn reconcile_claim(&self, namespace: &str, name: &str) -> Result<(), Status> {
        let Some(claim) = self.claims.get(namespace, name) else { return Ok(()) };
        let step = self.step(&claim);
        if let Some((level, reason, message)) = step.event() {
            match level {
                Level::Normal => self.events.normal(&*claim, reason, message),
                Level::Warning => self.events.warning(&*claim, reason, message),
            }
        }
        match step {
            claim::Step::Nothing | claim::Step::Tell(..) => Ok(()),
            claim::Step::Take(volume) => self.take(&claim, &volume).await,
            claim::Step::Complete { volume, by_us } => {
                let mut annotations = json!({volumes::BIND_COMPLETED: "yes"});
                if by_us {
                    annotations[volumes::BOUND_BY_CONTROLLER] = "yes".into();
                }
                self.patch_claim(&claim, json!({"annotations": annotations}), json!({"volumeName": volume})).await
            }
            claim::Step::Report { phase, volume } => {
                let spec = volume.as_ref().and_then(|volume| volume.spec.as_ref());
                let status = json!({"status": {"phase": phase,
                    "accessModes": spec.and_then(|spec| spec.access_modes.as_ref()),
                    "capacity": spec.and_then(|spec| spec.capacity.as_ref())}});
                self.claim_api.patch_status_merge(namespace, name, status).await.map(drop)
            }
            claim::Step::Lose(..) => {
                let status = json!({"status": {"phase": "Lost", "accessModes": null, "capacity": null}});
                self.claim_api.patch_status_merge(namespace, name, status).await.map(drop)
            }
            claim::Step::Order(provisioner) => {
                let marks = json!({volumes::PROVISIONER: provisioner, volumes::OLD_PROVISIONER: provisioner});
                self.patch_claim(&claim, json!({"annotations": marks}), json!({})).await
            }
            claim::Step::Classify(class) => {
                self.patch_claim(&claim, json!({}), json!({"storageClassName": class})).await
            }
        }
    }

    async fn patch_claim(&self, claim: &PersistentVolumeClaim, mut meta: Value, spec: Value) -> Result<(), Status> {
        meta["uid"] = json!(claim.metadata.uid);
        meta["resourceVersion"] = json!(claim.metadata.resource_version);
        let key = Key::of(claim);
        let patch = json!({"metadata": meta, "spec": spec});
        self.claim_api.patch_merge(&key.namespace, &key.name, patch).await.map(drop)
    }

    /// The volume is the claim's from here on.
    async fn take(&self, claim: &PersistentVolumeClaim, volume: &PersistentVolume) -> Result<(), Status> {
        let (meta, of) = (&volume.metadata, &claim.metadata);
        let kept = volume.spec.as_ref().is_some_and(|spec| spec.claim_ref.is_some());
        let reference = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": of.namespace,
            "name": of.name, "uid": of.uid, "resourceVersion": of.resource_version});
        let mut patch = json!({
            "metadata": {"uid": meta.uid, "resourceVersion": meta.resource_version},
            "spec": {"claimRef": reference},
        });
        if !kept {
            patch["metadata"]["annotations"] = json!({volumes::BOUND_BY_CONTROLLER: "yes"});
        }
        let taken = self.volume_api.patch_merge("", name(volume), patch).await?;
        self.written.wrote(ALL, Arc::new(taken));
        // The informer may have nothing new to say of the claim.
        self.queue.add(Key::of(claim));
        Ok(())
    }

    async fn reconcile_volume(&self, name: &str) -> Result<(), Status> {
        let Some(volume) = self.volumes.get("", name) else { return Ok(()) };
        let owner = claim_key(&volume).map(|key| match self.claims.get(&key.namespace, &key.name) {
            // A volume may be known before its claim is.
            None => self.claim_api.get(&key.namespace, &key.name).ok().map(Arc::new),
            found => found,
        });
        let step = volume::plan(&volume, owner.flatten().as_deref());
        let meta = &volume.metadata;
        match step {
            volume::Step::Nothing => Ok(()),
            volume::Step::Report { phase, message } => {
                if phase == "Failed" {
                    let reason = volume::failure_reason(&volume);
                    self.events.warning(&*volume, reason, message.clone().unwrap_or_default());
                }
                let status = json!({"status": {"phase": phase, "message": message,
                    "lastPhaseTransitionTime": time::text(&time::now())}});
                self.volume_api.patch_status_merge("", name, status).await.map(drop)
            }
            volume::Step::Free { by_us } => {
                let mut patch = json!({"metadata": {"uid": meta.uid, "resourceVersion": meta.resource_version}});
                match by_us {
                    true => {
                        patch["metadata"]["annotations"] = json!({volumes::BOUND_BY_CONTROLLER: null});
                        patch["spec"] = json!({"claimRef": null});
                    }
                    false => patch["spec"] = json!({"claimRef": {"uid": null, "resourceVersion": null}}),
                }
                self.volume_api.patch_merge("", name, patch).await.map(drop)
            }
        }
    }

    /// A pod without a node that uses the claim.
    fn unscheduled_pod(&self, claim: &PersistentVolumeClaim) -> Option<String> {
        let (namespace, wanted) = (claim.metadata.namespace.as_deref(), claim.metadata.name.as_deref());
        let pods = self.pods.list(namespace);
        let waiting = pods.iter().filter(|pod| objects::pods::node(pod).is_empty());
        let mut users = waiting.filter(|pod| volumes::claims(pod).any(|(_, name)| Some(name.as_str()) == wanted));
        users.next().and_then(|pod| pod.metadata.name.clone())
    }

    fn default_class(&self) -> Option<String> {
        let classes = self.classes.list(None);
        let defaults = classes.iter().filter(|class| volumes::is_default(class));
        let newest = defaults.max_by_key(|class| class.metadata.creation_timestamp.as_ref().map(|time| time.0));
        newest.and_then(|class| class.metadata.name.clone())
    }
}

fn name(volume: &PersistentVolume) -> &str {
    volume.metadata.name.as_deref().unwrap_or_default()
}

fn claim_key(volume: &PersistentVolume) -> Option<Key> {
    let reference = volume.spec.as_ref()?.claim_ref.as_ref()?;
    Some(Key::new(reference.namespace.as_deref()?, reference.name.as_deref()?))
}
