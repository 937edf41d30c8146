//! The scheduler: which node runs a pod.
//!
//! ```text
//! pods, nodes ─► snapshot ─► place(pod, snapshot): filter ─► score ─► assume ─► bind (many at once) ─► informer confirms
//! ```
//!
//! One task owns all state. A decision is made against a [`Snapshot`] that counts pods as soon as they are placed, so
//! bindings need not be waited for. A pod that fits nowhere is parked until a node changes or a pod makes room.

mod affinity;
mod filter;
mod pending;
mod place;
mod score;
mod snapshot;
mod storage;
mod verdict;

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use k8s_openapi::api::core::v1::{Node, Pod, PodCondition};
use objects::{conditions, pods, time};

use crate::registry::{Api, Change, Informer};
use crate::status::Status;
use crate::work::{Context, Key, Recorder};
use pending::Pending;
use place::{Placement, place};
use snapshot::Snapshot;
use storage::{Bind, Storage};
use verdict::Verdict;

const NAME: &str = "default-scheduler";
/// So many bindings are under way at once.
const BINDINGS: usize = 256;
/// A binding that failed for no good reason is tried again after this long.
const RETRY: Duration = Duration::from_secs(1);

/// Places pods on nodes.
pub(crate) fn run(context: &Context) -> impl Future<Output = ()> + Send + use<> {
    Scheduler {
        nodes: context.registry.informer(),
        pods: context.registry.informer(),
        storage: Storage::new(context),
        api: context.registry.api().managed_by("kube-scheduler"),
        events: context.recorder(NAME),
        snapshot: Snapshot::default(),
        pending: Pending::default(),
        work: FuturesUnordered::new(),
    }
    .run()
}

struct Scheduler {
    nodes: Arc<Informer<Node>>,
    pods: Arc<Informer<Pod>>,
    storage: Storage,
    api: Api<Pod>,
    events: Recorder,
    snapshot: Snapshot,
    pending: Pending,
    work: FuturesUnordered<BoxFuture<'static, Done>>,
}

/// Something that was under way and ended.
enum Done {
    /// A pod was bound, or not.
    Bound { pod: Arc<Pod>, node: String, result: Result<(), Status> },
    /// A status was written, or not; the next change tries again.
    Reported,
    /// A pod is to be tried again.
    Retry(Key),
}

impl Scheduler {
    async fn run(mut self) {
        self.nodes.synced().await;
        self.pods.synced().await;
        self.storage.synced().await;
        let (mut claims, mut volumes) = (self.storage.claims.subscribe(), self.storage.volumes.subscribe());
        let mut classes = self.storage.classes.subscribe();
        let (mut nodes, mut pods) = (self.nodes.subscribe(), self.pods.subscribe());
        loop {
            let ready = self.work.len() < BINDINGS && self.pending.is_ready();
            tokio::select! {
                biased;
                Some(change) = nodes.recv() => self.node_changed(&change),
                Some(change) = pods.recv() => self.pod_changed(&change),
                Some(change) = claims.recv() => {
                    let namespace = change.object().and_then(|claim| claim.metadata.namespace.clone());
                    self.storage_changed(namespace.as_deref());
                }
                Some(_) = volumes.recv() => self.storage_changed(None),
                Some(_) = classes.recv() => self.storage_changed(None),
                Some(done) = self.work.next(), if !self.work.is_empty() => self.ended(done),
                () = std::future::ready(()), if ready => self.schedule_next(),
            }
        }
    }

    fn node_changed(&mut self, change: &Change<Node>) {
        let room = match (&change.old, &change.new) {
            (_, Some(node)) => self.snapshot.set_node(node.clone()),
            (Some(node), None) => {
                self.snapshot.remove_node(node.metadata.name.as_deref().unwrap_or_default());
                false
            }
            (None, None) => false,
        };
        if room {
            self.pending.wake_all();
        }
    }

    fn pod_changed(&mut self, change: &Change<Pod>) {
        let Some(pod) = change.object() else { return };
        let key = Key::of(&**pod);
        let over = change.new.is_none() || pods::is_terminal(pod);
        if over {
            self.pending.remove(&key);
            if self.snapshot.release(pod) {
                self.pending.wake_all();
            }
        } else if !pods::node(pod).is_empty() {
            self.pending.remove(&key);
            self.snapshot.assign(pod, pods::node(pod));
        } else if pods::is_terminating(pod) {
            self.pending.remove(&key);
        } else if is_ours(pod) && !self.snapshot.holds(pod) && wants_another_look(change) {
            self.pending.add(key, pod.spec.as_ref().and_then(|s| s.priority).unwrap_or(0));
        }
    }

    /// Pods with claims may fit now.
    fn storage_changed(&mut self, namespace: Option<&str>) {
        for key in self.pending.parked() {
            let pod = self.pods.get(&key.namespace, &key.name);
            let concerned = namespace.is_none_or(|namespace| *key.namespace == *namespace);
            if concerned && pod.is_some_and(|pod| objects::volumes::claims(&pod).next().is_some()) {
                self.pending.wake(key);
            }
        }
    }

    fn schedule_next(&mut self) {
        let Some(key) = self.pending.take() else { return };
        let Some(pod) = self.pods.get(&key.namespace, &key.name) else { return };
        if !pods::node(&pod).is_empty() || pods::is_terminating(&pod) || self.snapshot.holds(&pod) {
            return;
        }
        let is_node = |name: &str| self.snapshot.node(name).is_some();
        let storage = match self.storage.demand(&pod, is_node, |other| self.snapshot.holds(other)) {
            Ok(storage) => storage,
            Err(why) => {
                let verdict = Verdict::refused(self.snapshot.nodes().count(), why);
                return self.park(key, &pod, verdict.to_string());
            }
        };
        match place(&pod, &storage, &self.snapshot) {
            Placement::On(node) => {
                let binds = self.snapshot.node(&node).and_then(|found| storage.binds(found));
                self.bind(pod, node, binds.unwrap_or_default());
            }
            Placement::Nowhere(verdict) => self.park(key, &pod, verdict.to_string()),
        }
    }

    fn bind(&mut self, pod: Arc<Pod>, node: String, claims: Vec<Bind>) {
        self.snapshot.assign(&pod, &node);
        let (api, storage) = (self.api.clone(), self.storage.clone());
        self.work.push(
            async move {
                let result = match storage.bind(claims, &node).await {
                    Ok(()) => bind(&api, &pod, &node).await,
                    failed => failed,
                };
                Done::Bound { pod, node, result }
            }
            .boxed(),
        );
    }

    fn park(&mut self, key: Key, pod: &Pod, message: String) {
        if !self.pending.park(key, &message) {
            return;
        }
        self.events.warning(pod, "FailedScheduling", message.clone());
        let unschedulable = PodCondition {
            type_: "PodScheduled".to_owned(),
            status: "False".to_owned(),
            reason: Some("Unschedulable".to_owned()),
            message: Some(message),
            last_transition_time: Some(time::now()),
            ..PodCondition::default()
        };
        let mut pod = pod.clone();
        let held = pod.status.get_or_insert_default().conditions.get_or_insert_default();
        if !conditions::set(held, unschedulable) {
            return;
        }
        let api = self.api.clone();
        self.work.push(
            async move {
                if let Err(status) = api.update_status(&pod).await {
                    tracing::debug!(pod = %Key::of(&pod), %status, "the pod's condition was not written");
                }
                Done::Reported
            }
            .boxed(),
        );
    }

    fn ended(&mut self, done: Done) {
        match done {
            Done::Reported => {}
            Done::Retry(key) => self.pending.wake(key),
            Done::Bound { pod, node, result: Ok(()) } => {
                let message = format!("Successfully assigned {} to {node}", Key::of(&*pod));
                self.events.normal(&*pod, "Scheduled", message);
            }
            Done::Bound { pod, node, result: Err(status) } => {
                self.snapshot.release(&pod);
                if status.is_not_found() {
                    return;
                }
                let key = Key::of(&*pod);
                if status.code() == 500 {
                    self.events.warning(&*pod, "FailedScheduling", status.message());
                }
                tracing::debug!(pod = %key, node, %status, "the pod was not bound");
                self.work.push(tokio::time::sleep(RETRY).map(move |()| Done::Retry(key)).boxed());
            }
        }
    }
}

async fn bind(api: &Api<Pod>, pod: &Pod, node: &str) -> Result<(), Status> {
    let meta = &pod.metadata;
    let text = |text: &'_ Option<String>| text.clone().unwrap_or_default();
    api.bind(&text(&meta.namespace), &text(&meta.name), &text(&meta.uid), node).await
}

fn is_ours(pod: &Pod) -> bool {
    let Some(spec) = &pod.spec else { return false };
    let gated = spec.scheduling_gates.as_ref().is_some_and(|g| !g.is_empty());
    !gated && spec.scheduler_name.as_deref().is_none_or(|name| name.is_empty() || name == NAME)
}

/// A change of status alone is no reason to look again: the scheduler makes such changes itself.
fn wants_another_look(change: &Change<Pod>) -> bool {
    match (&change.old, &change.new) {
        (Some(old), Some(new)) => old.spec != new.spec || old.metadata.labels != new.metadata.labels,
        _ => true,
    }
}
