//! The thin loop around [`plan`]: one task a pod, which ends when the object is gone from the API.
//!
//! Everything a pod waits for is one of the branches of [`Worker::wait`]; nothing is polled and an idle pod has no
//! timer. Status writes are held back for a moment while a start is under way, so that a pod that is ready at once
//! costs one write. What a pod that waits is made from is packed until something happens to it.

mod absorb;
mod act;
mod hooks;
mod report;
mod resize;
mod tell;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::{BoxFuture, select_all};
use futures::stream::FuturesUnordered;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ObjectReference, Pod, PodStatus};
use objects::events;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::given::Needs;
use super::ground::Ground;
use super::hook;
use super::inside::Inside;
use super::kept::Kept;
use super::observed::{Observed, Sandbox};
use super::place::{self, Place};
use super::plan::{Step, Wish, plan};
use super::probing::Probing;
use super::publish::Written;
use super::start::{self, Started};
use super::storage::Watch;
use super::termination::Words;
use super::view::View;
use crate::agent::references::Subscription;
use crate::container::{Container, Exit};
use crate::logs::Sink;
use crate::probe::Complaint;
use crate::status;

/// How long a status waits for a start that is under way.
const HOLD: Duration = Duration::from_secs(1);
/// And for one that waits for its turn: a thousand pods that are to start do not write a thousand times that they wait.
const HOLD_IN_LINE: Duration = Duration::from_secs(5);
/// And for the first answers of probes.
const HOLD_FOR_PROBES: Duration = Duration::from_millis(50);
/// How long the logs of a pod that is gone wait for those who follow them.
const LAST_LINES: Duration = Duration::from_secs(1);
/// When the API did not take a write.
const REWRITE: Duration = Duration::from_secs(1);

/// One pod's worker.
pub struct Worker {
    ground: Arc<Ground>,
    spec: watch::Receiver<Arc<Kept<Pod>>>,
    view: Arc<View>,
    kept: Arc<Kept<Pod>>,
    /// What is kept, open; nobody while it is packed.
    pod: Arc<Pod>,
    regarding: ObjectReference,
    taken: Instant,
    wish: Wish,
    observed: Observed,
    around: Subscription,
    place: Option<Place>,
    storage: Watch,
    /// The guests, by the index of their unit.
    live: Vec<Option<Live>>,
    errand: Option<BoxFuture<'static, Errand>>,
    tries: FuturesUnordered<BoxFuture<'static, Answer>>,
    write: Option<BoxFuture<'static, Result<Written, kube::Error>>>,
    /// What the write under way says; None when it is the removal.
    writing: Option<Arc<Kept<PodStatus>>>,
    /// What the API was told last.
    reported: Option<Arc<Kept<PodStatus>>>,
    shown: Option<Arc<Kept<PodStatus>>>,
    rewrite: Option<Instant>,
    hold: Instant,
    removing: bool,
    /// The node is being stopped, and nothing of the pod runs any more.
    left: bool,
    /// Of a pod that the API did not give us: the object that stands for it there, when there is one.
    mirror: Option<Mirror>,
    /// Annotations about what its containers are.
    marks: BTreeMap<String, String>,
}

/// The uid of a mirror pod.
pub type Mirror = watch::Receiver<Option<Arc<str>>>;

/// A running guest and what belongs to its instance.
struct Live {
    container: Container,
    sink: Arc<Sink>,
    probing: Probing,
    instance: u32,
    /// The image as the spec had it.
    image: String,
    /// The hook that is under way.
    hook: Option<Running>,
    /// Where it leaves its last words.
    words: Option<Words>,
}

/// A hook under way. Dropping it ends what it began.
type Running = BoxFuture<'static, (hook::Kind, Result<(), String>)>;

/// What was made, away from the loop.
enum Errand {
    Place(Box<Result<Place, place::Error>>, Subscription),
    Start(usize, u32, String, Box<Result<Started, start::Error>>),
}

/// Of a probe's try: unit, instance, gauge, and what was wrong.
type Answer = (usize, u32, usize, Result<(), Complaint>);

/// What a worker waits for.
enum Happening {
    /// The object has changed.
    Changed,
    /// It is gone.
    Vanished,
    /// Something it refers to has changed.
    Surroundings,
    /// Its mirror has come or gone.
    Mirrored,
    /// The node is to stop.
    Leaving,
    Made(Errand),
    Exited(usize, Exit),
    Hooked(usize, hook::Kind, Result<(), String>),
    Answered(Answer),
    /// The pod keeps more on disk than it may.
    Overfull(String),
    Written(Result<Written, kube::Error>),
    Time,
}

impl Worker {
    /// A worker for the pod in `spec`.
    pub fn new(ground: Arc<Ground>, spec: watch::Receiver<Arc<Kept<Pod>>>, view: Arc<View>) -> Self {
        let kept = spec.borrow().clone();
        let pod = kept.open();
        let now = Instant::now();
        let observed = Observed::first(&pod, Timestamp::now(), now);
        let age = Timestamp::now().duration_since(observed.taken);
        let taken = now.checked_sub(age.try_into().unwrap_or_default()).unwrap_or(now);
        let needs = match (&pod.spec, observed.sandbox) {
            (Some(spec), Sandbox::Absent) => Needs::of(spec),
            _ => Needs::default(),
        };
        let wish = Wish::of(&pod, taken);
        // A pod that was over before this process began has been told about.
        let over = matches!(observed.sandbox, Sandbox::Released(_));
        let told = || status::build(&pod, &wish, &observed, ground.host_ip, pod.status.as_ref(), Timestamp::now());
        let reported = over.then(|| Arc::new(Kept::new(told())));
        Self {
            around: ground.references.subscribe(&pod, &needs),
            regarding: events::regarding(&*pod),
            wish,
            live: observed.units.iter().map(|_| None).collect(),
            ground,
            spec,
            view,
            kept,
            pod,
            taken,
            observed,
            place: None,
            storage: Watch::default(),
            errand: None,
            tries: FuturesUnordered::new(),
            write: None,
            writing: None,
            reported,
            shown: None,
            rewrite: None,
            marks: BTreeMap::new(),
            hold: now + HOLD,
            removing: false,
            left: false,
            mirror: None,
        }
    }

    /// A worker for a pod that the API knows by its mirror only. It ends when the pod is to end and has.
    pub fn with_mirror(self, mirror: Mirror) -> Self {
        Self { mirror: Some(mirror), ..self }
    }

    /// Works until the pod is gone from the API, or the node is to stop. Dropping the future kills the guests and leaves
    /// the files.
    pub async fn run(mut self: Box<Self>) {
        self.respec();
        loop {
            // Boxed, as what follows a happening: a task is as large as its largest step, and a pod waits for most of its life.
            let mut wake = Box::pin(self.work()).await;
            if let Some(place) = &mut self.place {
                // Whoever waits now does not need its turn.
                place.turn = None;
            }
            let now = Instant::now();
            for at in [self.probe(now), self.publish(now)].into_iter().flatten() {
                wake = Some(wake.map_or(at, |earlier| earlier.min(at)));
            }
            if self.left && self.write.is_none() && self.is_told() {
                return;
            }
            if self.mirror.is_some() && self.observed.removed {
                break;
            }
            if self.may_rest(wake, now) {
                self.rest();
            }
            let happening = self.wait(wake).await;
            self.pod = self.kept.open();
            match happening {
                Happening::Vanished => break,
                happening => Box::pin(self.absorb(happening)).await,
            }
        }
        Box::pin(self.clear()).await;
    }

    /// Does all there is to do now; says when there will be more.
    async fn work(&mut self) -> Option<Instant> {
        loop {
            match plan(&self.wish, &self.observed, Instant::now()) {
                Step::Wait(wake) => return wake,
                Step::Remove => {
                    self.place = None;
                    self.observed.sandbox = Sandbox::Released(self.observed.sandbox.ip());
                    self.removing = true;
                    return None;
                }
                Step::Leave => {
                    self.left = true;
                    return None;
                }
                step => self.act(step).await,
            }
        }
    }

    async fn wait(&mut self, wake: Option<Instant>) -> Happening {
        let Self { spec, around, live, errand, tries, write, storage, mirror, observed, ground, view, .. } = self;
        tokio::select! {
            () = ground.leaving.cancelled(), if observed.leaving.is_none() => Happening::Leaving,
            () = mirrored(mirror) => Happening::Mirrored,
            changed = spec.changed() => match changed {
                Ok(()) => Happening::Changed,
                Err(_) => Happening::Vanished,
            },
            errand = finished(errand) => Happening::Made(errand),
            stirred = stirred(live) => stirred,
            Some(answer) = tries.next() => Happening::Answered(answer),
            written = finished(write) => Happening::Written(written),
            () = around.changed() => Happening::Surroundings,
            words = storage.exceeded() => Happening::Overfull(words),
            words = view.evicted() => Happening::Overfull(words),
            () = until(wake) => Happening::Time,
        }
    }

    /// Begins the tries of probes that are due; says when the next one is.
    fn probe(&mut self, now: Instant) -> Option<Instant> {
        let ip = self.observed.sandbox.ip()?;
        let mut next: Option<Instant> = None;
        for (index, (unit, live)) in self.observed.units.iter().zip(&mut self.live).enumerate() {
            let Some(live) = live.as_mut().filter(|_| unit.is_probed() && self.observed.ending.is_none()) else {
                continue;
            };
            for one in live.probing.take_due(unit.started, now) {
                let (fabric, instance) = (self.ground.fabric.clone(), live.instance);
                let inside = Inside::new(self.ground.exec.clone(), self.view.clone(), &unit.name);
                self.tries.push(Box::pin(async move {
                    let answer = crate::probe::attempt(&fabric, &inside, &one.target, ip, one.timeout).await;
                    (index, instance, one.gauge, answer)
                }));
            }
            if let Some(due) = live.probing.due(unit.started) {
                next = Some(next.map_or(due, |earlier| earlier.min(due)));
            }
        }
        next
    }

    /// The object is gone: whatever still runs is killed, and nothing is left.
    async fn clear(mut self: Box<Self>) {
        self.errand = None;
        for live in std::mem::take(&mut self.live).into_iter().flatten() {
            live.sink.close();
            act::kill(live.container).await;
        }
        self.place = None;
        // Who follows the logs reads the last lines first.
        let _ = tokio::time::timeout(LAST_LINES, self.view.unfollowed()).await;
        let on_disk = [place::directory(&self.ground, &self.pod), start::log_directory(&self.ground, &self.pod)];
        let directories = on_disk.into_iter().chain(place::memory(&self.ground, &self.pod));
        // A thousand pods that go together take turns as well, rather than a thread each.
        let _turn = self.ground.turns.take(None).await;
        // When the runtime is going down there is nobody to do it: the next start sweeps.
        let _ = tokio::task::spawn_blocking(move || {
            for directory in directories {
                match std::fs::remove_dir_all(&directory) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        tracing::warn!(path = %directory.display(), %error, "a pod's directory could not be removed");
                    }
                    _ => {}
                }
            }
        })
        .await;
    }
}

/// The result of what is in the slot, which is empty then; never, when it is empty now.
async fn finished<T>(slot: &mut Option<BoxFuture<'static, T>>) -> T {
    let Some(future) = slot else { return std::future::pending().await };
    let result = future.await;
    *slot = None;
    result
}

/// Waits for the end of a guest, or of its hook.
async fn stirred(live: &mut [Option<Live>]) -> Happening {
    let running = live.iter_mut().enumerate().filter_map(|(index, live)| Some((index, live.as_mut()?)));
    let each = running.map(|(index, Live { container, hook, .. })| {
        Box::pin(async move {
            tokio::select! {
                biased;
                exit = container.exited() => Happening::Exited(index, exit),
                (kind, result) = finished(hook) => Happening::Hooked(index, kind, result),
            }
        })
    });
    let all: Vec<_> = each.collect();
    if all.is_empty() {
        return std::future::pending().await;
    }
    select_all(all).await.0
}

async fn mirrored(mirror: &mut Option<Mirror>) {
    match mirror {
        // Once nobody makes mirrors any more, the last word counts.
        Some(mirror) if mirror.has_changed().is_ok() => drop(mirror.changed().await),
        _ => std::future::pending().await,
    }
}

async fn until(wake: Option<Instant>) {
    match wake {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
