//! Who may make a sandbox or start a container now, and who is about to.
//!
//! A node that comes back with a thousand pods has to run them before it tells of them: a status costs more than a start.
//! So whoever has something to tell waits, for a moment at most, while a crowd is about to start.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;

/// So many that are about to start hold nobody up.
const CROWD: usize = 64;
/// Longer than this nobody waits for a crowd.
const PATIENCE: Duration = Duration::from_secs(1);

/// The turns of a node. Clones are the same ones.
#[derive(Clone)]
pub struct Turns {
    turns: Arc<Semaphore>,
    ahead: Arc<watch::Sender<usize>>,
}

/// A place in the line; who drops it has left.
pub struct Ahead(Arc<watch::Sender<usize>>);

/// A turn, until it is dropped.
pub struct Turn {
    _permit: OwnedSemaphorePermit,
    _ahead: Option<Ahead>,
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.0.send_modify(|ahead| *ahead -= 1);
    }
}

impl Turns {
    /// So many at once.
    pub fn new(at_once: usize) -> Self {
        Self { turns: Arc::new(Semaphore::new(at_once)), ahead: Arc::new(watch::Sender::new(0)) }
    }

    /// Somebody is about to start.
    pub fn line_up(&self) -> Ahead {
        self.ahead.send_modify(|ahead| *ahead += 1);
        Ahead(self.ahead.clone())
    }

    /// A turn; with `ahead`, one to start.
    ///
    /// # Errors
    /// Never while the node runs.
    pub async fn take(&self, ahead: Option<Ahead>) -> Result<Turn, AcquireError> {
        Ok(Turn { _permit: self.turns.clone().acquire_owned().await?, _ahead: ahead })
    }

    /// Lets a crowd go ahead.
    pub async fn let_pass(&self) {
        let mut ahead = self.ahead.subscribe();
        // Its sender is here, and time that runs out is no error.
        let _ = timeout(PATIENCE, ahead.wait_for(|ahead| *ahead <= CROWD)).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_crowd_goes_first_and_not_for_ever() {
        let turns = Turns::new(1);
        let begun = Instant::now();
        let few: Vec<_> = (0..CROWD).map(|_| turns.line_up()).collect();
        turns.let_pass().await;
        assert_eq!(begun.elapsed(), Duration::ZERO, "a few hold nobody up");
        let one_more = turns.line_up();
        turns.let_pass().await;
        assert_eq!(begun.elapsed(), PATIENCE);
        let leaves = async {
            tokio::time::sleep(PATIENCE / 2).await;
            drop(one_more);
        };
        tokio::join!(turns.let_pass(), leaves);
        assert_eq!(begun.elapsed(), PATIENCE * 3 / 2);
        drop(few);
    }
}
