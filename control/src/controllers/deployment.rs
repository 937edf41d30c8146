//! Deployments: one ReplicaSet for each template, and an orderly way from the old ones to the new one.
//!
//! A reconcile finds the ReplicaSets, decides on one [`Step`] (make the new one, set its annotations, scale some, delete an
//! old one), takes it, and brings the status up to date. The watch brings it back for the next step. Numbers, names,
//! conditions and messages are upstream's, for `kubectl rollout` reads them.

mod annotations;
mod history;
mod limits;
mod new_set;
mod plan;
mod progress;
mod recreate;
mod rolling;
mod scaling;
mod sets;

use std::collections::HashMap;
use std::sync::Arc;

use k8s_openapi::api::apps::v1::{Deployment, DeploymentStatus, ReplicaSet};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use objects::selectors::LabelSelector;
use objects::{owners, pods, time};

use super::claim;
use super::{Context, Key, Next, Overlay, Queue, Recorder, feed};
use crate::registry::{Api, Change, DeleteOptions, Informer};
use crate::status::Status;
use plan::{Scale, Step};
use sets::Sets;

const AT_ONCE: usize = 16;

/// Rolls Deployments out.
pub(super) fn run(context: &Context) -> impl Future<Output = ()> + Send + use<> {
    Deployments {
        deployments: context.registry.informer(),
        sets: context.registry.informer(),
        pods: context.registry.informer(),
        api: context.api(),
        set_api: context.api(),
        events: context.recorder("deployment-controller"),
        unseen: Overlay::new(),
        queue: Queue::new(),
    }
    .run()
}

struct Deployments {
    deployments: Arc<Informer<Deployment>>,
    sets: Arc<Informer<ReplicaSet>>,
    pods: Arc<Informer<Pod>>,
    api: Api<Deployment>,
    set_api: Api<ReplicaSet>,
    events: Recorder,
    unseen: Overlay<ReplicaSet>,
    queue: Queue<Key>,
}

impl Deployments {
    async fn run(self) {
        self.deployments.synced().await;
        self.sets.synced().await;
        self.pods.synced().await;
        futures::join!(
            feed(self.deployments.subscribe(), |change| self.deployment_changed(change)),
            feed(self.sets.subscribe(), |change| self.set_changed(change)),
            feed(self.pods.subscribe(), |change| self.pod_changed(change)),
            self.queue.work(AT_ONCE, |key| self.reconcile(key)),
        );
    }

    fn deployment_changed(&self, change: &Change<Deployment>) {
        if let Some(object) = change.object() {
            self.queue.add(Key::of(&**object));
        }
        if let (Some(old), None) = (&change.old, &change.new) {
            self.unseen.forget(uid(&old.metadata));
        }
    }

    fn set_changed(&self, change: &Change<ReplicaSet>) {
        for set in change.old.iter().chain(&change.new) {
            if let Some(key) = owner_key(&set.metadata, "Deployment") {
                self.queue.add(key);
            }
        }
        if let Some(set) = change.new.as_ref().filter(|s| owners::controller_of(&s.metadata).is_none()) {
            for deployment in self.deployments.list(set.metadata.namespace.as_deref()) {
                if selector(&deployment).matches(set.metadata.labels.as_ref()) {
                    self.queue.add(Key::of(&*deployment));
                }
            }
        }
    }

    /// Recreate waits for the last old pod to be gone.
    fn pod_changed(&self, change: &Change<Pod>) {
        let (Some(pod), None) = (&change.old, &change.new) else { return };
        let Some(set) = owner_key(&pod.metadata, "ReplicaSet").and_then(|k| self.sets.get(&k.namespace, &k.name))
        else {
            return;
        };
        let Some(key) = owner_key(&set.metadata, "Deployment") else { return };
        if self.deployments.get(&key.namespace, &key.name).is_some_and(|d| limits::is_recreate(&d)) {
            self.queue.add(key);
        }
    }

    async fn reconcile(&self, key: Key) -> Result<Next, Status> {
        let Some(found) = self.deployments.get(&key.namespace, &key.name) else { return Ok(Next::Done) };
        let owned = self.claimed(&found).await?;
        let mut deployment = (*found).clone();
        let mut sets = Sets::find(&deployment, owned);
        if deployment.metadata.deletion_timestamp.is_some() {
            return self.report(&found, deployment, &sets).await;
        }
        if progress::note_pause(&mut deployment, &time::now()) {
            self.write(&deployment).await?;
            return Ok(Next::Done);
        }
        let live = self.live_pods(&deployment, &sets);
        match plan::step(&deployment, &sets, live) {
            Step::Settle => {}
            Step::Create(set) => self.create(&mut deployment, &mut sets, *set).await?,
            Step::Annotate(set) => self.annotate(&deployment, &mut sets, *set).await?,
            Step::Scale(scales) => self.scale(&deployment, &mut sets, &scales).await?,
            Step::Delete(gone) => self.delete(&gone).await?,
        }
        self.report(&found, deployment, &sets).await
    }

    async fn claimed(&self, deployment: &Deployment) -> Result<Vec<Arc<ReplicaSet>>, Status> {
        let uid = uid(&deployment.metadata);
        let namespace = deployment.metadata.namespace.as_deref().unwrap_or_default();
        let mut candidates = self.unseen.over(uid, self.sets.owned_by(uid), |set| {
            let name = set.metadata.name.as_deref().unwrap_or_default();
            self.set_api.get(namespace, name).is_ok_and(|now| now.metadata.uid == set.metadata.uid)
        });
        let orphans = self.sets.list(Some(namespace)).into_iter();
        candidates.extend(orphans.filter(|s| owners::controller_of(&s.metadata).is_none()));
        claim::all(&self.api, &self.set_api, deployment, &selector(deployment), candidates).await
    }

    /// Which sets have pods that have not ended, those on their way out included: only Recreate asks.
    fn live_pods(&self, deployment: &Deployment, sets: &Sets) -> HashMap<String, usize> {
        if !limits::is_recreate(deployment) {
            return HashMap::new();
        }
        let live = |set: &Arc<ReplicaSet>| {
            let uid = uid(&set.metadata);
            let count = self.pods.owned_by(uid).iter().filter(|p| !pods::is_terminal(p)).count();
            (uid.to_owned(), count)
        };
        sets.all().map(live).collect()
    }

    async fn create(&self, deployment: &mut Deployment, sets: &mut Sets, set: ReplicaSet) -> Result<(), Status> {
        if !claim::is_there(&self.api, deployment) {
            return Ok(());
        }
        let name = set.metadata.name.clone().unwrap_or_default();
        let replicas = sets::replicas(&set);
        let now = time::now();
        match self.set_api.create(&set).await {
            Ok(made) => {
                if replicas > 0 {
                    self.events.normal(
                        deployment,
                        "ScalingReplicaSet",
                        format!("Scaled up replica set {name} from 0 to {replicas}"),
                    );
                }
                progress::note_created(deployment, &name, &now);
                let made = Arc::new(made);
                self.unseen.wrote(uid(&deployment.metadata), made.clone());
                sets.new = Some(made);
                Ok(())
            }
            Err(status) if status.reason() == "AlreadyExists" => self.collided(deployment, sets, &set).await,
            Err(status) => {
                let message = format!("Failed to create new replica set {name:?}: {}", status.message());
                if progress::note_create_failed(deployment, &message, &now) {
                    self.write(deployment).await?;
                }
                self.events.warning(deployment, "ReplicaSetCreateError", message);
                Err(status)
            }
        }
    }

    /// The name is taken: by our own set that the informer does not show yet, or by a template with the same hash.
    async fn collided(&self, deployment: &mut Deployment, sets: &mut Sets, set: &ReplicaSet) -> Result<(), Status> {
        let namespace = set.metadata.namespace.as_deref().unwrap_or_default();
        let present = self.set_api.get(namespace, set.metadata.name.as_deref().unwrap_or_default())?;
        if owners::is_controlled_by(&present.metadata, uid(&deployment.metadata)) && sets::same_template(&present, set)
        {
            sets.new = Some(Arc::new(present));
            return Ok(());
        }
        let status = deployment.status.get_or_insert_default();
        status.collision_count = Some(status.collision_count.unwrap_or(0).saturating_add(1));
        self.write(deployment).await?;
        Err(Status::already_exists("replicasets.apps", set.metadata.name.as_deref().unwrap_or_default()))
    }

    async fn annotate(&self, deployment: &Deployment, sets: &mut Sets, set: ReplicaSet) -> Result<(), Status> {
        let updated = Arc::new(self.set_api.update(&set).await?);
        self.unseen.wrote(uid(&deployment.metadata), updated.clone());
        sets.new = Some(updated);
        Ok(())
    }

    async fn scale(&self, deployment: &Deployment, sets: &mut Sets, scales: &[Scale]) -> Result<(), Status> {
        for scale in scales {
            let Some(set) = sets.named(&scale.name) else { continue };
            let from = sets::replicas(set);
            let Some(scaled) = scaling::scaled(deployment, set, scale.to) else { continue };
            let updated = Arc::new(self.set_api.update(&scaled).await?);
            if from != scale.to {
                let direction = if scale.to > from { "up" } else { "down" };
                let message = format!("Scaled {direction} replica set {} from {from} to {}", scale.name, scale.to);
                self.events.normal(deployment, "ScalingReplicaSet", message);
            }
            self.unseen.wrote(uid(&deployment.metadata), updated.clone());
            sets.replace(updated);
        }
        Ok(())
    }

    async fn delete(&self, gone: &ReplicaSet) -> Result<(), Status> {
        let meta = &gone.metadata;
        let (namespace, name) =
            (meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default());
        let options = DeleteOptions { uid: meta.uid.clone(), ..DeleteOptions::default() };
        match self.set_api.delete(namespace, name, &options).await {
            Err(status) if !status.is_not_found() => Err(status),
            _ => Ok(()),
        }
    }

    /// Writes status and revision where they differ from what was found, else looks again when the deadline is near.
    async fn report(&self, found: &Deployment, mut deployment: Deployment, sets: &Sets) -> Result<Next, Status> {
        let now = time::now();
        if deployment.metadata.deletion_timestamp.is_none() {
            annotations::set_revision(&mut deployment, sets);
            progress::note_found(&mut deployment, sets, &now);
        }
        let before = deployment.status.clone().unwrap_or_default();
        let status = progress::status(&deployment, &before, sets, &now);
        let unchanged =
            Some(&status) == found.status.as_ref() || (found.status.is_none() && status == DeploymentStatus::default());
        if unchanged && deployment.metadata.annotations == found.metadata.annotations {
            return Ok(progress::look_again(&deployment, &status, &now));
        }
        deployment.status = Some(status);
        self.write(&deployment).await?;
        Ok(Next::Done)
    }

    /// Status and revision annotation in one write, as upstream's status endpoint takes them: the generation is a user's.
    async fn write(&self, deployment: &Deployment) -> Result<(), Status> {
        match self.api.update_status(deployment).await {
            Err(status) if !status.is_not_found() => Err(status),
            _ => Ok(()),
        }
    }
}

fn owner_key(meta: &ObjectMeta, kind: &str) -> Option<Key> {
    let owner = owners::controller_of(meta).filter(|o| o.kind == kind && owners::group(&o.api_version) == "apps")?;
    Some(Key::new(meta.namespace.as_deref().unwrap_or_default(), &owner.name))
}

fn selector(deployment: &Deployment) -> LabelSelector {
    let selector = deployment.spec.as_ref().map(|s| &s.selector);
    match LabelSelector::of(selector) {
        // Validation refuses an empty selector; should one be there, it is not taken for "everything".
        Ok(selector) if !selector.is_everything() => selector,
        _ => LabelSelector::nothing(),
    }
}

fn uid(meta: &ObjectMeta) -> &str {
    meta.uid.as_deref().unwrap_or_default()
}
