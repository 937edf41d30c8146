//! The core of an event recorder: what to write when something worth telling happens.
//!
//! Components report the same thing again and again. As upstream's recorder does, repeats become a count on one event,
//! many like reports become one "combined" event, and an object that is told about without end is told about less.
//! This is the pure part: a [`Correlator`] turns a [`Report`] into a [`Step`], and whoever owns it carries the step out.

mod correlator;
mod recent;

use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use k8s_openapi::{Metadata, Resource};

pub use correlator::{Correlator, Step};

/// Is it good news?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// As it should be.
    Normal,
    /// Somebody should look.
    Warning,
}

impl Level {
    /// The event's `type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

/// Who reports: `deployment-controller`, or `kubelet` on a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reporter {
    /// The component's name.
    pub component: String,
    /// The node, for what runs on nodes.
    pub host: String,
}

impl Reporter {
    /// A component of the control plane.
    pub fn new(component: &str) -> Self {
        Self { component: component.to_owned(), host: String::new() }
    }

    /// A component on a node.
    pub fn on(component: &str, host: &str) -> Self {
        Self { component: component.to_owned(), host: host.to_owned() }
    }
}

/// Something that happened to an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The object.
    pub regarding: ObjectReference,
    /// Good news or bad.
    pub level: Level,
    /// The machine-readable reason: `ScalingReplicaSet`.
    pub reason: String,
    /// The message for people.
    pub message: String,
}

/// A reference to an object, as an event carries it.
pub fn regarding<K: Resource + Metadata<Ty = ObjectMeta>>(object: &K) -> ObjectReference {
    let meta = object.metadata();
    ObjectReference {
        api_version: Some(K::API_VERSION.to_owned()),
        kind: Some(K::KIND.to_owned()),
        name: meta.name.clone(),
        namespace: meta.namespace.clone(),
        uid: meta.uid.clone(),
        resource_version: meta.resource_version.clone(),
        field_path: None,
    }
}

/// The event for a report that was not seen before.
pub fn build(reporter: &Reporter, report: &Report, now: &Time) -> Event {
    let some = |text: &str| Some(text.to_owned()).filter(|t| !t.is_empty());
    let about = &report.regarding;
    let name = about.name.as_deref().unwrap_or_default();
    let stamp = k8s_openapi::jiff::Timestamp::now().as_nanosecond();
    Event {
        metadata: ObjectMeta {
            name: Some(format!("{name}.{stamp:x}")),
            namespace: Some(about.namespace.clone().filter(|n| !n.is_empty()).unwrap_or_else(|| "default".to_owned())),
            ..ObjectMeta::default()
        },
        involved_object: about.clone(),
        reason: some(&report.reason),
        message: some(&report.message),
        source: Some(EventSource { component: some(&reporter.component), host: some(&reporter.host) }),
        first_timestamp: Some(now.clone()),
        last_timestamp: Some(now.clone()),
        count: Some(1),
        type_: some(report.level.as_str()),
        reporting_component: Some(reporter.component.clone()),
        reporting_instance: Some(reporter.host.clone()),
        ..Event::default()
    }
}
