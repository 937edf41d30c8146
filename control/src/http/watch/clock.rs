//! When a watcher is told how far it has seen, and when it ends.
//!
//! One timer serves both. It is set again only when it has gone off, so events cost it nothing.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// How often a watcher that asked for it is told how far it has seen.
const BOOKMARK: Duration = Duration::from_secs(60);

/// How long before its end it is told a last time.
const FAREWELL: Duration = Duration::from_secs(2);

/// Why a watcher was woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Woken {
    /// A bookmark is due.
    Bookmark,
    /// The time is up.
    End,
}

/// The times of one watcher.
pub(super) struct Clock {
    sleep: Pin<Box<Sleep>>,
    deadline: Instant,
    bookmarks: bool,
}

impl Clock {
    pub(super) fn new(deadline: Instant, bookmarks: bool) -> Self {
        let first = next(Instant::now(), deadline, bookmarks);
        Self { sleep: Box::pin(sleep_until(first)), deadline, bookmarks }
    }

    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub(super) async fn woken(&mut self) -> Woken {
        self.sleep.as_mut().await;
        let now = self.sleep.deadline();
        if now >= self.deadline {
            return Woken::End;
        }
        self.sleep.as_mut().reset(next(now, self.deadline, self.bookmarks));
        Woken::Bookmark
    }
}

/// The next bookmark: in a minute, or just before the end. Without one, the end.
fn next(now: Instant, deadline: Instant, bookmarks: bool) -> Instant {
    let farewell = deadline - FAREWELL;
    let minute = now + BOOKMARK;
    match bookmarks {
        false => deadline,
        true if farewell > now && farewell < minute => farewell,
        true => minute.min(deadline),
    }
}
