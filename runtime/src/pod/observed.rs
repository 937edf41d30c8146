//! What a worker has seen of its pod: the only thing, besides the pod itself, that decisions are made from.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStateTerminated, ContainerStatus, Pod, ResourceRequirements};
use tokio::time::Instant;

use super::backoff::Backoff;
use super::storage::EVICTED;

/// A pod on this node.
#[derive(Clone, Debug)]
pub struct Observed {
    /// When the node took it on: `status.startTime`.
    pub taken: Timestamp,
    /// Its place on the network and its volumes.
    pub sandbox: Sandbox,
    /// Why the sandbox is not there yet.
    pub hindrance: Option<Trouble>,
    /// Its containers: the init containers in order, then the others, then the debuggers in the order they came.
    pub units: Vec<Unit>,
    /// A start, or the making of the sandbox, is under way. One at a time, in order, as kubelets do it.
    pub busy: bool,
    /// Why the resources that the spec asks for are not granted: `Deferred` or `Infeasible`.
    pub resize: Option<Trouble>,
    /// It is to go, gently until then.
    pub ending: Option<Ending>,
    /// The node is being stopped: its guests are to be gone by then, and it comes back with the node.
    pub leaving: Option<Ending>,
    /// The node has failed it, whatever its containers say: reason and message.
    pub failed: Option<(String, String)>,
    /// The API has been asked to remove it.
    pub removed: bool,
}

/// The pod's address and directories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sandbox {
    /// Not made.
    Absent,
    /// There, at this address.
    Ready(IpAddr),
    /// Given back; the address is what the status goes on saying.
    Released(Option<IpAddr>),
}

impl Sandbox {
    /// The address the pod has or had.
    pub fn ip(self) -> Option<IpAddr> {
        match self {
            Self::Absent => None,
            Self::Ready(ip) => Some(ip),
            Self::Released(ip) => ip,
        }
    }
}

/// How long whoever still runs may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Then they are killed.
    pub deadline: Instant,
}

/// One container of the pod.
#[derive(Clone, Debug)]
pub struct Unit {
    /// Its name.
    pub name: String,
    /// When it runs.
    pub role: Role,
    /// How it is.
    pub state: State,
    /// Why it is not running, where that is not plain.
    pub trouble: Option<Trouble>,
    /// How the instance before this one went.
    pub last: Option<Ended>,
    /// How often it was started again.
    pub restarts: u32,
    /// How long until the next start.
    pub backoff: Backoff,
    /// How long until its image is looked for again.
    pub image_backoff: Backoff,
    /// It is past its startup probe.
    pub started: bool,
    /// It may get traffic.
    pub ready: bool,
    /// Its probes or its postStart hook gave it up: this long to end.
    pub condemned: Option<Duration>,
    /// Its postStart hook has not come back: until then it does not count as running, and holds up the next.
    pub greeting: bool,
    /// The name of its image, completed.
    pub image: String,
    /// The image it runs, with its digest.
    pub image_id: String,
    /// What the node has agreed to, while the spec asks for something else.
    pub allocated: Option<Arc<ResourceRequirements>>,
    /// What it runs with, until it is started again with what the node has agreed to.
    pub actual: Option<Arc<ResourceRequirements>>,
    /// The image of the last start, as the spec had it.
    pub tried: String,
}

/// When a container runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// To its end, before the next.
    Init,
    /// From its turn among the init containers until the others are done.
    Sidecar,
    /// After them.
    Main,
    /// Once, whatever the others do: an ephemeral container, as `kubectl debug` adds one.
    Ephemeral,
}

/// How a container is.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// Not started yet.
    Waiting,
    /// Being started, for the first time or after it ended so.
    Starting(Option<Ended>),
    /// It runs.
    Running {
        /// Since when.
        since: Timestamp,
        /// It is on its way out.
        stopping: Option<Stopping>,
        /// `wasmtime://…`
        id: String,
    },
    /// It ended, and may start again.
    Ended(Ended),
}

/// A container on its way out: first its preStop hook runs, then it is told to end, then it is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopping {
    /// Then comes the next of these, whether the one before is done or not.
    pub deadline: Instant,
    /// Its preStop hook still runs.
    pub hook: bool,
    /// It was told to end.
    pub told: bool,
}

/// How an instance went.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    /// What it said, or the code that says what happened to it.
    pub code: i32,
    /// `Completed`, `Error`, `OOMKilled` …
    pub reason: String,
    /// More about it.
    pub message: Option<String>,
    /// From when.
    pub started: Option<Timestamp>,
    /// To when.
    pub finished: Timestamp,
    /// The same moment, to count from.
    pub at: Instant,
    /// `wasmtime://…`
    pub id: String,
}

/// Why something waits.
#[derive(Clone, Debug, PartialEq)]
pub struct Trouble {
    /// The word: `ErrImagePull`.
    pub reason: String,
    /// What is wrong.
    pub message: String,
    /// When to try again. None: when something changes.
    pub retry: Option<Instant>,
    /// It becomes this (`ImagePullBackOff`) after a while.
    pub then: Option<Box<(Instant, Trouble)>>,
}

impl Trouble {
    /// A trouble that ends with a change of the objects around.
    pub fn new(reason: &str, message: impl Into<String>) -> Self {
        Self { reason: reason.to_owned(), message: message.into(), retry: None, then: None }
    }
}

impl Unit {
    /// Whether it runs and was not begun to be stopped.
    pub fn is_unstopped(&self) -> bool {
        matches!(self.state, State::Running { stopping: None, .. })
    }

    /// Whether its probes count: not before its postStart hook is done, nor when it is on its way out.
    pub fn is_probed(&self) -> bool {
        self.is_unstopped() && !self.greeting && self.condemned.is_none()
    }

    /// Whether it runs, asked to end or not.
    pub fn is_running(&self) -> bool {
        matches!(self.state, State::Running { .. })
    }

    /// How it ended, when it has.
    pub fn ended(&self) -> Option<&Ended> {
        match &self.state {
            State::Ended(ended) => Some(ended),
            _ => None,
        }
    }
}

impl Observed {
    /// Whether the node has thrown the pod out.
    pub fn is_evicted(&self) -> bool {
        self.failed.as_ref().is_some_and(|(reason, _)| reason == EVICTED)
    }

    /// What is known of a pod at first sight. Its status may tell of containers that ran before this process did: those
    /// are gone, and their restart counts go on.
    pub fn first(pod: &Pod, taken: Timestamp, now: Instant) -> Self {
        let spec = pod.spec.as_ref();
        let status = pod.status.as_ref();
        let init = spec.iter().flat_map(|spec| spec.init_containers.iter().flatten()).map(|container| {
            let sidecar = container.restart_policy.as_deref() == Some("Always");
            (container, if sidecar { Role::Sidecar } else { Role::Init })
        });
        let main = spec.iter().flat_map(|spec| &spec.containers).map(|container| (container, Role::Main));
        let units = init.chain(main).map(|(container, role)| {
            let image = container.image.clone().unwrap_or_default();
            Unit::first(&container.name, role, image, told(pod, &container.name), now)
        });
        let told_ip = status.and_then(|status| status.pod_ip.as_deref()).and_then(|ip| ip.parse().ok());
        let terminal = matches!(status.and_then(|status| status.phase.as_deref()), Some("Succeeded" | "Failed"));
        let reason = status.and_then(|status| status.reason.clone()).filter(|_| terminal);
        let mut observed = Self {
            taken: status.and_then(|status| status.start_time.as_ref()).map_or(taken, |time| time.0),
            sandbox: if terminal { Sandbox::Released(told_ip) } else { Sandbox::Absent },
            hindrance: None,
            units: units.collect(),
            busy: false,
            resize: None,
            ending: None,
            leaving: None,
            failed: reason.map(|reason| (reason, status.and_then(|s| s.message.clone()).unwrap_or_default())),
            removed: false,
        };
        if !terminal {
            observed.begin_again();
            observed.remember_resources(pod);
        }
        observed.meet_debuggers(pod, now);
        observed.units.shrink_to_fit();
        observed
    }

    /// What the node had not agreed to before it was restarted is not granted by that.
    fn remember_resources(&mut self, pod: &Pod) {
        for unit in &mut self.units {
            let had = told(pod, &unit.name).and_then(|told| told.resources.as_ref());
            let wants = super::container(pod, &unit.name).and_then(|container| container.resources.as_ref());
            if let (Some(had), Some(wants)) = (had, wants)
                && (&had.requests, &had.limits) != (&wants.requests, &wants.limits)
            {
                unit.allocated = Some(Arc::new(had.clone()));
                self.resize =
                    Some(Trouble { retry: Some(tokio::time::Instant::now()), ..Trouble::new("Deferred", "") });
            }
        }
    }

    /// A pod that gets a new sandbox goes through its init containers once more, as after a reboot of a kubelet's node.
    fn begin_again(&mut self) {
        for unit in self.units.iter_mut().filter(|unit| unit.role == Role::Init) {
            if let State::Ended(ended) = &unit.state
                && ended.code == 0
            {
                unit.last = Some(ended.clone());
                unit.state = State::Waiting;
                unit.restarts += 1;
            }
        }
    }

    /// Takes note of the ephemeral containers that are new. Such a container runs once: one that ran before this process
    /// did is over.
    pub fn meet_debuggers(&mut self, pod: &Pod, now: Instant) {
        for debugger in pod.spec.iter().flat_map(|spec| spec.ephemeral_containers.iter().flatten()) {
            if self.units.iter().any(|unit| unit.name == debugger.name) {
                continue;
            }
            let image = debugger.image.clone().unwrap_or_default();
            self.units.push(Unit::first(&debugger.name, Role::Ephemeral, image, told(pod, &debugger.name), now));
        }
    }

    /// The pod is to be gone by then; a later word can only hasten it.
    pub fn end_by(&mut self, deadline: Instant) {
        if self.ending.is_some_and(|ending| ending.deadline <= deadline) {
            return;
        }
        self.ending = Some(Ending { deadline });
        self.hasten(deadline);
    }

    /// The node is to be gone by then.
    pub fn leave_by(&mut self, deadline: Instant) {
        self.leaving = Some(Ending { deadline });
        self.hasten(deadline);
    }

    fn hasten(&mut self, deadline: Instant) {
        for unit in &mut self.units {
            if let State::Running { stopping: Some(stopping), .. } = &mut unit.state {
                stopping.deadline = stopping.deadline.min(deadline);
            }
        }
    }
}

/// What the API was told of a container.
fn told<'a>(pod: &'a Pod, name: &str) -> Option<&'a ContainerStatus> {
    let status = pod.status.as_ref()?;
    let lists = [&status.init_container_statuses, &status.container_statuses, &status.ephemeral_container_statuses];
    lists.into_iter().flatten().flatten().find(|told| told.name == name)
}

impl Unit {
    fn first(name: &str, role: Role, image: String, told: Option<&ContainerStatus>, now: Instant) -> Self {
        let state = told.and_then(|told| told.state.as_ref());
        let last = told.and_then(|told| told.last_state.as_ref()).and_then(|last| last.terminated.as_ref());
        let mut last = last.map(|last| Ended::told(last, now));
        let lost = |id: String, since: Option<Timestamp>| Ended {
            code: 255,
            reason: "Unknown".to_owned(),
            message: Some("The node was restarted while the container was running".to_owned()),
            started: since,
            finished: Timestamp::now(),
            at: now,
            id,
        };
        let state = match state {
            Some(state) if state.terminated.is_some() => {
                state.terminated.as_ref().map_or(State::Waiting, |ended| State::Ended(Ended::told(ended, now)))
            }
            Some(state) if state.running.is_some() => {
                let since = state.running.as_ref().and_then(|running| running.started_at.as_ref()).map(|time| time.0);
                State::Ended(lost(told.and_then(|told| told.container_id.clone()).unwrap_or_default(), since))
            }
            // It waited in its back-off: the wait is over, the end it waits after is not forgotten.
            _ => last.take().map_or(State::Waiting, State::Ended),
        };
        let restarts = told.map_or(0, |told| u32::try_from(told.restart_count).unwrap_or(0));
        Self {
            name: name.to_owned(),
            role,
            state,
            trouble: None,
            last,
            restarts,
            backoff: Backoff::default(),
            image_backoff: Backoff::default(),
            started: false,
            ready: false,
            condemned: None,
            greeting: false,
            image: told.map(|told| told.image.clone()).filter(|image| !image.is_empty()).unwrap_or(image),
            image_id: told.map(|told| told.image_id.clone()).unwrap_or_default(),
            allocated: None,
            actual: None,
            tried: String::new(),
        }
    }
}

impl Ended {
    fn told(state: &ContainerStateTerminated, now: Instant) -> Self {
        Self {
            code: state.exit_code,
            reason: state.reason.clone().unwrap_or_default(),
            message: state.message.clone(),
            started: state.started_at.as_ref().map(|time| time.0),
            finished: state.finished_at.as_ref().map_or_else(Timestamp::now, |time| time.0),
            at: now,
            id: state.container_id.clone().unwrap_or_default(),
        }
    }
}
