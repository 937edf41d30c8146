//! Taking note of what happened.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use tokio::time::Instant;

use super::super::observed::{Sandbox, State, Trouble};
use super::super::place;
use super::super::plan::Wish;
use super::super::probing::Probing;
use super::super::publish::Written;
use super::super::start::{self, CONFIG_ERROR, Started};
use super::super::storage::{EVICTED, Watch};
use super::act::not_started;
use super::{Answer, Errand, Happening, Live, REWRITE, Worker};
use crate::container::Exit;
use crate::guest::interfaces;
use crate::probe::{Complaint, Kind, Outcome};

/// How long a failed pull is shown as such before it is shown as waiting for the next.
const FRESH_FAILURE: Duration = Duration::from_secs(2);

impl Worker {
    pub(super) async fn absorb(&mut self, happening: Happening) {
        match happening {
            Happening::Changed => {
                let before = self.pod.clone();
                self.respec();
                self.compare_resources(&before);
                let about = |pod: &Pod| (pod.metadata.labels.clone(), pod.metadata.annotations.clone());
                if about(&before) != about(&self.pod) {
                    self.refresh_volumes().await;
                }
            }
            Happening::Mirrored => self.reported = None,
            Happening::Leaving => {
                self.observed.leave_by(Instant::now() + self.ground.farewell);
                self.abandon_errand();
            }
            Happening::Surroundings => self.surroundings().await,
            Happening::Made(Errand::Place(made, around)) => {
                self.around = around;
                self.placed(*made);
            }
            Happening::Made(Errand::Start(index, instance, image, result)) => {
                self.observed.busy = false;
                match *result {
                    Ok(started) => {
                        let exit = started.container.exit();
                        self.started(index, instance, image, started);
                        if let Some(exit) = exit {
                            self.exited(index, exit).await;
                        }
                    }
                    Err(error) => self.hindered(index, &image, &error),
                }
            }
            Happening::Exited(index, exit) => self.exited(index, exit).await,
            Happening::Hooked(index, kind, result) => self.hooked(index, kind, result),
            Happening::Answered(answer) => self.answered(answer),
            Happening::Overfull(words) => self.evict(words),
            Happening::Written(result) => self.written(result),
            Happening::Vanished | Happening::Time => {}
        }
    }

    async fn exited(&mut self, index: usize, exit: Exit) {
        let words = self.live[index].take().and_then(|live| {
            live.sink.close();
            live.words
        });
        self.ended(index, exit, words).await;
    }

    /// The object is new or has changed.
    pub(super) fn respec(&mut self) {
        self.kept = self.spec.borrow_and_update().clone();
        self.pod = self.kept.open();
        self.view.set_pod(self.kept.clone());
        self.wish = Wish::of(&self.pod, self.taken);
        let now = Instant::now();
        let meta = &self.pod.metadata;
        if meta.deletion_timestamp.is_some() {
            let grace = meta.deletion_grace_period_seconds.and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(0);
            // The echo of our own writes comes here too, and does not push the deadline away.
            self.observed.end_by(now + Duration::from_secs(grace));
            self.abandon_errand();
        }
        self.observed.meet_debuggers(&self.pod, now);
        self.live.resize_with(self.observed.units.len(), || None);
        self.compare_images(now);
    }

    /// The one thing of a container that may change is its image.
    fn compare_images(&mut self, now: Instant) {
        for index in 0..self.live.len() {
            let unit = &mut self.observed.units[index];
            let wanted = super::super::any_container(&self.pod, &unit.name);
            let Some(wanted) = wanted.as_ref().and_then(|container| container.image.as_deref()) else { continue };
            match &self.live[index] {
                Some(live) if live.image != wanted && unit.condemned.is_none() => {
                    unit.condemned = Some(self.wish.grace);
                    self.tell_redefined(index);
                }
                None if !unit.tried.is_empty() && unit.tried != wanted => {
                    unit.image_backoff = Default::default();
                    if let Some(trouble) = &mut unit.trouble {
                        (trouble.retry, trouble.then) = (Some(now), None);
                    }
                }
                _ => {}
            }
        }
    }

    async fn surroundings(&mut self) {
        let now = Instant::now();
        if let Some(hindrance) = &mut self.observed.hindrance {
            hindrance.retry = Some(now);
        }
        for trouble in self.observed.units.iter_mut().filter_map(|unit| unit.trouble.as_mut()) {
            if trouble.reason == CONFIG_ERROR {
                trouble.retry = Some(now);
            }
        }
        self.refresh_volumes().await;
    }

    /// Brings what containers see as files up to date.
    async fn refresh_volumes(&mut self) {
        let Sandbox::Ready(ip) = self.observed.sandbox else { return };
        if place::has_live_volumes(&self.pod) {
            let given = self.ground.given(&self.pod, &self.around, Some(ip));
            if let Err(error) = place::provide(&self.ground, &self.pod, given).await {
                self.tell_no_place(&error);
            }
        }
    }

    fn placed(&mut self, made: Result<place::Place, place::Error>) {
        self.observed.busy = false;
        match made {
            Ok(place) => {
                self.observed.sandbox = Sandbox::Ready(place.sandbox.plug.address());
                self.place = Some(place);
                let (directory, logs) =
                    (place::directory(&self.ground, &self.pod), start::log_directory(&self.ground, &self.pod));
                self.storage =
                    Watch::new(&self.pod, &directory, &logs, place::memory(&self.ground, &self.pod).as_deref());
            }
            Err(error) => {
                self.tell_no_place(&error);
                let retry = Some(Instant::now() + place::RETRY);
                self.observed.hindrance = Some(Trouble { retry, ..Trouble::new(error.reason(), error.to_string()) });
            }
        }
    }

    fn started(&mut self, index: usize, instance: u32, image: String, started: Started) {
        self.tell_started(index);
        let unit = &mut self.observed.units[index];
        unit.restarts = instance;
        unit.image = started.image.reference.to_string();
        unit.image_id = format!("{}@{}", started.image.reference.repository(), started.image.digest);
        unit.actual = None;
        unit.tried.clone_from(&image);
        if let State::Starting(ended) = &mut unit.state
            && let Some(ended) = ended.take()
        {
            unit.last = Some(ended);
        }
        unit.state = State::Running { since: Timestamp::now(), stopping: None, id: started.id };
        unit.image_backoff = Default::default();
        (unit.started, unit.ready, unit.condemned) = (false, false, None);
        self.view.add_sink(&unit.name, instance, started.sink.clone());
        self.view.add_running(&unit.name, started.container.handle());
        let guest = started.container.handle().guest();
        self.marks.extend(interfaces::annotations(&unit.name, &guest.imports, &guest.exports));
        self.storage.add(&unit.name, started.container.meter());
        let Started { container, sink, words, .. } = started;
        let probing = Probing::default();
        self.live[index] = Some(Live { container, sink, probing, instance, image, hook: None, words });
        self.greet(index);
    }

    fn hindered(&mut self, index: usize, image: &str, error: &start::Error) {
        let now = Instant::now();
        let unit = &mut self.observed.units[index];
        not_started(unit);
        unit.tried = image.to_owned();
        unit.image_backoff.advance(now, now);
        let retry = Some(now + unit.image_backoff.delay(now));
        let (reason, message) = (error.reason(), error.to_string());
        let trouble = Trouble::new(reason, message.clone());
        unit.trouble = Some(match error {
            // Only a change can help.
            start::Error::Image(_) if reason == "InvalidImageName" => trouble,
            // A change tells of itself, unless it came while the start was failing.
            start::Error::Config(_) => Trouble { retry: Some(now + place::RETRY), ..trouble },
            start::Error::Image(error) if error.is_pull() => {
                let worse = format!("Back-off pulling image {image:?}: {reason}: {message}");
                let worse = Trouble { retry, ..Trouble::new("ImagePullBackOff", worse) };
                Trouble { retry, then: Some(Box::new((now + FRESH_FAILURE, worse))), ..trouble }
            }
            _ => Trouble { retry, ..trouble },
        });
        self.tell_hindered(index, image, error);
    }

    fn answered(&mut self, (index, instance, gauge, answer): Answer) {
        let Some(live) = self.live[index].as_mut().filter(|live| live.instance == instance) else { return };
        if let Err(Complaint::Errored(why)) = &answer {
            let kind = live.probing.unanswered(gauge, Instant::now());
            return self.tell_errored(index, kind, why);
        }
        let (kind, outcome, grace) = live.probing.answer(gauge, answer.is_ok(), Instant::now());
        let waits_for_readiness = live.probing.has(Kind::Readiness);
        let unit = &mut self.observed.units[index];
        match (kind, outcome) {
            (_, Outcome::Ignored) => return,
            (Kind::Startup, Outcome::Good) => (unit.started, unit.ready) = (true, !waits_for_readiness),
            (Kind::Readiness, Outcome::Good) => unit.ready = true,
            (Kind::Readiness, Outcome::Bad) => unit.ready = false,
            (Kind::Startup | Kind::Liveness, Outcome::Bad) => unit.condemned = Some(grace.unwrap_or(self.wish.grace)),
            (Kind::Liveness, Outcome::Good) | (_, Outcome::Counted) => {}
        }
        if let Err(Complaint::Failed(complaint)) = answer {
            self.tell_unhealthy(index, kind, &complaint, outcome == Outcome::Bad);
        }
    }

    /// The node fails the pod for what it takes, whatever its containers say. They get no time to end.
    pub(super) fn evict(&mut self, words: String) {
        if self.observed.failed.is_none() && self.observed.ending.is_none() {
            self.tell_evicted(&words);
            self.observed.failed = Some((EVICTED.to_owned(), words));
            self.abandon_errand();
        }
    }

    fn written(&mut self, result: Result<Written, kube::Error>) {
        let written = self.writing.take();
        match result {
            Ok(_) if written.is_some() => (self.reported, self.rewrite) = (written, None),
            Ok(_) => self.observed.removed = true,
            Err(error) => {
                tracing::debug!(pod = ?self.pod.metadata.name, %error, "the API did not take a pod's status");
                self.rewrite = Some(Instant::now() + REWRITE);
            }
        }
    }
}
