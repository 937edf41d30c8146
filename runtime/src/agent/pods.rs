//! One watch on the pods of this node, handed out to one worker each.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use k8s_openapi::api::core::v1::{ObjectReference, Pod};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{Config, Event, watcher};
use kube::{Api, ResourceExt};
use objects::events::Level;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::directory::Directory;
use super::static_pods::folder::{self, Watch};
use super::static_pods::manifest::Invalid;
use super::static_pods::{Begin, StaticPods};
use crate::pod::ground::Ground;
use crate::pod::kept::Kept;
use crate::pod::start::log_directory;
use crate::pod::view::View;
use crate::pod::worker::Worker;
use crate::volume::empty_dir;

/// How long static pods wait for what the API knows of them.
const API_PATIENCE: Duration = Duration::from_secs(10);

/// Where a node's pods come from.
pub struct Origin {
    /// The API has those that are bound to this node …
    pub node: String,
    /// … which has this uid …
    pub uid: String,
    /// … and this folder those that it runs by itself.
    pub folder: Option<PathBuf>,
}

/// Serves until the node is to stop, and then until all pods have ended. Dropped, it drops the workers, and with them the
/// guests.
pub async fn serve(ground: Arc<Ground>, directory: Arc<Directory>, origin: Origin) {
    let Origin { node, uid, folder } = origin;
    let api: Api<Pod> = Api::all(ground.client.clone());
    let config = Config::default().fields(&format!("spec.nodeName={node}"));
    let mut events = std::pin::pin!(watcher(api, config).default_backoff());
    let statics = StaticPods::new(ground.client.clone(), node.clone(), uid.clone());
    let regarding = node_reference(&node);
    let mut pods = Pods { ground, directory, workers: HashMap::new(), statics, tasks: JoinSet::new() };
    let mut folder = folder.map(|path| Folder { watch: Watch::new(path.clone()), path, node, known: <_>::default() });
    if let Some(folder) = &mut folder {
        // Before the first sweep: what belongs to them is not to be taken for a leftover.
        folder.watch.changed().await;
        pods.read(folder, &regarding).await;
    }
    let mut listed: Option<HashSet<String>> = None;
    let mut synced = false;
    let patience = Instant::now() + API_PATIENCE;
    loop {
        let leaving = pods.ground.leaving.is_cancelled();
        if leaving && pods.tasks.is_empty() {
            return;
        }
        let event = tokio::select! {
            event = events.next() => event,
            () = pods.ground.leaving.cancelled(), if !leaving => continue,
            Some(ended) = pods.tasks.join_next() => {
                match ended {
                    Err(error) if error.is_panic() => {
                        tracing::error!(%error, "a pod's worker panicked; the pod is left alone");
                    }
                    Ok(Some(pod)) => pods.static_ended(&pod),
                    _ => {}
                }
                continue;
            }
            () = changed(&mut folder), if !leaving => {
                if let Some(folder) = &mut folder {
                    pods.read(folder, &regarding).await;
                    if synced {
                        pods.begin_statics();
                    }
                }
                continue;
            }
            // With no API to tell of their mirrors, they run all the same.
            () = sleep_until(patience), if !synced && folder.is_some() => {
                synced = true;
                pods.begin_statics();
                continue;
            }
        };
        match event {
            Some(Ok(Event::Init)) => listed = Some(HashSet::new()),
            Some(Ok(Event::InitApply(pod))) => {
                listed.get_or_insert_default().extend(pod.uid());
                pods.apply(pod);
            }
            Some(Ok(Event::InitDone)) => {
                let mut listed = listed.take().unwrap_or_default();
                pods.keep_only(&listed);
                if !std::mem::replace(&mut synced, true) {
                    listed.extend(pods.statics.uids());
                    pods.sweep(listed);
                }
                pods.begin_statics();
            }
            Some(Ok(Event::Apply(pod))) => pods.apply(pod),
            Some(Ok(Event::Delete(pod))) => {
                if !pods.statics.lost(&pod) {
                    pods.remove(&pod.uid().unwrap_or_default());
                }
            }
            Some(Err(error)) => tracing::warn!(%error, "watching the node's pods"),
            // A watcher goes on for ever.
            None => std::future::pending().await,
        }
    }
}

/// The node as kubelets refer to it in their events.
fn node_reference(node: &str) -> ObjectReference {
    let (kind, name) = (Some("Node".to_owned()), Some(node.to_owned()));
    ObjectReference { kind, uid: name.clone(), name, ..ObjectReference::default() }
}

/// The folder of static pods.
struct Folder {
    watch: Watch,
    path: PathBuf,
    node: String,
    /// The files that were complained of.
    known: BTreeMap<PathBuf, Invalid>,
}

async fn changed(folder: &mut Option<Folder>) {
    match folder {
        Some(folder) => folder.watch.changed().await,
        None => std::future::pending().await,
    }
}

struct Pods {
    ground: Arc<Ground>,
    directory: Arc<Directory>,
    /// The latest state of each pod, by uid. Its worker ends when the sender is dropped.
    workers: HashMap<String, watch::Sender<Arc<Kept<Pod>>>>,
    statics: StaticPods,
    /// The workers; one of a static pod ends with the pod.
    tasks: JoinSet<Option<Arc<Pod>>>,
}

impl Pods {
    fn apply(&mut self, mut pod: Pod) {
        // Who changed what is the largest part of many objects, and nothing to a node.
        pod.metadata.managed_fields = None;
        objects::pods::shrink(&mut pod);
        let Some(uid) = pod.uid() else { return };
        let pod = Arc::new(pod);
        if self.statics.found(&pod) {
            return;
        }
        if let Some(worker) = self.workers.get(&uid) {
            worker.send_replace(Arc::new(Kept::new(pod)));
            return;
        }
        let kept = Arc::new(Kept::new(pod.clone()));
        let view = self.enter(&pod, &kept);
        let (sender, spec) = watch::channel(kept);
        let worker = Box::new(Worker::new(self.ground.clone(), spec, view));
        self.tasks.spawn(worker.run().map(|()| None));
        self.workers.insert(uid, sender);
    }

    fn enter(&self, pod: &Pod, kept: &Arc<Kept<Pod>>) -> Arc<View> {
        let view = Arc::new(View::new(log_directory(&self.ground, pod), kept.clone()));
        self.directory.enter(pod, view.clone());
        view
    }

    fn begin_statics(&mut self) {
        for Begin { spec, mirror } in self.statics.begin() {
            let kept = spec.borrow().clone();
            let pod = kept.look();
            let view = self.enter(&pod, &kept);
            let worker = Box::new(Worker::new(self.ground.clone(), spec, view).with_mirror(mirror));
            self.tasks.spawn(worker.run().map(|()| Some(pod)));
        }
    }

    fn static_ended(&mut self, pod: &Pod) {
        self.directory.leave(pod);
        self.statics.ended(pod);
        if !self.ground.leaving.is_cancelled() {
            self.begin_statics();
        }
    }

    /// Reads the folder of static pods, and complains once of each file that holds none.
    async fn read(&mut self, folder: &mut Folder, regarding: &ObjectReference) {
        let (path, node) = (folder.path.clone(), folder.node.clone());
        let found = match tokio::task::spawn_blocking(move || folder::read(&path, &node)).await {
            Ok(Ok(found)) => found,
            // A folder that is not there yet, or not for a moment, ends no pod.
            _ => return,
        };
        for (path, error) in &found.invalid {
            if folder.known.get(path) != Some(error) {
                tracing::warn!(file = %path.display(), %error, "no static pod");
                let message = format!("Failed to process static pod file {:?}: {error}", path.display().to_string());
                self.ground.recorder.record(regarding, Level::Warning, "InvalidStaticPod", message);
            }
        }
        folder.known = found.invalid;
        self.statics.read(found.pods.into_values());
    }

    fn remove(&mut self, uid: &str) {
        if let Some(worker) = self.workers.remove(uid) {
            self.directory.leave(&worker.borrow().look());
        }
    }

    /// A new list is the whole truth.
    fn keep_only(&mut self, listed: &HashSet<String>) {
        let gone: Vec<_> = self.workers.keys().filter(|uid| !listed.contains(*uid)).cloned().collect();
        gone.iter().for_each(|uid| self.remove(uid));
    }

    /// Once, at the start: removes what is left on disk of pods that went while the node was down.
    fn sweep(&self, listed: HashSet<String>) {
        let (logs, pods, places) = (self.ground.logs.clone(), self.ground.pods.clone(), self.ground.places.clone());
        tokio::task::spawn_blocking(move || {
            let swept = logs.sweep(|uid| listed.contains(uid)).and_then(|()| sweep(&pods, &listed));
            let swept = swept.and_then(|()| empty_dir::sweep(&places, |uid| listed.contains(uid)));
            if let Err(error) = swept {
                tracing::warn!(%error, "what is left of old pods could not be removed");
            }
        });
    }
}

fn sweep(pods: &Path, listed: &HashSet<String>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(pods)? {
        let entry = entry?;
        if !entry.file_name().to_str().is_some_and(|uid| listed.contains(uid)) {
            std::fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}
