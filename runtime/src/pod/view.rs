//! What others may see of a pod's worker: the agent's server answers from it.

use std::path::PathBuf;
use std::sync::{Arc, Weak};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod, PodStatus};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::kept::Kept;
use super::resize::Amounts;
use crate::container::Handle;
use crate::logs::{self, Sink, Source};
use crate::stats::{ContainerSample, PodSample};

/// A pod as it is now.
#[derive(Debug)]
pub struct View {
    directory: PathBuf,
    now: Mutex<Now>,
    /// Why the node gives the pod up, until its worker has heard.
    given_up: Mutex<Option<String>>,
    giving_up: Notify,
}

#[derive(Debug)]
struct Now {
    pod: Arc<Kept<Pod>>,
    status: Arc<Kept<PodStatus>>,
    /// The last two instances of each container.
    sinks: Vec<(String, u32, Arc<Sink>)>,
    /// The containers that run. They go by themselves.
    running: Vec<(String, Weak<Handle>)>,
}

/// Why there are no logs, in a kubelet's words.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NoLogs {
    /// The pod has no such container.
    #[error("container {container:?} in pod {pod:?} is not available")]
    Unavailable {
        /// What was asked for.
        container: String,
        /// In which pod.
        pod: String,
    },
    /// There was no instance before this one.
    #[error("previous terminated container {container:?} in pod {pod:?} not found")]
    NoPrevious {
        /// What was asked for.
        container: String,
        /// In which pod.
        pod: String,
    },
    /// It has not started.
    #[error("container {container:?} in pod {pod:?} is waiting to start: {reason}")]
    Waiting {
        /// What was asked for.
        container: String,
        /// In which pod.
        pod: String,
        /// Why.
        reason: String,
    },
}

impl View {
    /// A pod whose logs are in `directory`.
    pub fn new(directory: PathBuf, pod: Arc<Kept<Pod>>) -> Self {
        let status = Arc::new(Kept::new(pod.look().status.clone().unwrap_or_default()));
        let now = Mutex::new(Now { pod, status, sinks: Vec::new(), running: Vec::new() });
        Self { directory, now, given_up: Mutex::default(), giving_up: Notify::new() }
    }

    /// The pod has changed.
    pub fn set_pod(&self, pod: Arc<Kept<Pod>>) {
        self.now.lock().pod = pod;
    }

    /// Its status has.
    pub fn set_status(&self, status: Arc<Kept<PodStatus>>) {
        self.now.lock().status = status;
    }

    /// A container has a new instance.
    pub fn add_sink(&self, container: &str, instance: u32, sink: Arc<Sink>) {
        let sinks = &mut self.now.lock().sinks;
        sinks.retain(|(name, older, _)| name != container || older + 1 == instance);
        sinks.push((container.to_owned(), instance, sink));
    }

    /// Waits until nobody follows the pod's logs any more.
    pub async fn unfollowed(&self) {
        let sinks: Vec<_> = self.now.lock().sinks.iter().map(|(_, _, sink)| sink.clone()).collect();
        for sink in sinks {
            sink.unfollowed().await;
        }
    }

    /// A container runs.
    pub fn add_running(&self, container: &str, handle: &Arc<Handle>) {
        let running = &mut self.now.lock().running;
        running.retain(|(name, older)| name != container && older.strong_count() > 0);
        running.push((container.to_owned(), Arc::downgrade(handle)));
    }

    /// The container of that name, if it runs.
    pub fn handle(&self, container: &str) -> Option<Arc<Handle>> {
        self.now.lock().running.iter().find(|(name, _)| name == container)?.1.upgrade()
    }

    /// The pod with its present status.
    pub fn pod(&self) -> Pod {
        let (pod, ours) = self.look();
        let theirs = pod.status.as_ref();
        let qos_class = theirs.and_then(|status| status.qos_class.clone());
        Pod { status: Some(PodStatus { qos_class, ..(*ours).clone() }), ..(*pod).clone() }
    }

    fn look(&self) -> (Arc<Pod>, Arc<PodStatus>) {
        let now = self.now.lock();
        (now.pod.look(), now.status.look())
    }

    /// What it asks the node for; nothing once it is over.
    pub fn asked(&self) -> Amounts {
        let (pod, status) = self.look();
        match status.phase.as_deref() {
            Some("Succeeded" | "Failed") => Amounts::default(),
            _ => Amounts::asked_by(&pod),
        }
    }

    /// Where its logs are.
    pub fn logs(&self) -> &std::path::Path {
        &self.directory
    }

    /// The node gives the pod up, for this reason.
    pub fn evict(&self, words: String) {
        *self.given_up.lock() = Some(words);
        self.giving_up.notify_one();
    }

    /// Waits until the node gives the pod up.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn evicted(&self) -> String {
        loop {
            if let Some(words) = self.given_up.lock().take() {
                return words;
            }
            self.giving_up.notified().await;
        }
    }

    /// What its running containers use now.
    pub fn sample(&self) -> PodSample {
        let (pod, status) = self.look();
        let now = self.now.lock();
        let all = [&status.init_container_statuses, &status.container_statuses, &status.ephemeral_container_statuses];
        let containers = all.into_iter().flatten().flatten().filter_map(|told| {
            let running = told.state.as_ref()?.running.as_ref()?;
            let (_, handle) = now.running.iter().find(|(name, _)| *name == told.name)?;
            Some(ContainerSample {
                name: told.name.clone(),
                id: told.container_id.clone().unwrap_or_default(),
                image: told.image.clone(),
                started: running.started_at.as_ref().map_or(Timestamp::UNIX_EPOCH, |time| time.0),
                usage: handle.upgrade()?.meter().usage(),
            })
        });
        let meta = &pod.metadata;
        PodSample {
            namespace: meta.namespace.clone().unwrap_or_default(),
            name: meta.name.clone().unwrap_or_default(),
            uid: meta.uid.clone().unwrap_or_default(),
            started: status.start_time.as_ref().map(|time| time.0),
            containers: containers.collect(),
        }
    }

    /// The log of one instance of a container, whatever its status says.
    pub fn instance_log(&self, container: &str, instance: u32) -> Source {
        let now = self.now.lock();
        let sink = now.sinks.iter().find(|(name, number, _)| name == container && *number == instance);
        let path = logs::instance_path(&self.directory, container, instance);
        Source { path, sink: sink.map(|(_, _, sink)| sink.clone()) }
    }

    /// The log of a container, or of the instance before the present one.
    pub fn log(&self, container: &str, previous: bool) -> Result<Source, NoLogs> {
        let (pod, status) = self.look();
        let pod = pod.metadata.name.as_deref().unwrap_or_default();
        let instance = instance(&status, pod, container, previous)?;
        Ok(self.instance_log(container, instance))
    }
}

/// Which instance is meant. The number of an instance is the restart count it was started with.
fn instance(status: &PodStatus, pod: &str, container: &str, previous: bool) -> Result<u32, NoLogs> {
    let lists = [&status.container_statuses, &status.init_container_statuses, &status.ephemeral_container_statuses];
    let all = lists.into_iter().flatten().flatten();
    let (name, pod) = (container.to_owned(), pod.to_owned());
    let Some(found) = all.into_iter().find(|status| status.name == container) else {
        return Err(NoLogs::Unavailable { container: name, pod });
    };
    let present = u32::try_from(found.restart_count).unwrap_or(0);
    let (begun, last, reason) = facts(found);
    match (previous, begun, last) {
        // While a container waits for its next start, its last instance is both the present and the previous one.
        (true, false, true) | (false, false, true) | (false, true, _) => Ok(present),
        (true, true, true) if present > 0 => Ok(present - 1),
        (true, _, _) => Err(NoLogs::NoPrevious { container: name, pod }),
        (false, false, false) => {
            let reason = match reason {
                "ErrImagePull" => "image can't be pulled",
                "ImagePullBackOff" => "trying and failing to pull image",
                reason => reason,
            };
            Err(NoLogs::Waiting { container: name, pod, reason: reason.to_owned() })
        }
    }
}

/// Whether it runs or has ended, whether there was one before, and what it waits for.
fn facts(status: &ContainerStatus) -> (bool, bool, &str) {
    let state = status.state.as_ref();
    let begun = state.is_some_and(|state| state.running.is_some() || state.terminated.is_some());
    let last = status.last_state.as_ref().is_some_and(|last| last.terminated.is_some());
    let waiting = state.and_then(|state| state.waiting.as_ref()).and_then(|waiting| waiting.reason.as_deref());
    (begun, last, waiting.unwrap_or("ContainerCreating"))
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn the_instance_is_found_by_the_state() {
        let waiting = |reason: &str| json!({"waiting": {"reason": reason}});
        let ended = json!({"terminated": {"exitCode": 1}});
        let running = json!({"running": {}});
        let cases = [
            (
                waiting("ContainerCreating"),
                json!({}),
                0,
                false,
                Err::<u32, &str>("is waiting to start: ContainerCreating"),
            ),
            (waiting("ErrImagePull"), json!({}), 0, false, Err("is waiting to start: image can't be pulled")),
            (running.clone(), json!({}), 0, false, Ok(0)),
            (running.clone(), json!({}), 0, true, Err("previous terminated container \"c\" in pod \"p\" not found")),
            (running, ended.clone(), 3, true, Ok(2)),
            (waiting("CrashLoopBackOff"), ended.clone(), 3, false, Ok(3)),
            (waiting("CrashLoopBackOff"), ended, 3, true, Ok(3)),
        ];
        for (state, last, restarts, previous, expected) in cases {
            let status: PodStatus = from_value(json!({"containerStatuses": [{
                "name": "c", "image": "i", "imageID": "", "ready": true, "restartCount": restarts,
                "state": state, "lastState": last,
            }]}))
            .expect("status");
            match (instance(&status, "p", "c", previous), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err(error), Err(expected)) => assert!(error.to_string().contains(expected), "{error}"),
                (found, expected) => panic!("{found:?} instead of {expected:?}"),
            }
        }
        let error = instance(&PodStatus::default(), "p", "x", false).expect_err("unknown");
        assert_eq!(error.to_string(), "container \"x\" in pod \"p\" is not available");
    }
}
