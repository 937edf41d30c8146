//! The clock that busy guests look at.
//!
//! One thread moves the engines' epochs on every 10 ms, and compiled code yields when it notices. While no guest runs
//! nobody looks, so after a second without a turn the thread parks, and the next guest to be polled wakes it: an idle
//! device has no timer of ours in it.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread::Thread;
use std::time::Duration;

use parking_lot::Mutex;

/// The time a guest may run while others wait.
pub(super) const TICK: Duration = Duration::from_millis(10);

/// Ticks without a turn before the thread parks.
const PATIENCE: u32 = 100;

/// The low half of `turns` counts the turns under way, the high half those ever begun.
const BEGIN: u64 = (1 << 32) + 1;
const UNDER_WAY: u64 = u32::MAX as u64;

#[derive(Default)]
struct Shared {
    turns: AtomicU64,
    parked: AtomicBool,
    closing: AtomicBool,
    thread: OnceLock<Thread>,
    engines: Mutex<Vec<wasmtime::EngineWeak>>,
}

/// A handle to the thread; dropping the [`Owner`] ends it, once the last guest is gone.
#[derive(Clone)]
pub(crate) struct Ticker(Arc<Shared>);

/// Ends the thread when it is dropped.
pub(super) struct Owner(pub(super) Ticker);

/// A guest is running while this lives.
pub(crate) struct Turn<'a>(&'a Shared);

impl Ticker {
    pub(super) fn start(engine: &wasmtime::Engine) -> std::io::Result<Owner> {
        let shared = Arc::new(Shared { engines: Mutex::new(vec![engine.weak()]), ..Shared::default() });
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("guest-ticker".into())
            .stack_size(64 << 10)
            .spawn(move || run(&of_thread))?;
        // Empty until now, and written only here.
        let _ = shared.thread.set(thread.thread().clone());
        Ok(Owner(Ticker(shared)))
    }

    /// Ticks for another engine, too.
    pub(super) fn tick(&self, engine: &wasmtime::Engine) {
        self.0.engines.lock().push(engine.weak());
    }

    /// A guest is about to run. Cheap: two atomic operations, unless the thread has to be woken.
    pub(crate) fn turn(&self) -> Turn<'_> {
        self.0.turns.fetch_add(BEGIN, SeqCst);
        if self.0.parked.load(SeqCst) {
            self.0.wake();
        }
        Turn(&self.0)
    }
}

impl Shared {
    /// Moves every engine on that is still there; false when none is.
    fn advance(&self) -> bool {
        let mut engines = self.engines.lock();
        engines.retain(|engine| engine.upgrade().inspect(wasmtime::Engine::increment_epoch).is_some());
        !engines.is_empty()
    }

    fn wake(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.turns.fetch_sub(1, SeqCst);
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.0.closing.store(true, SeqCst);
        self.0.0.wake();
    }
}

fn run(shared: &Shared) {
    let mut seen = 0;
    let mut quiet = 0;
    // An engine outlives its owner by the guests that are still being dropped: they need the tick to notice.
    while shared.advance() {
        let turns = shared.turns.load(SeqCst);
        quiet = if turns == seen && turns & UNDER_WAY == 0 { quiet + 1 } else { 0 };
        seen = turns;
        if quiet < PATIENCE || shared.closing.load(SeqCst) {
            std::thread::park_timeout(TICK);
            continue;
        }
        // `turn` counts first and looks at `parked` after; here it is the other way round, so one of us sees the other.
        shared.parked.store(true, SeqCst);
        if shared.turns.load(SeqCst) == turns && !shared.closing.load(SeqCst) {
            std::thread::park();
        }
        shared.parked.store(false, SeqCst);
        quiet = 0;
    }
}
