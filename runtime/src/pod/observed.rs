//! What a worker has seen of its pod: the only thing, besides the pod itself, that decisions are made from.

use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStateTerminated, ContainerStatus, Pod};
use tokio::time::Instant;

use super::backoff::Backoff;

/// A pod on this node.
#[derive(Clone, Debug)]
pub struct Observed {
    /// When the node took it on: `status.startTime`.
    pub taken: Timestamp,
    /// Its place on the network and its volumes.
    pub sandbox: Sandbox,
    /// Why the sandbox is not there yet.
    pub hindrance: Option<Trouble>,
    /// Its containers: the init containers in order, then the others.
    pub units: Vec<Unit>,
    /// A start, or the making of the sandbox, is under way. One at a time, in order, as kubelets do it.
    pub busy: bool,
    /// It is to go, gently until then.
    pub ending: Option<Ending>,
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
    /// Its probes gave it up: this long to end.
    pub condemned: Option<Duration>,
    /// The name of its image, completed.
    pub image: String,
    /// The image it runs, with its digest.
    pub image_id: String,
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
        /// It was asked to end, and will be killed then.
        stopping: Option<Instant>,
        /// `wasmtime://…`
        id: String,
    },
    /// It ended, and may start again.
    Ended(Ended),
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
    /// What is known of a pod at first sight. Its status may tell of containers that ran before this process did: those
    /// are gone, and their restart counts go on.
    pub fn first(pod: &Pod, taken: Timestamp, now: Instant) -> Self {
        let spec = pod.spec.as_ref();
        let status = pod.status.as_ref();
        let told = |name: &str| {
            let init = status.and_then(|status| status.init_container_statuses.as_deref()).unwrap_or_default();
            let main = status.and_then(|status| status.container_statuses.as_deref()).unwrap_or_default();
            init.iter().chain(main).find(|told| told.name == name)
        };
        let init = spec.iter().flat_map(|spec| spec.init_containers.iter().flatten()).map(|container| {
            let sidecar = container.restart_policy.as_deref() == Some("Always");
            (container, if sidecar { Role::Sidecar } else { Role::Init })
        });
        let main = spec.iter().flat_map(|spec| &spec.containers).map(|container| (container, Role::Main));
        let units = init.chain(main).map(|(container, role)| {
            let image = container.image.clone().unwrap_or_default();
            Unit::first(&container.name, role, image, told(&container.name), now)
        });
        let told_ip = status.and_then(|status| status.pod_ip.as_deref()).and_then(|ip| ip.parse().ok());
        let terminal = matches!(status.and_then(|status| status.phase.as_deref()), Some("Succeeded" | "Failed"));
        let reason = status.and_then(|status| status.reason.clone()).filter(|_| terminal);
        Self {
            taken: status.and_then(|status| status.start_time.as_ref()).map_or(taken, |time| time.0),
            sandbox: if terminal { Sandbox::Released(told_ip) } else { Sandbox::Absent },
            hindrance: None,
            units: units.collect(),
            busy: false,
            ending: None,
            failed: reason.map(|reason| (reason, status.and_then(|s| s.message.clone()).unwrap_or_default())),
            removed: false,
        }
    }
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
            image: told.map(|told| told.image.clone()).filter(|image| !image.is_empty()).unwrap_or(image),
            image_id: told.map(|told| told.image_id.clone()).unwrap_or_default(),
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
