//! The writing half: guests fill memory, one task empties it into files.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::{mpsc, watch};

use super::cri::{Channel, Encoder};

/// A file is turned over when it has grown past this; with the one kept beside it a log takes twice as much.
pub const MAX_FILE: u64 = 10 << 20;
/// A guest that is so far ahead of the disk waits for it.
const MAX_PENDING: usize = 256 << 10;
/// How long lines gather before they are written: few writes from a busy guest, and nobody notices the delay.
const GATHER: Duration = Duration::from_millis(2);
/// All logs together are written at this pace, in bytes a second, and guests that print faster wait: the disk is the
/// node's, and what it does for a flood of words it does not do for anybody else.
const PACE: u64 = 64 << 20;
/// However much there was: the quiet ones wait along.
const LONGEST: Duration = Duration::from_millis(250);

/// How long to wait before the next batch, after one of so many bytes.
fn rest(written: u64) -> Duration {
    Duration::from_nanos(written.saturating_mul(1_000_000_000 / PACE)).clamp(GATHER, LONGEST)
}

/// The task that writes all sinks' files. Ends when every clone and every sink is gone.
#[derive(Clone, Debug)]
pub struct Writer {
    queue: mpsc::UnboundedSender<Arc<Sink>>,
}

impl Writer {
    /// Starts the task on the current runtime.
    pub fn spawn() -> Self {
        let (queue, mut waiting) = mpsc::unbounded_channel::<Arc<Sink>>();
        tokio::spawn(async move {
            let (mut batch, mut written) = (Vec::new(), 0);
            while waiting.recv_many(&mut batch, usize::MAX).await > 0 {
                tokio::time::sleep(rest(written)).await;
                let sinks = std::mem::take(&mut batch);
                let writing = tokio::task::spawn_blocking(move || sinks.iter().map(|sink| sink.flush()).sum());
                let Ok(bytes) = writing.await else { return };
                written = bytes;
            }
        });
        Self { queue }
    }

    /// A sink into `path`. A file that is there from a lost instance is overwritten by the first line.
    pub fn sink(&self, path: PathBuf) -> Arc<Sink> {
        Arc::new_cyclic(|me| Sink {
            me: me.clone(),
            path,
            queue: self.queue.clone(),
            buffer: Mutex::default(),
            grown: watch::Sender::new(Extent::default()),
            file: Mutex::new(()),
        })
    }
}

/// Where one container instance's output goes.
#[derive(Debug)]
pub struct Sink {
    me: Weak<Sink>,
    path: PathBuf,
    queue: mpsc::UnboundedSender<Arc<Sink>>,
    buffer: Mutex<Buffer>,
    grown: watch::Sender<Extent>,
    /// Held while the files are written, turned over or opened together.
    file: Mutex<()>,
}

#[derive(Debug, Default)]
struct Buffer {
    encoder: Encoder,
    pending: Vec<u8>,
    /// It is in the writer's queue already.
    queued: bool,
    closed: bool,
    /// Guests that wait for room.
    waiting: Vec<Waker>,
}

/// How far a log has grown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Counts the files that were turned over.
    pub generation: u64,
    /// Bytes in the present file.
    pub size: u64,
    /// No more will come.
    pub closed: bool,
}

impl Sink {
    /// Takes what the container printed. Never waits for the disk.
    pub fn write(&self, channel: Channel, bytes: &[u8]) {
        let mut buffer = self.buffer.lock();
        let Buffer { encoder, pending, .. } = &mut *buffer;
        encoder.push(channel, Timestamp::now(), bytes, pending);
        self.schedule(&mut buffer);
    }

    /// Ready when there is room for more.
    pub fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut buffer = self.buffer.lock();
        if buffer.pending.len() <= MAX_PENDING {
            return Poll::Ready(());
        }
        if !buffer.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            buffer.waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// The container has ended: the rest is written and followers are told.
    pub fn close(&self) {
        let mut buffer = self.buffer.lock();
        let Buffer { encoder, pending, .. } = &mut *buffer;
        encoder.finish(Timestamp::now(), pending);
        buffer.closed = true;
        if !buffer.queued {
            buffer.queued = true;
            self.enqueue();
        }
    }

    fn schedule(&self, buffer: &mut Buffer) {
        if !buffer.queued && !buffer.pending.is_empty() {
            buffer.queued = true;
            self.enqueue();
        }
    }

    fn enqueue(&self) {
        if let Some(me) = self.me.upgrade() {
            // The writer is gone only when the runtime is; then a reader's own flush still works.
            let _ = self.queue.send(me);
        }
    }

    /// Writes what is pending, and says how much that was. A reader calls it too, so that it never misses what was
    /// printed before it asked.
    pub fn flush(&self) -> u64 {
        let _file = self.file.lock();
        let (pending, closed, waiting) = {
            let mut buffer = self.buffer.lock();
            buffer.queued = false;
            (std::mem::take(&mut buffer.pending), buffer.closed, std::mem::take(&mut buffer.waiting))
        };
        let mut extent = *self.grown.borrow();
        match self.append(&pending, &mut extent) {
            // The pod is gone and its directory with it: nobody can ask for these lines.
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(path = %self.path.display(), %error, "a container's output could not be written");
            }
            _ => {}
        }
        waiting.into_iter().for_each(Waker::wake);
        extent.closed = closed;
        self.grown.send_if_modified(|known| std::mem::replace(known, extent) != extent);
        pending.len() as u64
    }

    fn append(&self, pending: &[u8], extent: &mut Extent) -> io::Result<()> {
        if pending.is_empty() {
            return Ok(());
        }
        if extent.size > MAX_FILE {
            fs::rename(&self.path, rotated(&self.path))?;
            *extent = Extent { generation: extent.generation + 1, size: 0, closed: false };
        }
        let mut options = File::options();
        let fresh = extent.size == 0;
        if fresh {
            options.write(true).truncate(true);
        } else {
            options.append(true);
        }
        options.create(true).open(&self.path)?.write_all(pending)?;
        extent.size += pending.len() as u64;
        Ok(())
    }

    /// The present file, the one before it, and how far they go, all of one moment. Flushes first.
    pub(super) fn open(&self) -> io::Result<(Option<File>, Option<File>, Extent)> {
        self.flush();
        let _file = self.file.lock();
        let extent = *self.grown.borrow();
        let present = if extent.size > 0 { existing(&self.path)? } else { None };
        let before = if extent.generation > 0 { existing(&rotated(&self.path))? } else { None };
        Ok((present, before, extent))
    }

    /// Waits until nobody follows.
    pub async fn unfollowed(&self) {
        self.grown.closed().await;
    }

    /// Follows the growth.
    pub(super) fn growth(&self) -> watch::Receiver<Extent> {
        self.grown.subscribe()
    }
}

/// The file that was full before.
pub fn rotated(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    name.into()
}

pub(super) fn existing(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floods_are_paced_and_the_quiet_are_not_kept_waiting() {
        assert_eq!(rest(0), GATHER);
        assert_eq!(rest(1000), GATHER);
        // One guest that always has as much waiting as it may.
        let a_second = (Duration::from_secs(1).as_nanos() / rest(MAX_PENDING as u64).as_nanos()) as u64;
        assert!((60 << 20..=68 << 20).contains(&(a_second * MAX_PENDING as u64)), "{a_second}");
        assert_eq!(rest(u64::MAX), LONGEST);
    }
}
