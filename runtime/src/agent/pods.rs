//! One watch on the pods of this node, handed out to one worker each.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;

use futures::StreamExt;
use k8s_openapi::api::core::v1::Pod;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{Config, Event, watcher};
use kube::{Api, ResourceExt};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::directory::Directory;
use crate::pod::ground::Ground;
use crate::pod::start::log_directory;
use crate::pod::view::View;
use crate::pod::worker::Worker;
use crate::volume::empty_dir;

/// Serves for ever. Dropped, it drops the workers, and with them the guests.
pub async fn serve(ground: Arc<Ground>, directory: Arc<Directory>, node: &str) -> Infallible {
    let api: Api<Pod> = Api::all(ground.client.clone());
    let config = Config::default().fields(&format!("spec.nodeName={node}"));
    let mut events = std::pin::pin!(watcher(api, config).default_backoff());
    let mut pods = Pods { ground, directory, workers: HashMap::new(), tasks: JoinSet::new() };
    let mut listed: Option<HashSet<String>> = None;
    let mut swept = false;
    loop {
        let event = tokio::select! {
            event = events.next() => event,
            Some(ended) = pods.tasks.join_next() => {
                if let Err(error) = ended && error.is_panic() {
                    tracing::error!(%error, "a pod's worker panicked; the pod is left alone");
                }
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
                let listed = listed.take().unwrap_or_default();
                pods.keep_only(&listed);
                if !std::mem::replace(&mut swept, true) {
                    pods.sweep(listed);
                }
            }
            Some(Ok(Event::Apply(pod))) => pods.apply(pod),
            Some(Ok(Event::Delete(pod))) => pods.remove(&pod.uid().unwrap_or_default()),
            Some(Err(error)) => tracing::warn!(%error, "watching the node's pods"),
            // A watcher goes on for ever.
            None => std::future::pending().await,
        }
    }
}

struct Pods {
    ground: Arc<Ground>,
    directory: Arc<Directory>,
    /// The latest state of each pod, by uid. Its worker ends when the sender is dropped.
    workers: HashMap<String, watch::Sender<Arc<Pod>>>,
    tasks: JoinSet<()>,
}

impl Pods {
    fn apply(&mut self, mut pod: Pod) {
        // Who changed what is the largest part of many objects, and nothing to a node.
        pod.metadata.managed_fields = None;
        objects::pods::shrink(&mut pod);
        let Some(uid) = pod.uid() else { return };
        let pod = Arc::new(pod);
        if let Some(worker) = self.workers.get(&uid) {
            worker.send_replace(pod);
            return;
        }
        let view = Arc::new(View::new(log_directory(&self.ground, &pod), pod.clone()));
        self.directory.enter(&pod, view.clone());
        let (sender, spec) = watch::channel(pod);
        self.tasks.spawn(Worker::new(self.ground.clone(), spec, view).run());
        self.workers.insert(uid, sender);
    }

    fn remove(&mut self, uid: &str) {
        if let Some(worker) = self.workers.remove(uid) {
            self.directory.leave(&worker.borrow());
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
