//! The one who writes.
//!
//! A thread, because it waits for the disk; one, because then there is one order. Whatever queues up while it
//! waits goes into its next transaction.

use std::io;
use std::sync::Arc;
use std::thread;

use tokio::sync::{mpsc, oneshot};

use super::plan::{self, Plan};
use super::saver::Saver;
use super::{Entry, Shared, Write, WriteError};

/// Bounds of a batch: they bound the latency of its first write.
const MOST_WRITES: usize = 512;
const MOST_BYTES: usize = 8 << 20;

/// What the writer is asked to do.
pub(super) enum Command {
    Write(Write, Done),
    Close(oneshot::Sender<()>),
}

/// Where the outcome of a write goes.
pub(super) type Done = oneshot::Sender<Result<Arc<Entry>, WriteError>>;

struct Writer {
    /// None when everything is in memory only.
    saver: Option<Saver>,
    shared: Arc<Shared>,
    queue: mpsc::Receiver<Command>,
}

/// Some writes to do at once, and what to do after them.
#[derive(Default)]
struct Batch {
    writes: Vec<Write>,
    callers: Vec<Done>,
    bytes: usize,
    close: Option<oneshot::Sender<()>>,
}

/// Starts the thread. It ends with a close, or when nobody can send commands any more.
pub(super) fn spawn(saver: Option<Saver>, shared: Arc<Shared>, queue: mpsc::Receiver<Command>) -> io::Result<()> {
    let writer = Writer { saver, shared, queue };
    thread::Builder::new().name("store-writer".into()).spawn(move || writer.run()).map(drop)
}

impl Writer {
    fn run(mut self) {
        // However this ends, no watcher waits for ever for changes that nobody makes.
        let _end = EndWatches(self.shared.clone());
        while let Some(first) = self.queue.blocking_recv() {
            let batch = self.gather(first);
            let close = self.write(batch);
            if close.is_some() {
                return self.finish(close);
            }
        }
        self.finish(None);
    }

    /// Takes what waits, up to a bound. Nothing is taken from behind a close.
    fn gather(&mut self, first: Command) -> Batch {
        let mut batch = Batch::default();
        batch.add(first);
        while batch.has_room() {
            match self.queue.try_recv() {
                Ok(command) => batch.add(command),
                Err(_) => break,
            }
        }
        batch
    }

    /// Plans, saves, publishes, acknowledges: in this order, all for the batch as a whole.
    fn write(&mut self, batch: Batch) -> Option<oneshot::Sender<()>> {
        let planned = plan::plan(&self.shared.tables.read(), batch.writes);
        let saved = match &mut self.saver {
            Some(saver) => saver.save(&self.shared.tables.read(), &planned),
            None => Ok(()),
        };
        let answers = match saved {
            Ok(()) => self.publish(planned),
            Err(error) => {
                tracing::error!(%error, writes = batch.callers.len(), "writes failed");
                let reason: Arc<str> = error.to_string().into();
                // Those refused because of another write of the batch are wrong too: that one did not happen.
                vec![Err(WriteError::Closed(reason)); batch.callers.len()]
            }
        };
        for (caller, answer) in batch.callers.into_iter().zip(answers) {
            // Whoever does not wait any more does not want to know.
            let _ = caller.send(answer);
        }
        batch.close
    }

    fn publish(&self, plan: Plan) -> Vec<Result<Arc<Entry>, WriteError>> {
        let mut watchers = self.shared.hub.lock();
        let mut tables = self.shared.tables.write();
        for event in &plan.events {
            tables.apply(event.clone());
        }
        drop(tables);
        self.shared.hub.dispatch(&mut watchers, &plan.events);
        plan.answers
    }

    fn finish(self, close: Option<oneshot::Sender<()>>) {
        let Self { saver, shared, queue } = self;
        // Whoever still waits in the queue learns that the store is closed.
        drop(queue);
        if let Some(Err(error)) = saver.map(|s| s.finish(&shared.tables.read())) {
            tracing::warn!(%error, "the last changes of leases and events are lost");
        }
        shared.hub.close();
        if let Some(closed) = close {
            let _ = closed.send(());
        }
    }
}

impl Batch {
    fn add(&mut self, command: Command) {
        match command {
            Command::Write(write, done) => {
                self.bytes += write.draft().len();
                self.writes.push(write);
                self.callers.push(done);
            }
            Command::Close(done) => self.close = Some(done),
        }
    }

    fn has_room(&self) -> bool {
        self.close.is_none() && self.writes.len() < MOST_WRITES && self.bytes < MOST_BYTES
    }
}

struct EndWatches(Arc<Shared>);

impl Drop for EndWatches {
    fn drop(&mut self) {
        self.0.hub.close();
    }
}
