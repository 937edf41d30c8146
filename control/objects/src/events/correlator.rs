//! From reports to events: count, combine, hold back.

use k8s_openapi::api::core::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};

use super::recent::Recent;
use super::{Report, Reporter, build};
use crate::time;

/// How many objects, groups and events are remembered.
const REMEMBERED: usize = 4096;
/// So many reports of one reason with different messages are told one by one, then combined.
const SIMILAR: usize = 10;
/// A group of similar reports is forgotten after this many seconds of silence.
const SIMILAR_FOR: i64 = 600;
/// So many events an object may have at once from one reporter …
const BURST: f64 = 25.0;
/// … and one more after this many seconds.
const REFILL: f64 = 300.0;

/// What to do about a report.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Write this event.
    Create(Box<Event>),
    /// The event is there already: count it.
    Bump {
        /// The whole event, to be created again should it be gone.
        event: Box<Event>,
        /// The merge patch that counts.
        patch: Value,
    },
    /// Say nothing: too much was said about this object.
    Drop,
}

/// The memory that turns reports into steps. One for each reporter.
#[derive(Debug)]
pub struct Correlator {
    reporter: Reporter,
    groups: Recent<Group>,
    events: Recent<Option<Told>>,
    budgets: Recent<Budget>,
}

/// Messages lately seen with one reason on one object.
#[derive(Debug)]
struct Group {
    messages: Vec<u64>,
    last: Time,
}

/// An event that was told. What else it says, its next report says as well.
#[derive(Debug)]
struct Told {
    name: Option<String>,
    count: i32,
    first: Option<Time>,
}

/// A token bucket.
#[derive(Debug)]
struct Budget {
    left: f64,
    at: Time,
}

impl Correlator {
    /// A memory with nothing in it.
    pub fn new(reporter: Reporter) -> Self {
        Self {
            reporter,
            groups: Recent::new(REMEMBERED),
            events: Recent::new(REMEMBERED),
            budgets: Recent::new(REMEMBERED),
        }
    }

    /// What to do about this report.
    pub fn observe(&mut self, report: &Report, now: &Time) -> Step {
        let about = &report.regarding;
        let object = (&about.api_version, &about.kind, &about.namespace, &about.name, &about.uid);
        let combined = self.is_one_of_many(report, &object, now);
        let message = if combined {
            format!("(combined from similar events): {}", report.message)
        } else {
            report.message.clone()
        };
        let detail = if combined { "" } else { message.as_str() };
        let key = self.events.key(&(object, &about.field_path, report.level, &report.reason, detail));
        if !self.spend(&object, now) {
            return Step::Drop;
        }
        let mut event = Box::new(build(&self.reporter, &Report { message, ..report.clone() }, now));
        match self.events.entry(key, || None) {
            Some(told) => {
                told.count = told.count.saturating_add(1);
                event.metadata.name.clone_from(&told.name);
                event.first_timestamp.clone_from(&told.first);
                event.count = Some(told.count);
                let patch = json!({ "count": event.count, "lastTimestamp": time::text(now), "message": event.message });
                Step::Bump { event, patch }
            }
            unseen @ None => {
                let name = event.metadata.name.clone();
                *unseen = Some(Told { name, count: 1, first: event.first_timestamp.clone() });
                Step::Create(event)
            }
        }
    }

    /// True once this reason was reported about this object with many different messages.
    fn is_one_of_many(&mut self, report: &Report, object: &impl std::hash::Hash, now: &Time) -> bool {
        let message = self.groups.key(&report.message);
        let key = self.groups.key(&(object, &report.regarding.field_path, report.level, &report.reason));
        let group = self.groups.entry(key, || Group { messages: Vec::new(), last: now.clone() });
        if time::since(&group.last, now).as_secs() > SIMILAR_FOR {
            group.messages.clear();
        }
        group.last = now.clone();
        if group.messages.contains(&message) {
            return false;
        }
        if group.messages.len() + 1 >= SIMILAR {
            return true;
        }
        group.messages.push(message);
        false
    }

    fn spend(&mut self, object: &impl std::hash::Hash, now: &Time) -> bool {
        let key = self.budgets.key(object);
        let budget = self.budgets.entry(key, || Budget { left: BURST, at: now.clone() });
        let passed = time::since(&budget.at, now).as_secs_f64().max(0.0);
        budget.left = (budget.left + passed / REFILL).min(BURST);
        budget.at = now.clone();
        if budget.left < 1.0 {
            return false;
        }
        budget.left -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ObjectReference;

    use super::super::Level;
    use super::*;

    fn report(message: &str) -> Report {
        let regarding =
            ObjectReference { name: Some("web".into()), namespace: Some("dev".into()), ..ObjectReference::default() };
        Report { regarding, level: Level::Normal, reason: "Created".into(), message: message.into() }
    }

    #[test]
    fn repeats_are_counted() {
        let mut correlator = Correlator::new(Reporter::new("test"));
        let now = time::now();
        let Step::Create(event) = correlator.observe(&report("a"), &now) else { panic!("the first is created") };
        assert_eq!(event.metadata.namespace.as_deref(), Some("dev"));
        let Step::Bump { event: again, patch } = correlator.observe(&report("a"), &now) else { panic!("then counted") };
        assert_eq!((again.metadata.name, patch["count"].as_i64()), (event.metadata.name, Some(2)));
        assert!(matches!(correlator.observe(&report("b"), &now), Step::Create(_)));
    }

    #[test]
    fn similar_ones_are_combined_and_floods_dropped() {
        let mut correlator = Correlator::new(Reporter::new("test"));
        let now = time::now();
        let steps: Vec<Step> = (0..40).map(|i| correlator.observe(&report(&i.to_string()), &now)).collect();
        let created = steps.iter().filter(|s| matches!(s, Step::Create(_))).count();
        let dropped = steps.iter().filter(|s| matches!(s, Step::Drop)).count();
        assert_eq!((created, dropped), (SIMILAR, 40 - 25));
        let Step::Bump { event, .. } = &steps[12] else { panic!("counted: {:?}", steps[12]) };
        assert_eq!(event.message.as_deref(), Some("(combined from similar events): 12"));
        let later = time::plus_seconds(&now, 301);
        assert_ne!(correlator.observe(&report("0"), &later), Step::Drop);
    }
}
