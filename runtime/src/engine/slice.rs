//! What one poll of a guest costs, and whether it was cut short.
//!
//! Processor time is what counts, not the time on the wall: a thread that the kernel took off its core has not run. But
//! the thread's own clock is a system call (0.2 µs and more), and the wall's is none. A poll that was over in [`SURE`]
//! can't have been off the core for long: it is charged by the wall. Only longer ones ask the thread's clock, what the
//! short ones before it were charged taken off.

use std::cell::Cell;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use super::ticker::TICK;

/// Shorter than anything else would have got of the core, had it been taken away.
const SURE: Duration = Duration::from_micros(100);

/// A guest that looks at the clock and has hardly begun was waiting when the tick came: it goes on.
const HARDLY_BEGUN: Duration = Duration::from_millis(TICK.as_millis() as u64 / 2);

thread_local! {
    static THREAD: Cell<Thread> = const { Cell::new(Thread { running: None, cut: false, read: 0, since: 0 }) };
}

#[derive(Clone, Copy)]
struct Thread {
    /// Since when a guest runs.
    running: Option<Instant>,
    cut: bool,
    /// What the thread's clock said when it was last asked, in nanoseconds.
    read: u64,
    /// What was charged by the wall since.
    since: u64,
}

/// A poll's cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spent {
    /// Nanoseconds of processor time.
    pub(crate) nanos: u64,
    /// The guest would have gone on, and was made to give way.
    pub(crate) cut: bool,
}

/// Runs a poll on this thread and says what it cost.
pub(crate) fn measure<T>(begun: Instant, poll: impl FnOnce() -> T) -> (T, Spent) {
    let thread = THREAD.get();
    THREAD.set(Thread { running: Some(begun), cut: false, ..thread });
    let polled = poll();
    let wall = begun.elapsed();
    let mut thread = THREAD.get();
    let nanos = thread.cost(wall);
    let cut = std::mem::take(&mut thread.cut);
    thread.running = None;
    THREAD.set(thread);
    (polled, Spent { nanos, cut })
}

/// Whether the guest on this thread has run for its share of time, now that the tick came. If so it is noted that it had
/// to give way.
pub(crate) fn is_over() -> bool {
    let mut thread = THREAD.get();
    let over = thread.running.is_none_or(|begun| begun.elapsed() >= HARDLY_BEGUN);
    if over {
        thread.cut = true;
        THREAD.set(thread);
    }
    over
}

impl Thread {
    fn cost(&mut self, wall: Duration) -> u64 {
        let wall_nanos = nanos(wall);
        if wall < SURE {
            self.since += wall_nanos;
            return wall_nanos;
        }
        let now = thread_clock();
        let ran = now.saturating_sub(self.read).saturating_sub(self.since);
        (self.read, self.since) = (now, 0);
        ran.min(wall_nanos)
    }
}

fn thread_clock() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    nanos(Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32))
}

/// Five hundred years fit.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spin(long: Duration) {
        let begun = Instant::now();
        while begun.elapsed() < long {}
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "what is tested is a thread that sleeps")]
    fn a_thread_off_its_core_is_not_charged() {
        measure(Instant::now(), || spin(SURE * 2));
        let (_, slept) = measure(Instant::now(), || std::thread::sleep(Duration::from_millis(50)));
        assert!(slept.nanos < 25_000_000, "{slept:?}");
        let before = thread_clock();
        let (_, ran) = measure(Instant::now(), || spin(Duration::from_millis(20)));
        let really = thread_clock() - before;
        assert!(ran.nanos * 2 < really * 3 && ran.nanos * 2 > really, "{ran:?} of {really}");
    }

    #[test]
    fn the_tick_ends_only_a_turn_that_has_lasted() {
        let (over, spent) = measure(Instant::now(), is_over);
        assert!(!over && !spent.cut);
        let long_ago = Instant::now() - TICK;
        let (over, spent) = measure(long_ago, is_over);
        assert!(over && spent.cut);
        assert!(!measure(Instant::now(), || ()).1.cut, "of the turn before");
    }
}
