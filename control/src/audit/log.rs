//! The file, and the one thread that writes it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

/// How many events may wait for the file.
const QUEUE: usize = 4096;

/// Where the events go.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file.
    pub path: PathBuf,
    /// It is put aside when it has this many bytes.
    pub most_bytes: u64,
    /// How many of those that were put aside are kept, as `FILE.1` (the latest) and so on.
    pub keep: usize,
}

impl Config {
    /// A file with the default limits.
    pub fn new(path: PathBuf) -> Self {
        Self { path, most_bytes: 100 << 20, keep: 5 }
    }
}

/// The log cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the audit log {}", path.display())]
pub struct OpenError {
    path: PathBuf,
    source: io::Error,
}

/// Takes events without waiting for the file. When the last handle is gone, all that was taken is written.
pub(super) struct Log {
    queue: Option<SyncSender<Vec<u8>>>,
    left_out: AtomicU64,
    thread: Option<JoinHandle<()>>,
}

impl Log {
    pub(super) fn open(config: Config) -> Result<Self, OpenError> {
        let failed = |source| OpenError { path: config.path.clone(), source };
        let file = Rotated::open(config.clone()).map_err(failed)?;
        let (queue, events) = sync_channel(QUEUE);
        let thread = thread::Builder::new().name("audit-log".into()).spawn(move || write_all(file, &events));
        let thread = Some(thread.map_err(failed)?);
        Ok(Self { queue: Some(queue), left_out: AtomicU64::new(0), thread })
    }

    pub(super) fn write(&self, line: Vec<u8>) {
        let taken = self.queue.as_ref().is_some_and(|queue| queue.try_send(line).is_ok());
        if !taken {
            self.left_out.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let left_out = self.left_out.swap(0, Ordering::Relaxed);
        if left_out > 0 {
            tracing::warn!(left_out, "the audit log is too slow for the requests; some were not written down");
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been told already.
            let _ = thread.join();
        }
    }
}

/// Writes what comes, and flushes when nothing more waits.
fn write_all(mut file: Rotated, events: &Receiver<Vec<u8>>) {
    while let Ok(first) = events.recv() {
        let written = std::iter::once(first).chain(events.try_iter()).try_for_each(|line| file.write(&line));
        if let Err(error) = written.and_then(|()| file.out.flush()) {
            tracing::error!(%error, path = %file.config.path.display(), "cannot write the audit log");
        }
    }
}

struct Rotated {
    config: Config,
    out: BufWriter<File>,
    bytes: u64,
}

impl Rotated {
    fn open(config: Config) -> io::Result<Self> {
        let file = append(&config.path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { config, out: BufWriter::new(file), bytes })
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let size = line.len() as u64;
        if self.bytes > 0 && self.bytes + size > self.config.most_bytes {
            self.rotate()?;
        }
        self.bytes += size;
        self.out.write_all(line)
    }

    fn rotate(&mut self) -> io::Result<()> {
        self.out.flush()?;
        let aside = |number: usize| PathBuf::from(format!("{}.{number}", self.config.path.display()));
        for number in (1..self.config.keep).rev().filter(|number| aside(*number).exists()) {
            fs::rename(aside(number), aside(number + 1))?;
        }
        match self.config.keep {
            0 => fs::remove_file(&self.config.path)?,
            _ => fs::rename(&self.config.path, aside(1))?,
        }
        self.out = BufWriter::new(append(&self.config.path)?);
        self.bytes = 0;
        Ok(())
    }
}

/// Only its owner may read who did what.
fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_put_aside_when_it_is_full() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log");
        let log = Log::open(Config { path: path.clone(), most_bytes: 10, keep: 2 }).unwrap();
        for line in ["one12345\n", "two12345\n", "three123\n", "four1234\n"] {
            log.write(line.as_bytes().to_vec());
        }
        drop(log);
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(read("audit.log"), "four1234\n");
        assert_eq!((read("audit.log.1"), read("audit.log.2")), ("three123\n".to_owned(), "two12345\n".to_owned()));
        assert!(!folder.path().join("audit.log.3").exists());
    }

    #[test]
    fn a_file_goes_on_where_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log");
        for line in ["one\n", "two\n"] {
            Log::open(Config::new(path.clone())).unwrap().write(line.as_bytes().to_vec());
        }
        assert_eq!(fs::read_to_string(path).unwrap(), "one\ntwo\n");
        assert!(Log::open(Config::new(folder.path().join("none/audit.log"))).is_err());
    }
}
