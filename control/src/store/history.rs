//! The recent changes of one resource.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Event, Revision};

/// How many of the latest events keep their parsed states.
const KEEP_PARSED: usize = 32;

/// What an event costs beside the bytes of its object.
const OVERHEAD: usize = 256;

/// The changes that were asked for are no longer remembered; whoever asked must list again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too old resource version: {asked} ({oldest})")]
pub struct Expired {
    /// The revision in question.
    pub asked: Revision,
    /// The oldest revision that would do.
    pub oldest: Revision,
}

/// A ring of events, bounded by their number and by the bytes they hold on to.
#[derive(Debug)]
pub(super) struct History {
    events: VecDeque<Arc<Event>>,
    /// Every change after this revision is in `events`.
    floor: Revision,
    bytes: usize,
    most: usize,
    most_bytes: usize,
}

impl History {
    pub(super) fn new(floor: Revision, most: usize, most_bytes: usize) -> Self {
        Self { events: VecDeque::new(), floor, bytes: 0, most, most_bytes }
    }

    pub(super) fn push(&mut self, event: Arc<Event>) {
        self.bytes += cost(&event);
        self.events.push_back(event);
        if let Some(old) = self.events.len().checked_sub(KEEP_PARSED + 1) {
            self.events[old].forget_parsed();
        }
        while self.events.len() > self.most || self.bytes > self.most_bytes {
            let Some(oldest) = self.events.pop_front() else { break };
            self.bytes -= cost(&oldest);
            self.floor = oldest.revision;
        }
    }

    /// The changes after `since`, oldest first.
    pub(super) fn after(
        &self,
        since: Revision,
    ) -> Result<impl DoubleEndedIterator<Item = &Arc<Event>> + ExactSizeIterator, Expired> {
        if since < self.floor {
            return Err(Expired { asked: since, oldest: self.floor });
        }
        let start = self.events.partition_point(|e| e.revision <= since);
        Ok(self.events.range(start..))
    }
}

fn cost(event: &Event) -> usize {
    event.entry.bytes.len() + OVERHEAD
}
