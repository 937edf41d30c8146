//! Where each key of a queue stands.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::Hash;

use tokio::time::Instant;

/// The life of a key: idle → queued → running → cooling → idle or queued.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// Nothing to do now.
    #[default]
    Idle,
    /// In line.
    Queued,
    /// Worked on; `again` when it changed meanwhile.
    Running { again: bool },
    /// Just ended; `again` when it changed since.
    Cooling { again: bool },
}

#[derive(Debug, Default)]
struct Slot {
    phase: Phase,
    failures: u32,
    /// When the key is to be added by itself.
    due: Option<Ticket>,
}

/// A place among the timers: a time, and a number that makes it unique.
type Ticket = (Instant, u64);

/// What happens when a timer fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alarm {
    Add,
    Cooled,
}

#[derive(Debug)]
pub(super) struct State<K> {
    ready: VecDeque<K>,
    slots: HashMap<K, Slot>,
    timers: BTreeMap<Ticket, (K, Alarm)>,
    tickets: u64,
}

impl<K> Default for State<K> {
    fn default() -> Self {
        Self { ready: VecDeque::new(), slots: HashMap::new(), timers: BTreeMap::new(), tickets: 0 }
    }
}

impl<K: Clone + Eq + Hash> State<K> {
    /// Queues a key; true when somebody should be woken.
    pub fn add(&mut self, key: K) -> bool {
        let slot = self.slots.entry(key.clone()).or_default();
        match &mut slot.phase {
            Phase::Queued => false,
            Phase::Running { again } | Phase::Cooling { again } => {
                *again = true;
                false
            }
            phase @ Phase::Idle => {
                *phase = Phase::Queued;
                self.ready.push_back(key);
                true
            }
        }
    }

    /// Queues a key at a time, unless it is due earlier anyway; true when the timer may have to be set anew.
    pub fn add_at(&mut self, key: K, at: Instant) -> bool {
        let slot = self.slots.entry(key.clone()).or_default();
        if let Some(due) = slot.due {
            if due.0 <= at {
                return false;
            }
            self.timers.remove(&due);
        }
        self.tickets += 1;
        let ticket = (at, self.tickets);
        slot.due = Some(ticket);
        self.timers.insert(ticket, (key, Alarm::Add));
        true
    }

    /// The next key to work on, or the time of the next alarm.
    pub fn take(&mut self, now: Instant) -> Result<K, Option<Instant>> {
        while let Some(first) = self.timers.first_entry().filter(|e| e.key().0 <= now) {
            let (key, alarm) = first.remove();
            self.ring(key, alarm);
        }
        match self.ready.pop_front() {
            Some(key) => {
                if let Some(slot) = self.slots.get_mut(&key) {
                    slot.phase = Phase::Running { again: false };
                }
                Ok(key)
            }
            None => Err(self.timers.first_key_value().map(|(ticket, _)| ticket.0)),
        }
    }

    fn ring(&mut self, key: K, alarm: Alarm) {
        let Some(slot) = self.slots.get_mut(&key) else { return };
        match (alarm, slot.phase) {
            (Alarm::Add, _) => {
                slot.due = None;
                self.add(key);
            }
            (Alarm::Cooled, Phase::Cooling { again }) => {
                slot.phase = Phase::Idle;
                if again {
                    self.add(key);
                } else {
                    self.forget_idle(&key);
                }
            }
            (Alarm::Cooled, _) => {}
        }
    }

    /// The key's run ended; it may run again from `cooled` on.
    pub fn ended(&mut self, key: &K, cooled: Instant) {
        let Some(slot) = self.slots.get_mut(key) else { return };
        let again = slot.phase == Phase::Running { again: true };
        slot.phase = Phase::Cooling { again };
        self.tickets += 1;
        self.timers.insert((cooled, self.tickets), (key.clone(), Alarm::Cooled));
    }

    /// Counts a failure and returns how many there were in a row.
    pub fn failed(&mut self, key: &K) -> u32 {
        let Some(slot) = self.slots.get_mut(key) else { return 1 };
        slot.failures = slot.failures.saturating_add(1);
        slot.failures
    }

    /// Forgets the failures, and a time that the run before had asked for.
    pub fn succeeded(&mut self, key: &K) {
        if let Some(slot) = self.slots.get_mut(key) {
            slot.failures = 0;
            if let Some(due) = slot.due.take() {
                self.timers.remove(&due);
            }
        }
    }

    fn forget_idle(&mut self, key: &K) {
        if self.slots.get(key).is_some_and(|s| s.phase == Phase::Idle && s.due.is_none() && s.failures == 0) {
            self.slots.remove(key);
        }
    }

    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty() && self.timers.is_empty() && self.ready.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const PACE: Duration = Duration::from_millis(10);

    fn at(start: Instant, millis: u64) -> Instant {
        start + Duration::from_millis(millis)
    }

    #[test]
    fn a_key_is_queued_once_and_runs_again_when_it_changes_meanwhile() {
        let (mut state, start) = (State::default(), Instant::now());
        assert!(state.add("a") && !state.add("a"));
        assert_eq!(state.take(start), Ok("a"));
        assert!(!state.add("a"));
        assert_eq!(state.take(start), Err(None), "one key, one run");
        state.ended(&"a", start + PACE);
        assert_eq!(state.take(at(start, 9)), Err(Some(start + PACE)));
        assert_eq!(state.take(at(start, 10)), Ok("a"));
        state.ended(&"a", at(start, 20));
        assert_eq!(state.take(at(start, 20)), Err(None));
        assert!(state.is_empty(), "nothing is remembered of an idle key");
    }

    #[test]
    fn the_earliest_of_several_delays_counts() {
        let (mut state, start) = (State::default(), Instant::now());
        for millis in [10_000, 2_000, 20_000] {
            state.add_at("a", at(start, millis));
        }
        assert_eq!(state.take(at(start, 1_999)), Err(Some(at(start, 2_000))));
        assert_eq!(state.take(at(start, 2_000)), Ok("a"));
        state.succeeded(&"a");
        state.ended(&"a", at(start, 2_010));
        assert_eq!(state.take(at(start, 30_000)), Err(None));
        assert!(state.is_empty());
    }

    #[test]
    fn a_flood_becomes_a_few_runs() {
        let (mut state, start) = (State::default(), Instant::now());
        let mut runs = 0;
        for millis in 0..1000 {
            state.add("a");
            if state.take(at(start, millis)).is_ok() {
                runs += 1;
                state.ended(&"a", at(start, millis) + PACE);
            }
        }
        assert_eq!(runs, 100);
    }

    #[test]
    fn failures_are_counted_until_a_success() {
        let (mut state, start) = (State::default(), Instant::now());
        state.add("a");
        assert_eq!(state.take(start), Ok("a"));
        assert_eq!((state.failed(&"a"), state.failed(&"a")), (1, 2));
        state.ended(&"a", start);
        assert_eq!(state.take(start), Err(None));
        assert!(!state.is_empty());
        state.succeeded(&"a");
        assert_eq!(state.failed(&"a"), 1);
    }
}
