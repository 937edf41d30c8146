//! What a worker tells about its pod, in the words of a kubelet's events.

use k8s_openapi::api::core::v1::ObjectReference;
use objects::events::Level::{self, Normal, Warning};

use super::super::hook;
use super::super::observed::Role;
use super::super::place;
use super::super::start;
use super::Worker;
use crate::image::PullError;
use crate::probe::{Kind, Unaskable};

impl Worker {
    fn tell(&self, level: Level, reason: &str, message: impl Into<String>) {
        self.ground.recorder.record(&self.regarding, level, reason, message);
    }

    fn tell_of(&self, index: usize, level: Level, reason: &str, message: impl Into<String>) {
        self.ground.recorder.record(&self.regarding_of(index), level, reason, message);
    }

    /// What events about a container are about.
    pub(super) fn regarding_of(&self, index: usize) -> ObjectReference {
        let unit = &self.observed.units[index];
        let list = match unit.role {
            Role::Main => "containers",
            Role::Ephemeral => "ephemeralContainers",
            Role::Init | Role::Sidecar => "initContainers",
        };
        let field_path = Some(format!("spec.{list}{{{}}}", unit.name));
        ObjectReference { field_path, ..self.regarding.clone() }
    }

    pub(super) fn tell_started(&self, index: usize) {
        let name = &self.observed.units[index].name;
        self.tell_of(index, Normal, "Created", format!("Created container: {name}"));
        self.tell_of(index, Normal, "Started", format!("Started container {name}"));
    }

    pub(super) fn tell_hindered(&self, index: usize, image: &str, error: &start::Error) {
        let reason = error.reason();
        match error {
            start::Error::Image(error) => {
                match error {
                    PullError::InvalidName { .. } => self.tell_of(index, Warning, "InspectFailed", error.to_string()),
                    PullError::NeverPull(_) => self.tell_of(index, Warning, reason, error.to_string()),
                    PullError::Inspect { .. } => self.tell_of(index, Warning, "InspectFailed", error.to_string()),
                    PullError::NotFound(_) | PullError::Unusable { .. } | PullError::Fetch { .. } => {
                        self.tell_of(index, Warning, "Failed", format!("Failed to pull image {image:?}: {error}"));
                    }
                }
                self.tell_of(index, Warning, "Failed", format!("Error: {reason}"));
            }
            error => self.tell_of(index, Warning, "Failed", format!("Error: {error}")),
        }
    }

    /// A failed pull has become one that waits.
    pub(super) fn tell_worse(&self, index: usize) {
        let unit = &self.observed.units[index];
        self.tell_of(index, Normal, "BackOff", format!("Back-off pulling image {:?}", unit.tried));
        let reason = unit.trouble.as_ref().map_or("", |trouble| trouble.reason.as_str());
        self.tell_of(index, Warning, "Failed", format!("Error: {reason}"));
    }

    pub(super) fn tell_back_off(&self, index: usize) {
        let (meta, unit) = (&self.pod.metadata, &self.observed.units[index]);
        let text = |text: &'_ Option<String>| text.clone().unwrap_or_default();
        let pod = format!("{}_{}({})", text(&meta.name), text(&meta.namespace), text(&meta.uid));
        let message = format!("Back-off restarting failed container {} in pod {pod}", unit.name);
        self.tell_of(index, Warning, "BackOff", message);
    }

    pub(super) fn tell_no_place(&self, error: &place::Error) {
        self.tell(Warning, error.reason(), error.to_string());
    }

    pub(super) fn tell_stopping(&self, index: usize) {
        let name = &self.observed.units[index].name;
        self.tell_of(index, Normal, "Killing", format!("Stopping container {name}"));
    }

    pub(super) fn tell_hook_failed(&self, index: usize, kind: hook::Kind) {
        match kind {
            hook::Kind::PostStart => {
                self.tell_of(index, Warning, "FailedPostStartHook", "PostStartHook failed");
                self.tell_of(index, Normal, "Killing", "FailedPostStartHook");
            }
            hook::Kind::PreStop => self.tell_of(index, Warning, "FailedPreStopHook", "PreStopHook failed"),
        }
    }

    pub(super) fn tell_redefined(&self, index: usize) {
        let name = &self.observed.units[index].name;
        self.tell_of(index, Normal, "Killing", format!("Container {name} definition changed, will be restarted"));
    }

    pub(super) fn tell_resized(&self, index: usize) {
        let name = &self.observed.units[index].name;
        self.tell_of(index, Normal, "Killing", format!("Container {name} resize requires restart"));
    }

    pub(super) fn tell_expired(&self, message: &str) {
        self.tell(Normal, "DeadlineExceeded", message);
    }

    pub(super) fn tell_evicted(&self, message: &str) {
        self.tell(Warning, "Evicted", message);
    }

    pub(super) fn tell_unhealthy(&self, index: usize, kind: Kind, complaint: &str, given_up: bool) {
        let name = &self.observed.units[index].name;
        self.tell_of(index, Warning, "Unhealthy", format!("{} probe failed: {complaint}", kind.name()));
        if given_up && kind != Kind::Readiness {
            let kind = kind.name().to_lowercase();
            self.tell_of(index, Normal, "Killing", format!("Container {name} failed {kind} probe, will be restarted"));
        }
    }

    pub(super) fn tell_errored(&self, index: usize, kind: Kind, why: &str) {
        let message = format!("{} probe errored and resulted in unknown state: {why}", kind.name());
        self.tell_of(index, Warning, "Unhealthy", message);
    }

    pub(super) fn tell_unaskable(&self, index: usize, kind: Kind, error: &Unaskable) {
        self.tell_of(index, Warning, "ProbeWarning", format!("{} probe warning: {error}", kind.name()));
    }
}
