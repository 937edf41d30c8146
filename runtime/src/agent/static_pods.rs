//! Static pods: the node runs what lies in a folder, whatever the API says, and shows it there by mirrors.
//!
//! A file is a pod. It begins when the file comes, ends gracefully when it goes, and when it changes one follows the
//! other. The mirror is nothing but a picture: whoever deletes it gets another one.

pub mod folder;
pub mod manifest;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kube::api::{DeleteParams, PostParams, Preconditions};
use kube::{Api, Client, ResourceExt};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use crate::pod::kept::Kept;

use manifest::Step;

/// How soon a mirror that could not be made is tried again.
const RETRY: Duration = Duration::from_secs(5);
const DEFAULT_GRACE: i64 = 30;

/// Namespace and name.
type Name = (String, String);

/// The static pods of a node.
pub struct StaticPods {
    client: Client,
    node: String,
    node_uid: String,
    /// Those that run, or are on their way out.
    present: HashMap<Name, Present>,
    /// What the folder says.
    wanted: BTreeMap<Name, Pod>,
    /// The mirrors that the API has.
    mirrors: HashMap<Name, Arc<Pod>>,
}

/// One static pod with its worker.
struct Present {
    pod: watch::Sender<Arc<Kept<Pod>>>,
    /// The mirror as it is in the API.
    found: watch::Sender<Option<Arc<Pod>>>,
    /// None once the pod is to end.
    keeper: Option<AbortOnDropHandle<()>>,
}

/// A pod to begin: its worker's channels.
pub struct Begin {
    /// The pod.
    pub spec: watch::Receiver<Arc<Kept<Pod>>>,
    /// The uid of its mirror.
    pub mirror: watch::Receiver<Option<Arc<str>>>,
}

impl StaticPods {
    /// None yet.
    pub fn new(client: Client, node: String, node_uid: String) -> Self {
        let (present, wanted, mirrors) = <_>::default();
        Self { client, node, node_uid, present, wanted, mirrors }
    }

    /// The folder has been read.
    pub fn read(&mut self, pods: impl IntoIterator<Item = Pod>) {
        self.wanted.clear();
        for pod in pods {
            let name = name(&pod);
            if self.wanted.contains_key(&name) {
                tracing::warn!(pod = name.1, "two files hold a static pod of this name; one of them is passed over");
                continue;
            }
            self.wanted.insert(name, pod);
        }
        for (name, present) in &mut self.present {
            let same = |pod: &Pod| pod.metadata.uid == present.pod.borrow().look().metadata.uid;
            if !self.wanted.get(name).is_some_and(same) {
                present.end();
            }
        }
    }

    /// The pods that are to begin now: those whose name nobody has any more.
    pub fn begin(&mut self) -> Vec<Begin> {
        let new: Vec<_> = self.wanted.iter().filter(|(name, _)| !self.present.contains_key(*name)).collect();
        let mut begun = Vec::new();
        for (name, pod) in new {
            let mirror = self.mirrors.get(name).cloned();
            let mut pod = pod.clone();
            // What an earlier life of the node has told of it: its restarts go on.
            let same = mirror.as_ref().filter(|mirror| manifest::mirrored(mirror) == pod.metadata.uid.as_deref());
            pod.status = same.and_then(|mirror| mirror.status.clone());
            let pod = Arc::new(pod);
            let (found, finds) = watch::channel(mirror);
            let (tell, uid) = watch::channel(None);
            let keeper = keep(self.client.clone(), pod.clone(), self.node.clone(), self.node_uid.clone(), finds, tell);
            let (sender, spec) = watch::channel(Arc::new(Kept::new(pod)));
            let keeper = Some(AbortOnDropHandle::new(tokio::spawn(keeper)));
            self.present.insert(name.clone(), Present { pod: sender, found, keeper });
            begun.push(Begin { spec, mirror: uid });
        }
        begun
    }

    /// The worker of one has ended.
    pub fn ended(&mut self, pod: &Pod) {
        self.present.remove(&name(pod));
    }

    /// Takes note of an object of the API, if it is a mirror. False for any other.
    pub fn found(&mut self, pod: &Arc<Pod>) -> bool {
        if manifest::mirrored(pod).is_none() {
            return false;
        }
        let name = name(pod);
        match self.present.get(&name) {
            Some(present) => drop(present.found.send_replace(Some(pod.clone()))),
            None if !self.wanted.contains_key(&name) => self.remove_orphan(pod),
            None => {}
        }
        self.mirrors.insert(name, pod.clone());
        true
    }

    /// Takes note that an object is gone. False for any that was no mirror.
    pub fn lost(&mut self, pod: &Pod) -> bool {
        if manifest::mirrored(pod).is_none() {
            return false;
        }
        let name = name(pod);
        if self.mirrors.get(&name).is_some_and(|known| known.uid() == pod.uid()) {
            self.mirrors.remove(&name);
            if let Some(present) = self.present.get(&name) {
                present.found.send_replace(None);
            }
        }
        true
    }

    /// The uids under which they are on disk.
    pub fn uids(&self) -> impl Iterator<Item = String> {
        self.wanted.values().filter_map(|pod| pod.metadata.uid.clone())
    }

    /// A mirror whose file went while the node was down.
    fn remove_orphan(&self, mirror: &Arc<Pod>) {
        let (client, mirror) = (self.client.clone(), mirror.clone());
        tokio::spawn(async move {
            if let Err(error) = remove(&client, &mirror, &mirror.uid().unwrap_or_default()).await {
                tracing::warn!(pod = mirror.name_any(), %error, "the mirror of a static pod that is gone could not be removed");
            }
        });
    }
}

impl Present {
    /// Its file is gone. The worker removes the mirror when the pod has ended.
    fn end(&mut self) {
        if self.keeper.take().is_none() {
            return;
        }
        let mut pod = (*self.pod.borrow().look()).clone();
        let grace = pod.spec.as_ref().and_then(|spec| spec.termination_grace_period_seconds);
        pod.metadata.deletion_timestamp = Some(Time(Timestamp::now()));
        pod.metadata.deletion_grace_period_seconds = Some(grace.unwrap_or(DEFAULT_GRACE));
        self.pod.send_replace(Arc::new(Kept::new(pod)));
    }
}

/// Keeps one mirror as it should be, and tells its uid.
async fn keep(
    client: Client,
    pod: Arc<Pod>,
    node: String,
    node_uid: String,
    mut found: watch::Receiver<Option<Arc<Pod>>>,
    tell: watch::Sender<Option<Arc<str>>>,
) {
    loop {
        let there = found.borrow_and_update().clone();
        let step = manifest::plan(&pod, there.as_deref());
        let known = match &step {
            Step::Keep(uid) => Some(Arc::from(uid.as_str())),
            Step::Make | Step::Remove(_) => None,
        };
        tell.send_if_modified(|told| std::mem::replace(told, known.clone()) != known);
        let done = match &step {
            Step::Keep(_) => Ok(()),
            Step::Remove(uid) => remove(&client, &pod, uid).await,
            Step::Make => make(&client, &manifest::mirror(&pod, &node, &node_uid, Timestamp::now())).await,
        };
        // The watch tells what has come of it.
        let changed = match done {
            Ok(()) => found.changed().await,
            Err(error) => {
                tracing::warn!(pod = pod.name_any(), %error, "the mirror of a static pod cannot be kept");
                tokio::time::timeout(RETRY, found.changed()).await.unwrap_or(Ok(()))
            }
        };
        if changed.is_err() {
            return;
        }
    }
}

async fn make(client: &Client, mirror: &Pod) -> Result<(), kube::Error> {
    let namespace = mirror.metadata.namespace.as_deref().unwrap_or("default");
    let made = Api::<Pod>::namespaced(client.clone(), namespace).create(&PostParams::default(), mirror).await;
    match made {
        // The watch is about to tell of it.
        Err(kube::Error::Api(status)) if status.reason == "AlreadyExists" => Ok(()),
        made => made.map(drop),
    }
}

async fn remove(client: &Client, mirror: &Pod, uid: &str) -> Result<(), kube::Error> {
    let preconditions = Preconditions { uid: Some(uid.to_owned()), resource_version: None };
    let params =
        DeleteParams { grace_period_seconds: Some(0), preconditions: Some(preconditions), ..DeleteParams::default() };
    let namespace = mirror.metadata.namespace.as_deref().unwrap_or("default");
    match Api::<Pod>::namespaced(client.clone(), namespace).delete(&mirror.name_any(), &params).await {
        Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(()),
        removed => removed.map(drop),
    }
}

fn name(pod: &Pod) -> Name {
    (pod.namespace().unwrap_or_else(|| "default".to_owned()), pod.name_any())
}
