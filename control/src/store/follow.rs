//! Following a part of the store for as long as it is open: what every loop that watches has to do.

use super::{Event, Interest, Revision, Store};

impl Store {
    /// Lets `start` take in what is there and say as of which revision, then tells `change` of every change after it; from
    /// the start again where the watch was dropped as too slow. Returns when the store is closed.
    pub async fn follow(
        &self,
        interest: Interest,
        mut start: impl FnMut() -> Revision,
        mut change: impl FnMut(&Event),
    ) {
        loop {
            let Ok(mut watch) = self.watch(interest.clone(), start()) else { continue };
            while let Some(event) = watch.next().await {
                change(&event);
            }
            // One that ended having seen everything ended because the store closed.
            if watch.progress() >= self.revision() {
                return;
            }
        }
    }
}
