//! Events: who did what to which object.

use std::collections::HashMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1 as core;
use objects::events::{Correlator, Level, Report, Reporter, Step, regarding};
use objects::time;
use tokio::sync::mpsc;

use crate::registry::{Api, Object, Registry};
use crate::status::Status;

/// Events are best effort: reports beyond so many unwritten ones are dropped.
const UNWRITTEN: usize = 4096;

/// The way to the one loop that writes events.
pub(super) type Sink = mpsc::Sender<(&'static str, Report)>;

/// Reports as one component; cheap to clone, never waits.
#[derive(Clone)]
pub(crate) struct Recorder {
    component: &'static str,
    sink: Sink,
}

impl Recorder {
    pub(super) fn new(component: &'static str, sink: Sink) -> Self {
        Self { component, sink }
    }

    /// Something went as it should.
    pub fn normal<K: Object>(&self, about: &K, reason: &str, message: impl Into<String>) {
        self.report(Level::Normal, about, reason, message.into());
    }

    /// Something went wrong.
    pub fn warning<K: Object>(&self, about: &K, reason: &str, message: impl Into<String>) {
        self.report(Level::Warning, about, reason, message.into());
    }

    fn report<K: Object>(&self, level: Level, about: &K, reason: &str, message: String) {
        let report = Report { regarding: regarding(about), level, reason: reason.to_owned(), message };
        if self.sink.try_send((self.component, report)).is_err() {
            tracing::debug!(component = self.component, reason, "too many unwritten events; one dropped");
        }
    }
}

/// The sink and the loop behind it.
pub(super) fn new(registry: &Registry) -> (Sink, impl Future<Output = ()> + Send + use<>) {
    let (sink, reports) = mpsc::channel(UNWRITTEN);
    (sink.clone(), write(registry.api(), reports, sink))
}

/// Writes what comes; keeps a sender of its own so that it lives as long as its owner wants.
async fn write(api: Api<core::Event>, mut reports: mpsc::Receiver<(&'static str, Report)>, _open: Sink) {
    let mut correlators: HashMap<&'static str, Correlator> = HashMap::new();
    while let Some((component, report)) = reports.recv().await {
        let correlator = correlators.entry(component).or_insert_with(|| Correlator::new(Reporter::new(component)));
        let step = correlator.observe(&report, &time::now());
        if let Err(status) = carry_out(&api.clone().managed_by(manager(component)), step).await {
            tracing::debug!(component, reason = report.reason, %status, "an event was not written");
        }
    }
}

/// Who manages the events of a component: the program that it is a part of elsewhere.
fn manager(component: &str) -> &'static str {
    match component {
        "default-scheduler" => "kube-scheduler",
        _ => "kube-controller-manager",
    }
}

async fn carry_out(api: &Api<core::Event>, step: Step) -> Result<Option<Arc<core::Event>>, Status> {
    match step {
        Step::Drop => Ok(None),
        Step::Create(event) => api.create(&event).await.map(|e| Some(Arc::new(e))),
        Step::Bump { event, patch } => {
            let meta = &event.metadata;
            let (namespace, name) =
                (meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default());
            match api.patch_merge(namespace, name, patch).await {
                Err(status) if status.is_not_found() => api.create(&event).await.map(|e| Some(Arc::new(e))),
                done => done.map(|e| Some(Arc::new(e))),
            }
        }
    }
}
