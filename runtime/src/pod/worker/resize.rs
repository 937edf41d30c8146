//! Bringing a resize in.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Pod, ResourceRequirements};
use tokio::time::Instant;

use super::super::observed::{Role, State, Trouble};
use super::super::resize::{Amounts, Change, Verdict, admit, change};
use super::super::start;
use super::Worker;

/// How soon a node that has no room looks again.
const RETRY: Duration = Duration::from_secs(10);

impl Worker {
    /// The object was like `before`: what it asks for now, and did not then, is to be agreed to.
    pub(super) fn compare_resources(&mut self, before: &Pod) {
        for unit in self.observed.units.iter_mut().filter(|unit| matches!(unit.role, Role::Main | Role::Sidecar)) {
            let now = resources(&self.pod, &unit.name);
            let held = unit.allocated.take().unwrap_or_else(|| Arc::new(resources(before, &unit.name)));
            unit.allocated = (*held != now).then_some(held);
        }
        self.agree();
    }

    /// Looks whether the node has what is asked for.
    pub(super) fn agree(&mut self) {
        self.observed.resize = None;
        if self.observed.units.iter().all(|unit| unit.allocated.is_none()) {
            return;
        }
        let capacity = Amounts::of(Some(&*self.ground.allocatable));
        let others = self.ground.directory.asked_by_others(&self.view);
        match admit(Amounts::asked_by(&self.pod), others, capacity) {
            Verdict::Fits => (0..self.observed.units.len()).for_each(|index| self.give(index)),
            Verdict::Deferred(message) => {
                let retry = Some(Instant::now() + RETRY);
                self.observed.resize = Some(Trouble { retry, ..Trouble::new("Deferred", message) });
            }
            Verdict::Infeasible(message) => self.observed.resize = Some(Trouble::new("Infeasible", message)),
        }
    }

    /// A container gets what the node has agreed to.
    fn give(&mut self, index: usize) {
        let unit = &mut self.observed.units[index];
        let Some(held) = unit.allocated.take() else { return };
        let Some(container) = super::super::container(&self.pod, &unit.name) else { return };
        let (Some(live), State::Running { .. }) = (&self.live[index], &unit.state) else { return };
        match change(container, &held, &resources(&self.pod, &unit.name)) {
            Change::None => {}
            Change::InPlace => live.container.set_limits(start::cpu(container), start::memory_limit(container)),
            Change::Restart => {
                unit.actual = Some(held);
                unit.condemned = Some(self.wish.grace);
                self.tell_resized(index);
            }
        }
    }
}

fn resources(pod: &Pod, name: &str) -> ResourceRequirements {
    super::super::container(pod, name).and_then(|container| container.resources.clone()).unwrap_or_default()
}
