//! ReplicaSets and ReplicationControllers: so many pods of one template.
//!
//! Both kinds keep pods in the same way; what differs is behind [`Replicated`]. A reconcile claims the pods that the selector
//! takes, makes or deletes the difference in one go, and reports the counts.
//!
//! # Guarantees
//! Never more pods are made than asked for: what was made and is not shown by the informer yet is counted
//! ([`Overlay`]).

mod kinds;
mod orphans;
mod plan;
mod rank;
mod status;

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::{Pod, ReplicationController};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use objects::{owners, pods, time};

use super::claim;
use super::{Context, Key, Next, Overlay, Queue, Recorder, feed};
use crate::registry::{Api, Change, DeleteOptions, Informer};
use crate::status::Status;
use kinds::Replicated;
use orphans::Orphans;
use plan::Step;

/// So many owners are worked on at once.
const AT_ONCE: usize = 16;

/// Keeps ReplicaSets at their size.
pub(super) fn replica_sets(context: &Context) -> impl Future<Output = ()> + Send + use<> {
    Replicas::<ReplicaSet>::new(context).run()
}

/// Keeps ReplicationControllers at their size.
pub(super) fn replication_controllers(context: &Context) -> impl Future<Output = ()> + Send + use<> {
    Replicas::<ReplicationController>::new(context).run()
}

struct Replicas<K> {
    owners: Arc<Informer<K>>,
    pods: Arc<Informer<Pod>>,
    owner_api: Api<K>,
    pod_api: Api<Pod>,
    events: Recorder,
    unseen: Overlay<Pod>,
    orphans: Orphans,
    queue: Queue<Key>,
}

impl<K: Replicated> Replicas<K> {
    fn new(context: &Context) -> Self {
        Self {
            owners: context.registry.informer(),
            pods: context.registry.informer(),
            owner_api: context.api(),
            pod_api: context.api(),
            events: context.recorder(K::COMPONENT),
            unseen: Overlay::new(),
            orphans: Orphans::default(),
            queue: Queue::new(),
        }
    }

    async fn run(self) {
        self.owners.synced().await;
        self.pods.synced().await;
        futures::join!(
            feed(self.owners.subscribe(), |change| self.owner_changed(change)),
            feed(self.pods.subscribe(), |change| self.pod_changed(change)),
            self.queue.work(AT_ONCE, |key| self.reconcile(key)),
        );
    }

    fn owner_changed(&self, change: &Change<K>) {
        if let Some(object) = change.object() {
            self.queue.add(Key::of(&**object));
        }
        if let (Some(old), None) = (&change.old, &change.new) {
            self.unseen.forget(uid(old.metadata()));
        }
    }

    /// A pod is its owner's business; one without an owner is the business of all whose selector takes it.
    fn pod_changed(&self, change: &Change<Pod>) {
        self.orphans.observe(change);
        let was = change.old.as_deref().and_then(owner_key::<K>);
        let is = change.new.as_deref().and_then(owner_key::<K>);
        if let Some(new) = change.new.as_deref()
            && owners::controller_of(&new.metadata).is_none()
            && !orphans::same_labels(change)
        {
            self.wake_adopters(new);
        }
        if let Some(key) = was.filter(|was| Some(was) != is.as_ref()) {
            self.queue.add(key);
        }
        if let Some(key) = is {
            self.queue.add(key);
        }
    }

    fn wake_adopters(&self, pod: &Pod) {
        for owner in self.owners.list(pod.metadata.namespace.as_deref()) {
            if owner.selector().is_ok_and(|s| s.matches(pod.metadata.labels.as_ref())) {
                self.queue.add(Key::of(&*owner));
            }
        }
    }

    async fn reconcile(&self, key: Key) -> Result<Next, Status> {
        let Some(owner) = self.owners.get(&key.namespace, &key.name) else { return Ok(Next::Done) };
        let selector = match owner.selector() {
            Ok(selector) => selector,
            Err(error) => {
                tracing::warn!(%key, %error, "a selector that cannot be read; nothing is done for this object");
                return Ok(Next::Done);
            }
        };
        let mut candidates = self.owned(&*owner);
        candidates.extend(
            self.orphans
                .of(&key.namespace)
                .iter()
                .filter_map(|name| self.pods.get(&key.namespace, name).filter(|p| pods::is_active(p))),
        );
        let claimed = claim::all(&self.owner_api, &self.pod_api, &*owner, &selector, candidates).await?;
        let active: Vec<Arc<Pod>> = claimed.into_iter().filter(|p| pods::is_active(p)).collect();

        let (failure, left) = match plan::step(&*owner, &active, || self.of_family(&*owner)) {
            Step::Nothing => (None, active),
            Step::Create(count) => (self.create(&*owner, count).await.err(), self.active(&*owner)),
            Step::Delete(surplus) => (self.delete(&*owner, &surplus).await.err(), self.active(&*owner)),
        };
        let counts = status::count(&*owner, &left, &time::now());
        self.report(&*owner, &counts, failure.as_ref()).await?;
        match failure {
            Some(failure) => Err(failure.status),
            None => Ok(counts.available_in.map_or(Next::Done, |d| Next::After(d.max(Duration::from_millis(1))))),
        }
    }

    /// The pods that this object controls, unseen writes included.
    fn owned(&self, owner: &K) -> Vec<Arc<Pod>> {
        let uid = uid(owner.metadata());
        self.unseen.over(uid, self.pods.owned_by(uid), |pod| {
            let meta = &pod.metadata;
            let (namespace, name) =
                (meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default());
            self.pod_api.get(namespace, name).is_ok_and(|now| now.metadata.uid == meta.uid)
        })
    }

    /// The active pods of all siblings: a surplus pod goes first from the node that holds most of them.
    fn of_family(&self, owner: &K) -> Vec<Arc<Pod>> {
        let Some(parent) = owners::controller_of(owner.metadata()) else { return self.active(owner) };
        self.owners.owned_by(&parent.uid).iter().flat_map(|sibling| self.active(sibling)).collect()
    }

    fn active(&self, owner: &K) -> Vec<Arc<Pod>> {
        self.owned(owner).into_iter().filter(|p| pods::is_active(p)).collect()
    }

    /// Makes pods in batches that double while all goes well: a template that is refused is refused once, not a thousand
    /// times.
    async fn create(&self, owner: &K, count: usize) -> Result<(), Failure> {
        if !claim::is_there(&self.owner_api, owner) {
            return Ok(());
        }
        let template = plan::pod(owner);
        let mut left = count;
        let mut batch = 1;
        while left > 0 {
            let results = join_all((0..batch.min(left)).map(|_| self.pod_api.create(&template))).await;
            left -= results.len();
            batch *= 2;
            let mut failure = None;
            for result in results {
                match result {
                    Ok(pod) => self.created(owner, pod),
                    // The namespace is going, and this object with it.
                    Err(status) if is_terminating(&status) => return Ok(()),
                    Err(status) => failure = Some(status),
                }
            }
            if let Some(status) = failure {
                self.events.warning(owner, "FailedCreate", format!("Error creating: {}", status.message()));
                return Err(Failure { reason: "FailedCreate", status });
            }
        }
        Ok(())
    }

    fn created(&self, owner: &K, pod: Pod) {
        let name = pod.metadata.name.clone().unwrap_or_default();
        self.unseen.wrote(uid(owner.metadata()), Arc::new(pod));
        self.events.normal(owner, "SuccessfulCreate", format!("Created pod: {name}"));
    }

    async fn delete(&self, owner: &K, surplus: &[Arc<Pod>]) -> Result<(), Failure> {
        let results = join_all(surplus.iter().map(|pod| self.delete_one(owner, pod))).await;
        match results.into_iter().find_map(Result::err) {
            None => Ok(()),
            Some(status) => {
                self.events.warning(owner, "FailedDelete", format!("Error deleting: {}", status.message()));
                Err(Failure { reason: "FailedDelete", status })
            }
        }
    }

    async fn delete_one(&self, owner: &K, pod: &Pod) -> Result<(), Status> {
        let meta = &pod.metadata;
        let (namespace, name) =
            (meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default());
        let options = DeleteOptions { uid: meta.uid.clone(), ..DeleteOptions::default() };
        match self.pod_api.delete(namespace, name, &options).await {
            Ok(_) => {
                self.events.normal(owner, "SuccessfulDelete", format!("Deleted pod: {name}"));
            }
            Err(status) if status.is_not_found() => {}
            Err(status) => return Err(status),
        }
        // Marked or gone, it is no replica any more; the informer will say the same.
        self.unseen.deleted(uid(owner.metadata()), meta);
        Ok(())
    }

    async fn report(&self, owner: &K, counts: &status::Counts, failure: Option<&Failure>) -> Result<(), Status> {
        let failure = failure.map(|f| (f.reason, f.status.message()));
        let Some(updated) = owner.with_status(counts, failure, &time::now()) else { return Ok(()) };
        match self.owner_api.update_status(&updated).await {
            Err(status) if !status.is_not_found() => Err(status),
            _ => Ok(()),
        }
    }
}

/// What went wrong with pods, as the condition `ReplicaFailure` says it.
struct Failure {
    reason: &'static str,
    status: Status,
}

fn is_terminating(status: &Status) -> bool {
    let object = status.object();
    let causes = object.pointer("/details/causes").and_then(|c| c.as_array());
    causes.into_iter().flatten().any(|c| c["reason"] == "NamespaceTerminating")
}

fn owner_key<K: Replicated>(pod: &Pod) -> Option<Key> {
    let owner = owners::controller_of(&pod.metadata)?;
    let ours = owner.kind == K::KIND && owners::group(&owner.api_version) == K::GROUP;
    ours.then(|| Key::new(pod.metadata.namespace.as_deref().unwrap_or_default(), &owner.name))
}

fn uid(meta: &ObjectMeta) -> &str {
    meta.uid.as_deref().unwrap_or_default()
}
