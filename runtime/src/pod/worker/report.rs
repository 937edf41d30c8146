//! Telling the API how the pod is, when there is something new, and resting when there is not.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use tokio::time::Instant;

use super::super::kept::Kept;
use super::super::publish;
use super::{Live, Worker};
use crate::status;

/// A pod that has nothing to do within this time is packed.
const NAP: Duration = Duration::from_secs(60);

/// Stands where a pod is packed.
static NOBODY: LazyLock<Arc<Pod>> = LazyLock::new(Arc::default);

impl Worker {
    /// Begins to write what the API does not know yet; says when to look again if it is to be held back.
    pub(super) fn publish(&mut self, now: Instant) -> Option<Instant> {
        let reported = self.reported.as_ref().map(|status| status.look());
        let before = reported.as_deref().or(self.pod.status.as_ref());
        let status =
            status::build(&self.pod, &self.wish, &self.observed, self.ground.host_ip, before, Timestamp::now());
        if self.shown.as_ref().is_none_or(|shown| *shown.look() != status) {
            // Once more as it was when the API was told: then there is nothing to tell.
            let as_told = self.reported.clone().filter(|_| reported.as_deref() == Some(&status));
            let status = as_told.unwrap_or_else(|| Arc::new(Kept::new(status)));
            self.view.set_status(status.clone());
            self.shown = Some(status);
        }
        if self.write.is_some() {
            return None;
        }
        let Some(uid) = self.known_as() else {
            // Nobody waits for what there is no object for.
            self.observed.removed |= self.removing;
            if self.left {
                self.reported = self.shown.clone();
            }
            return None;
        };
        if let Some(at) = self.rewrite.filter(|at| now < *at) {
            return Some(at);
        }
        if !(self.is_told() || self.removing && self.nothing_ever_ran()) {
            if now < self.hold && !self.removing && self.is_unsettled(now) {
                return Some(self.hold);
            }
            let (client, pod, before) = (self.ground.client.clone(), self.pod.clone(), reported);
            self.writing = self.shown.clone();
            let status = self.shown.as_ref().map(|status| status.look()).unwrap_or_default();
            let (marks, turns) = (self.marks.clone(), self.ground.turns.clone());
            self.write = Some(Box::pin(async move {
                turns.let_pass().await;
                publish::status(client, &pod, &uid, &status, before.as_deref(), &unknown(&pod, marks)).await
            }));
        } else if self.removing && !self.observed.removed {
            let (client, pod) = (self.ground.client.clone(), self.pod.clone());
            self.writing = None;
            self.write = Some(Box::pin(async move { publish::removal(client, &pod, &uid).await }));
        }
        None
    }

    /// The uid that the API knows it by.
    fn known_as(&self) -> Option<Arc<str>> {
        match &self.mirror {
            Some(mirror) => mirror.borrow().clone(),
            None => Some(self.pod.metadata.uid.as_deref().unwrap_or_default().into()),
        }
    }

    /// Whether the API has been told what is to be told.
    pub(super) fn is_told(&self) -> bool {
        match (&self.shown, &self.reported) {
            (Some(shown), Some(reported)) => Arc::ptr_eq(shown, reported),
            (shown, reported) => shown.is_none() && reported.is_none(),
        }
    }

    /// Whether nothing is under way, and nothing will be for a while.
    pub(super) fn may_rest(&self, wake: Option<Instant>, now: Instant) -> bool {
        self.errand.is_none()
            && self.write.is_none()
            && self.tries.is_empty()
            && self.is_told()
            && wake.is_none_or(|wake| wake > now + NAP)
    }

    pub(super) fn rest(&mut self) {
        self.marks = unknown(&self.pod, std::mem::take(&mut self.marks));
        self.pod = NOBODY.clone();
        self.kept.pack();
        if let Some(status) = &self.shown {
            status.pack();
        }
    }

    fn nothing_ever_ran(&self) -> bool {
        self.observed.units.iter().all(|unit| unit.ended().is_none())
    }

    /// Something is about to change the status again.
    fn is_unsettled(&self, now: Instant) -> bool {
        let soon = now + Duration::from_millis(10);
        let asking = |live: &Live, started| live.probing.due(started).is_none_or(|due| due <= soon);
        self.errand.is_some()
            || self.observed.units.iter().zip(&self.live).any(|(unit, live)| {
                !unit.ready && live.as_ref().is_some_and(|live| !live.probing.is_empty() && asking(live, unit.started))
            })
    }
}

/// The annotations that the pod does not have yet: after a restart of a container, none.
fn unknown(pod: &Pod, mut marks: BTreeMap<String, String>) -> BTreeMap<String, String> {
    marks.retain(|name, value| pod.metadata.annotations.as_ref().and_then(|known| known.get(name)) != Some(value));
    marks
}
