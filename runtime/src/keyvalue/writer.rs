//! Writes, gathered.
//!
//! A commit costs a synced write of some pages, however little it changes, and flash wears out by those. So one task
//! writes for all guests of the namespace: what comes while a commit is under way goes into the next one, and there are
//! [at most fifty](PACE) a second. The first write after a pause is committed at once; a guest that writes in a loop
//! waits for its turn, and does better with `set-many`.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::disk::Disk;
use super::{Error, MAX_KEY, MAX_VALUE, PAGE, blocking};

/// Between two commits.
const PACE: Duration = Duration::from_millis(20);

/// Calls of one commit.
const BATCH: usize = 256;

/// Bytes that wait to be written.
const WAITING: usize = 4 * MAX_VALUE;

/// What a call changes.
#[derive(Debug)]
pub(super) enum Change {
    Put { bucket: String, pairs: Vec<(String, Option<Vec<u8>>)> },
    Add { bucket: String, key: String, delta: u64 },
}

struct Order {
    change: Change,
    done: oneshot::Sender<Result<u64, Error>>,
    _room: OwnedSemaphorePermit,
}

/// The way to the task, which ends when this is dropped and everything is written.
pub(super) struct Writer {
    orders: mpsc::Sender<Order>,
    room: Arc<Semaphore>,
}

impl Change {
    /// Its bytes, if they are within bounds.
    fn measure(&self) -> Result<usize, Error> {
        let (bucket, bytes) = match self {
            Change::Put { pairs, .. } if pairs.len() > PAGE => return Err(Error::Keys),
            Change::Put { bucket, pairs } => {
                let mut bytes = 0;
                for (key, value) in pairs {
                    bytes += checked(key)? + value.as_ref().map_or(0, Vec::len);
                }
                (bucket, bytes)
            }
            Change::Add { bucket, key, .. } => (bucket, checked(key)? + size_of::<u64>()),
        };
        if bytes > MAX_VALUE + MAX_KEY { Err(Error::Value) } else { Ok(bytes + bucket.len()) }
    }
}

fn checked(key: &str) -> Result<usize, Error> {
    if key.len() > MAX_KEY { Err(Error::Key) } else { Ok(key.len()) }
}

impl Writer {
    pub(super) fn start(disk: Arc<Disk>) -> Writer {
        let (orders, received) = mpsc::channel(BATCH);
        tokio::spawn(run(disk, received));
        Writer { orders, room: Arc::new(Semaphore::new(WAITING)) }
    }

    /// Done when it is on the disk. Dropping the future does not take the change back.
    pub(super) async fn apply(&self, change: Change) -> Result<u64, Error> {
        let over = || Error::Disk("the node is stopping".to_owned());
        let bytes = u32::try_from(change.measure()?).map_err(|_| Error::Value)?;
        let room = self.room.clone().acquire_many_owned(bytes).await.map_err(|_| over())?;
        let (done, outcome) = oneshot::channel();
        self.orders.send(Order { change, done, _room: room }).await.map_err(|_| over())?;
        outcome.await.map_err(|_| over())?
    }
}

async fn run(disk: Arc<Disk>, mut orders: mpsc::Receiver<Order>) {
    let mut batch = Vec::new();
    while orders.recv_many(&mut batch, BATCH).await > 0 {
        let next = tokio::time::Instant::now() + PACE;
        let (of_commit, taken) = (disk.clone(), std::mem::take(&mut batch));
        // A panic of the database drops the orders, and with them who waits hears of it.
        let _ = blocking(move || {
            commit(&of_commit, taken);
            Ok(())
        })
        .await;
        tokio::time::sleep_until(next).await;
    }
    // It closes the file, which takes a write.
    drop(tokio::task::spawn_blocking(move || drop(disk)));
}

fn commit(disk: &Disk, orders: Vec<Order>) {
    let outcomes = disk.commit(orders.iter().map(|order| &order.change));
    let outcomes = outcomes.unwrap_or_else(|error| vec![Err(error); orders.len()]);
    for (order, outcome) in orders.into_iter().zip(outcomes) {
        // Whoever asked may have been stopped meanwhile.
        let _ = order.done.send(outcome);
    }
}
