//! The threads of guests.
//!
//! On a runtime shared with the rest of the process, busy guests on all workers delay everybody's sockets and timers by
//! 61 turns of 10 ms, because that is how often a tokio worker looks at them. So guests have workers of their own, and
//! there the look is more frequent, for the sake of the guests that sleep.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;

use super::fair::Fair;
use super::ticker::{Owner, Ticker};

/// Turns between two looks at timers and sockets: four busy guests delay a sleeping one by 40 ms at most.
const EVENT_INTERVAL: u32 = 4;

/// Threads for file operations, which WASI has no asynchronous form of.
const FILE_THREADS: usize = 16;

/// The guests' runtime and its ticker. Dropping it drops the guests.
pub(crate) struct Guests {
    handle: Handle,
    ticker: Ticker,
    fair: Arc<Fair>,
    // `None` only while it is being dropped.
    runtime: Option<Runtime>,
    _owner: Owner,
}

impl Guests {
    pub(super) fn start(engine: &wasmtime::Engine) -> std::io::Result<Guests> {
        let runtime = Builder::new_multi_thread()
            .thread_name("guest")
            .event_interval(EVENT_INTERVAL)
            .max_blocking_threads(FILE_THREADS)
            .enable_all()
            .build()?;
        let owner = Ticker::start(engine)?;
        let handle = runtime.handle().clone();
        let fair = Fair::new(handle.metrics().num_workers());
        Ok(Guests { handle, ticker: owner.0.clone(), fair, runtime: Some(runtime), _owner: owner })
    }

    /// Where busy guests line up.
    pub(crate) fn fair(&self) -> &Arc<Fair> {
        &self.fair
    }

    /// Has the ticker move this engine's epoch on, too.
    pub(super) fn tick(&self, engine: &wasmtime::Engine) {
        self.ticker.tick(engine);
    }

    /// Runs a guest, or work that belongs to one, on the guests' threads. Aborting the handle ends it when it next
    /// waits or yields. What polls a guest's code goes through its container's
    /// [account](crate::container::cpu::Account::paced).
    pub(crate) fn spawn<F>(&self, guest: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.handle.spawn(Ticked { ticker: self.ticker.clone(), guest })
    }
}

impl Drop for Guests {
    /// Without waiting: the last handle to an engine may go away inside an async task, where tokio forbids to block.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

pin_project_lite::pin_project! {
    /// A guest's future that tells the ticker when it runs.
    struct Ticked<F> {
        ticker: Ticker,
        #[pin]
        guest: F,
    }
}

impl<F: Future> Future for Ticked<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _turn = this.ticker.turn();
        this.guest.poll(cx)
    }
}
