//! The loop: look, say how the node is, make room, give up a pod.

use std::collections::HashSet;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{ObjectReference, Pod};
use objects::events::Level;
use objects::pods::{QosClass, qos_class};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::rank::{self, Candidate};
use super::signals::{self, Level as Left};
use super::threshold::{Signal, Threshold, Thresholds};
use crate::agent::directory::Directory;
use crate::agent::recorder::Recorder;
use crate::engine::Engine;
use crate::image::{Collector, Store};
use crate::pod::storage;
use crate::pod::view::View;

/// Between two looks: a kubelet's.
const INTERVAL: Duration = Duration::from_secs(10);
/// What a pod held is given back within this; until then nobody else goes.
const CLEANUP: Duration = Duration::from_secs(30);
/// How long a pressure must be over before the node says so, or it would flap.
const TRANSITION: Duration = Duration::from_secs(300);

/// What the node is short of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pressure {
    /// `MemoryPressure`
    pub memory: bool,
    /// `DiskPressure`
    pub disk: bool,
}

impl Pressure {
    /// Why a pod is not taken on at present, in a kubelet's words. Under mere memory pressure those come in that asked for
    /// what they need.
    pub fn refuses(self, pod: &Pod) -> Option<String> {
        if rank::is_critical(pod) {
            return None;
        }
        let tolerated = || {
            let tolerations = pod.spec.as_ref().and_then(|spec| spec.tolerations.as_deref()).unwrap_or_default();
            tolerations.iter().any(|t| t.key.as_deref() == Some("node.kubernetes.io/memory-pressure"))
        };
        let conditions = match (self.memory, self.disk) {
            (_, true) if self.memory => "MemoryPressure DiskPressure",
            (_, true) => "DiskPressure",
            (true, _) if qos_class(pod) == QosClass::BestEffort && !tolerated() => "MemoryPressure",
            _ => return None,
        };
        Some(format!("The node had condition: [{conditions}]. "))
    }
}

/// What the loop is made of.
pub struct Manager {
    /// When to act.
    pub thresholds: Thresholds,
    /// The pods.
    pub directory: Arc<Directory>,
    /// Where pods keep their files, by uid.
    pub pods: PathBuf,
    /// Events.
    pub recorder: Recorder,
    /// The node, for its events.
    pub node: ObjectReference,
    /// Images that nobody uses make room first.
    pub images: Store,
    /// And compiled code that nothing runs, before them.
    pub engine: Engine,
    /// Told of what the node is short of.
    pub pressure: watch::Sender<Pressure>,
}

/// When each pressure was last there.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    memory: Option<Instant>,
    disk: Option<Instant>,
}

impl Seen {
    fn note(&mut self, met: &[(Threshold, Left)], now: Instant) {
        for (threshold, _) in met {
            match threshold.signal {
                Signal::Memory => self.memory = Some(now),
                Signal::Disk | Signal::Inodes => self.disk = Some(now),
            }
        }
    }

    fn pressure(self, now: Instant) -> Pressure {
        let lately = |seen: Option<Instant>| seen.is_some_and(|seen| now - seen < TRANSITION);
        Pressure { memory: lately(self.memory), disk: lately(self.disk) }
    }
}

impl Manager {
    /// Looks for ever.
    pub async fn run(self) -> Infallible {
        let (mut seen, mut collector) = (Seen::default(), Collector::new(self.images.clone(), self.engine.clone()));
        loop {
            let met = self.met().await;
            seen.note(&met, Instant::now());
            let pressure = seen.pressure(Instant::now());
            self.pressure.send_if_modified(|known| std::mem::replace(known, pressure) != pressure);
            let short_of_disk = met.iter().any(|(threshold, _)| threshold.signal != Signal::Memory);
            let freed = collector.collect(|| self.used_images(), self.pods.clone(), short_of_disk).await;
            // What images gave back may be enough: the next look tells.
            let evicted = if short_of_disk && freed > 0 { false } else { self.relieve(&met).await };
            sleep(if evicted { CLEANUP } else { INTERVAL }).await;
        }
    }

    /// The thresholds that are met now.
    async fn met(&self) -> Vec<(Threshold, Left)> {
        let (thresholds, data) = (self.thresholds.clone(), self.pods.clone());
        let look = move || {
            let level = |threshold: Threshold| Some((threshold, signals::read(threshold.signal, &data)?));
            thresholds.iter().filter_map(level).filter(|(threshold, level)| threshold.is_met(*level)).collect()
        };
        tokio::task::spawn_blocking(look).await.unwrap_or_default()
    }

    /// The names of images that pods here run or are about to.
    fn used_images(&self) -> HashSet<String> {
        let pods: Vec<Pod> = self.directory.all().iter().map(|view| view.pod()).collect();
        pods.iter().flat_map(images).collect()
    }

    /// Gives up the first pod in line; false where there is no need, or nobody.
    async fn relieve(&self, met: &[(Threshold, Left)]) -> bool {
        let Some((threshold, level)) = met.first().copied() else { return false };
        let resource = threshold.signal.resource();
        self.recorder.record(
            &self.node,
            Level::Warning,
            "EvictionThresholdMet",
            format!("Attempting to reclaim {resource}"),
        );
        let views: Vec<Arc<View>> = self.directory.all();
        let pods: Vec<Pod> = views.iter().map(|view| view.pod()).collect();
        let measured = self.measure(threshold.signal, &views, &pods).await;
        let alive = pods.iter().zip(measured).filter(|(pod, _)| !objects::pods::is_terminal(pod));
        let candidates: Vec<Candidate<'_>> =
            alive.map(|(pod, (containers, shared))| Candidate { pod, containers, shared }).collect();
        let Some(chosen) = rank::first(&candidates, resource) else {
            tracing::warn!(%resource, "the node is short of it, and there is no pod to give up");
            return false;
        };
        let uid = chosen.pod.metadata.uid.as_deref();
        let Some(at) = pods.iter().position(|pod| pod.metadata.uid.as_deref() == uid) else { return false };
        views[at].evict(rank::message(chosen, threshold, level));
        true
    }

    /// What each pod uses: by its containers, and beside them.
    async fn measure(&self, signal: Signal, views: &[Arc<View>], pods: &[Pod]) -> Vec<(Vec<(String, u64)>, u64)> {
        if signal == Signal::Memory {
            let of = |view: &Arc<View>| {
                let containers = view.sample().containers;
                (containers.into_iter().map(|one| (one.name, one.usage.memory)).collect(), 0)
            };
            return views.iter().map(of).collect();
        }
        let places: Vec<(PathBuf, PathBuf)> =
            views.iter().zip(pods).map(|(view, pod)| (self.files(pod), view.logs().to_owned())).collect();
        let look = move || {
            let of = |(files, logs): &(PathBuf, PathBuf)| (Vec::new(), usage(files) + usage(logs));
            places.iter().map(of).collect()
        };
        tokio::task::spawn_blocking(look).await.unwrap_or_default()
    }

    fn files(&self, pod: &Pod) -> PathBuf {
        self.pods.join(pod.metadata.uid.as_deref().unwrap_or("none"))
    }
}

fn usage(directory: &Path) -> u64 {
    storage::usage(directory)
}

fn images(pod: &Pod) -> Vec<String> {
    let spec = pod.spec.as_ref();
    let containers = spec.into_iter().flat_map(objects::pods::all_containers).filter_map(|c| c.image.clone());
    let ephemeral = spec.into_iter().flat_map(|spec| spec.ephemeral_containers.iter().flatten());
    let volumes = spec.into_iter().flat_map(|spec| spec.volumes.iter().flatten());
    let mounted = volumes.filter_map(|volume| volume.image.as_ref()?.reference.clone());
    let running = objects::pods::container_statuses(pod)
        .iter()
        .flat_map(|status| [status.image.clone(), status.image_id.clone()]);
    containers.chain(ephemeral.filter_map(|c| c.image.clone())).chain(mounted).chain(running).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn pod(resources: Value, priority: i32) -> Pod {
        from_value(json!({"metadata": {"name": "p"}, "spec": {
            "priority": priority, "containers": [{"name": "c", "resources": resources}]}}))
        .expect("pod")
    }

    #[test]
    fn under_memory_pressure_those_come_in_that_asked() {
        let (greedy, modest) = (pod(json!({}), 0), pod(json!({"requests": {"memory": "1Mi"}}), 0));
        let pressure = Pressure { memory: true, disk: false };
        assert_eq!(pressure.refuses(&greedy).as_deref(), Some("The node had condition: [MemoryPressure]. "));
        assert_eq!(pressure.refuses(&modest), None);
        assert_eq!(pressure.refuses(&pod(json!({}), 2_000_000_000)), None, "critical");
        let disk = Pressure { memory: false, disk: true };
        assert!(disk.refuses(&modest).is_some_and(|words| words.contains("[DiskPressure]")));
        assert_eq!(Pressure::default().refuses(&greedy), None);
    }

    #[test]
    fn a_pressure_lasts_for_a_while() {
        let (mut seen, begin) = (Seen::default(), Instant::now());
        let memory = Thresholds::default().iter().find(|t| t.signal == Signal::Memory).expect("memory");
        seen.note(&[(memory, Left { available: 0, capacity: 1 })], begin);
        assert_eq!(seen.pressure(begin + TRANSITION / 2), Pressure { memory: true, disk: false });
        assert_eq!(seen.pressure(begin + TRANSITION), Pressure::default());
    }
}
