//! Who runs next when there are more busy guests than processors.
//!
//! A guest that waits for something most of the time is never in the way: it runs when it wakes. One that is cut off at
//! the end of its turn is *busy*, and lines up for the next: as many turns are out as there are guest threads, and the
//! next goes to whoever is furthest behind in *virtual time*, which is processor time divided by weight. So over time
//! containers get processor time in proportion to their `requests.cpu`, however many instances and programs each runs.
//! Containers that are busy in many short turns are held to the same: when others stand in line and they are ahead of
//! them, they line up too. A container that was idle starts level with the rest; it can't save up.
//!
//! While nobody stands in line all this is two loads of atomic numbers a turn.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::task::Waker;

use parking_lot::Mutex;

use super::slice::nanos;
use super::ticker::TICK;

/// Virtual nanoseconds: processor time of a container with the weight of one whole core.
pub(crate) type Virtual = u64;

const NOBODY: Virtual = Virtual::MAX;

/// What `nanos` of processor time are worth to a container that asked for so many thousandths of a core.
pub(crate) fn virtual_time(nanos: u64, weight: u32) -> Virtual {
    u64::try_from(u128::from(nanos) * 1000 / u128::from(weight.max(1))).unwrap_or(NOBODY - 1)
}

/// The line of the guests' runtime.
pub(crate) struct Fair {
    /// The least virtual time in the line.
    first: AtomicU64,
    /// The least of those in line and of those that have a turn; it never goes back.
    clock: AtomicU64,
    line: Mutex<Line<Arc<Ticket>>>,
}

/// A place in the line, and then a turn.
pub(crate) struct Ticket {
    called: AtomicBool,
    waker: Mutex<Waker>,
    /// Its container's virtual time, which goes on while it waits when others of the container run.
    time: Arc<AtomicU64>,
    number: u64,
}

impl Ticket {
    /// Whether it is its turn; if not, the waker is called when it is.
    pub(crate) fn is_called(&self, waker: &Waker) -> bool {
        if self.called.load(SeqCst) {
            return true;
        }
        self.waker.lock().clone_from(waker);
        // Whoever calls sets the word first and takes the waker after.
        self.called.load(SeqCst)
    }
}

impl Fair {
    pub(crate) fn new(turns: usize) -> Arc<Fair> {
        Arc::new(Fair { first: AtomicU64::new(NOBODY), clock: AtomicU64::new(0), line: Mutex::new(Line::new(turns)) })
    }

    /// The time that a container which was idle starts with.
    pub(crate) fn clock(&self) -> Virtual {
        self.clock.load(Relaxed)
    }

    /// Whether somebody stands in line who is behind this one by more than a turn.
    pub(crate) fn is_ahead(&self, time: Virtual, weight: u32) -> bool {
        let first = self.first.load(Relaxed);
        first != NOBODY && time > first.saturating_add(virtual_time(nanos(TICK), weight))
    }

    /// Lines up; with the turn that is over, if there was one, so that others never see it gone.
    pub(crate) fn join(&self, over: Option<&Ticket>, time: &Arc<AtomicU64>, waker: &Waker) -> Arc<Ticket> {
        let mut line = self.line.lock();
        if let Some(over) = over {
            line.leave(over.number);
        }
        time.fetch_max(self.clock(), Relaxed);
        let (called, waker) = (AtomicBool::new(false), Mutex::new(waker.clone()));
        let ticket = Arc::new(Ticket { called, waker, time: Arc::clone(time), number: line.number() });
        line.join(time.load(Relaxed), ticket.number, Arc::clone(&ticket));
        self.call(&mut line);
        ticket
    }

    /// Gives up a place, or the turn that it has become.
    pub(crate) fn leave(&self, ticket: &Ticket) {
        let mut line = self.line.lock();
        line.leave(ticket.number);
        self.call(&mut line);
    }

    fn call(&self, line: &mut Line<Arc<Ticket>>) {
        while let Some(ticket) = line.next(|ticket| ticket.time.load(Relaxed)) {
            ticket.called.store(true, SeqCst);
            ticket.waker.lock().wake_by_ref();
        }
        self.first.store(line.first().unwrap_or(NOBODY), Relaxed);
        if let Some(least) = line.least() {
            self.clock.fetch_max(least, Relaxed);
        }
    }
}

/// Those who wait, by virtual time and then by when they came, and those whose turn it is.
struct Line<T> {
    turns: usize,
    came: u64,
    waiting: BTreeMap<(Virtual, u64), T>,
    /// By number: the virtual time of each.
    all: HashMap<u64, (Virtual, Place)>,
    running: BTreeSet<(Virtual, u64)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Waiting,
    Running,
}

impl<T> Line<T> {
    fn new(turns: usize) -> Line<T> {
        let (waiting, all, running) = Default::default();
        Line { turns: turns.max(1), came: 0, waiting, all, running }
    }

    fn number(&mut self) -> u64 {
        self.came += 1;
        self.came
    }

    fn join(&mut self, time: Virtual, number: u64, one: T) {
        self.waiting.insert((time, number), one);
        self.all.insert(number, (time, Place::Waiting));
    }

    /// Whoever gets the next turn, if there is one to give. `time` says what has become of the time that it came with.
    fn next(&mut self, time: impl Fn(&T) -> Virtual) -> Option<T> {
        while self.running.len() < self.turns {
            let ((then, number), one) = self.waiting.pop_first()?;
            let now = time(&one);
            if now > then && self.first().is_some_and(|first| first < now) {
                self.join(now, number, one);
                continue;
            }
            self.all.insert(number, (now, Place::Running));
            self.running.insert((now, number));
            return Some(one);
        }
        None
    }

    fn leave(&mut self, number: u64) {
        match self.all.remove(&number) {
            Some((time, Place::Waiting)) => drop(self.waiting.remove(&(time, number))),
            Some((time, Place::Running)) => drop(self.running.remove(&(time, number))),
            None => {}
        }
    }

    fn first(&self) -> Option<Virtual> {
        self.waiting.first_key_value().map(|((time, _), _)| *time)
    }

    fn least(&self) -> Option<Virtual> {
        self.first().into_iter().chain(self.running.first().map(|(time, _)| *time)).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TURN: u64 = 10_000_000;

    /// Busy containers by weight, each with so many tasks: turns of each after `rounds` rounds.
    fn share(turns: usize, containers: &[(u32, usize)], rounds: usize) -> Vec<u64> {
        let mut line = Line::new(turns);
        let mut times = vec![0; containers.len()];
        let mut used = vec![0; containers.len()];
        for (index, (_, tasks)) in containers.iter().enumerate() {
            for _ in 0..*tasks {
                let number = line.number();
                line.join(0, number, (index, number));
            }
        }
        for _ in 0..rounds {
            let mut running = Vec::new();
            while let Some(one) = line.next(|(index, _)| times[*index]) {
                running.push(one);
            }
            for (index, number) in running {
                used[index] += 1;
                times[index] += virtual_time(TURN, containers[index].0);
                line.leave(number);
                let number = line.number();
                line.join(times[index], number, (index, number));
            }
        }
        used
    }

    #[test]
    fn time_is_shared_by_weight() {
        assert_eq!(share(1, &[(1000, 1), (500, 1), (250, 1)], 1750), [1000, 500, 250]);
    }

    #[test]
    fn many_tasks_get_no_more_than_one() {
        for used in share(2, &[(100, 1), (100, 1), (100, 30)], 900) {
            assert!((597..=603).contains(&used), "{used}");
        }
    }

    fn time(virtual_time: u64) -> Arc<AtomicU64> {
        Arc::new(AtomicU64::new(virtual_time))
    }

    #[test]
    fn those_behind_are_called_first_and_a_lost_turn_goes_on() {
        let fair = Fair::new(1);
        let waker = Waker::noop();
        let one = fair.join(None, &time(5), waker);
        let ahead = fair.join(None, &time(90), waker);
        let behind = fair.join(None, &time(20), waker);
        assert!(one.is_called(waker) && !ahead.is_called(waker) && !behind.is_called(waker));
        fair.leave(&one);
        assert!(behind.is_called(waker) && !ahead.is_called(waker));
        let late = fair.join(None, &time(30), waker);
        fair.leave(&late);
        fair.leave(&behind);
        assert!(ahead.is_called(waker));
    }

    #[test]
    fn the_clock_follows_the_slowest() {
        let fair = Fair::new(2);
        let waker = Waker::noop();
        let (slow, fast) = (time(10), time(1000));
        let mut one = fair.join(None, &slow, waker);
        let _other = fair.join(None, &fast, waker);
        assert_eq!(fair.clock(), 10);
        slow.store(20, Relaxed);
        one = fair.join(Some(&one), &slow, waker);
        assert_eq!(fair.clock(), 20, "the fast one's time is not everybody's");
        let idle = time(0);
        fair.join(None, &idle, waker);
        assert_eq!(idle.load(Relaxed), 20, "nothing is saved up");
        assert!(one.is_called(waker));
    }

    #[test]
    fn only_those_ahead_of_somebody_in_line_give_way() {
        let fair = Fair::new(1);
        assert!(!fair.is_ahead(NOBODY - 1, 1000), "nobody is waiting");
        let _turn = fair.join(None, &time(0), Waker::noop());
        let waiting = fair.join(None, &time(0), Waker::noop());
        assert!(!fair.is_ahead(TURN, 1000));
        assert!(fair.is_ahead(TURN + 1, 1000));
        assert!(!fair.is_ahead(TURN + 1, 500));
        fair.leave(&waiting);
        assert!(!fair.is_ahead(TURN + 1, 1000));
    }
}
