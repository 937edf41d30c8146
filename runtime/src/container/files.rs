//! How many files a container's guests have open.
//!
//! Each is a file descriptor of this process, of which there are only so many, so there is a limit a container and one
//! for all of them. What counts is the file, not the guest's handle of it: a stream keeps its file open when the
//! descriptor that it came from is gone. So an instance remembers its files and looks now and then which are still there.

use std::any::Any;
use std::sync::{Arc, Weak};

use netproxy::fabric::descriptors::{self, Share};

/// Of one container, as far as there are so many.
const OF_A_CONTAINER: u32 = 4096;

/// A container's share, and the node's that it is part of.
#[derive(Debug, Clone)]
pub(crate) struct Quota {
    own: Arc<Share>,
    node: Arc<Share>,
}

/// What all guests may have open: half of what the process may.
pub(crate) fn of_the_node() -> Arc<Share> {
    Arc::new(Share::new(descriptors::limit() / 2))
}

impl Quota {
    pub(crate) fn new(node: &Arc<Share>) -> Quota {
        let own = OF_A_CONTAINER.min((node.limit() / 4).max(1));
        Quota { own: Arc::new(Share::new(own)), node: Arc::clone(node) }
    }

    /// What the container has open, give or take those that were closed lately.
    pub(crate) fn used(&self) -> u32 {
        self.own.used()
    }

    fn take(&self) -> bool {
        if !self.own.take() {
            return false;
        }
        let taken = self.node.take();
        if !taken {
            self.own.give_back(1);
        }
        taken
    }

    /// One file, for as long as what is returned is held. None when there is no room.
    pub(crate) fn lease(&self) -> Option<Lease> {
        self.take().then(|| Lease(self.clone()))
    }

    fn give_back(&self, count: usize) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.own.give_back(count);
        self.node.give_back(count);
    }
}

/// A file of the quota, given back with it.
#[derive(Debug)]
pub(crate) struct Lease(Quota);

impl Drop for Lease {
    fn drop(&mut self) {
        self.0.give_back(1);
    }
}

/// The files of one instance. What it has taken of the quota goes back with it.
#[derive(Debug)]
pub(crate) struct Files {
    quota: Quota,
    open: Vec<Weak<dyn Any + Send + Sync>>,
    /// Taken for files that are being opened.
    promised: usize,
    /// At so many, those that are gone are sorted out.
    full: usize,
}

/// Between two looks at least so many are opened.
const STEP: usize = 16;

impl Files {
    pub(crate) fn new(quota: Quota) -> Files {
        Files { quota, open: Vec::new(), promised: 0, full: STEP }
    }

    /// Whether there is room for one more. Then [`opened`](Files::opened) or [`failed`](Files::failed) has to follow.
    pub(crate) fn promise(&mut self) -> bool {
        if self.open.len() >= self.full {
            self.sort_out();
        }
        let mut room = self.quota.take();
        if !room {
            self.sort_out();
            room = self.quota.take();
        }
        self.promised += usize::from(room);
        room
    }

    /// It is open as long as this is there.
    pub(crate) fn opened<T: Any + Send + Sync>(&mut self, file: &Arc<T>) {
        self.promised -= 1;
        let open: Weak<T> = Arc::downgrade(file);
        self.open.push(open);
    }

    pub(crate) fn failed(&mut self) {
        self.promised -= 1;
        self.quota.give_back(1);
    }

    fn sort_out(&mut self) {
        let before = self.open.len();
        self.open.retain(|file| file.strong_count() > 0);
        self.quota.give_back(before - self.open.len());
        self.full = self.open.len() * 2 + STEP;
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        self.quota.give_back(self.open.len() + self.promised);
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    fn file() -> Arc<File> {
        Arc::new(tempfile::tempfile().expect("a file"))
    }

    #[test]
    fn what_is_open_counts_and_what_is_closed_does_not() {
        let quota = Quota::new(&Arc::new(Share::new(12)));
        let mut one = Files::new(quota.clone());
        let mut held: Vec<_> = (0..3).map(|_| file()).collect();
        for file in &held {
            assert!(one.promise());
            one.opened(file);
        }
        assert!(!one.promise(), "a container has a quarter of what there is");
        held.pop();
        assert!(one.promise(), "room is found when it is needed");
        one.failed();
        let mut other = Files::new(quota.clone());
        assert!(other.promise() && !other.promise());
        drop(other);
        assert!(one.promise(), "a file that was being opened goes with its instance");
        drop(one);
        assert_eq!((quota.used(), quota.node.used()), (0, 0));
    }

    #[test]
    fn containers_share_what_the_node_has() {
        let node = Arc::new(Share::new(4));
        let quotas: Vec<_> = (0..5).map(|_| Quota::new(&node)).collect();
        let promised = quotas.iter().map(|quota| Files::new(quota.clone())).map(|mut files| (files.promise(), files));
        let promised: Vec<_> = promised.collect();
        assert_eq!(promised.iter().map(|(room, _)| *room).collect::<Vec<_>>(), [true, true, true, true, false]);
    }
}
