//! The reading half: the end of a log, or all of it, and then what comes.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures::Stream;
use jiff::Timestamp;
use tokio::sync::watch;

use super::cri;
use super::query::Query;
use super::sink::{Extent, Sink, existing, rotated};

const CHUNK: usize = 64 << 10;

/// One instance's log.
#[derive(Clone, Debug)]
pub struct Source {
    /// The file.
    pub path: PathBuf,
    /// Its writer, while this process has it: what is not yet in the file, and what will come.
    pub sink: Option<Arc<Sink>>,
}

/// The lines that `query` asks for, as they were printed. Ends with the log, or with the container when following.
pub fn stream(source: Source, query: Query) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    futures::stream::unfold(State::Unopened(source, query), |state| async move {
        match state.next().await {
            Ok(Some((bytes, state))) => Some((Ok(bytes), state)),
            Ok(None) => None,
            Err(error) => Some((Err(error), State::Done)),
        }
    })
}

enum State {
    Unopened(Source, Query),
    Open(Box<Reader>),
    Done,
}

impl State {
    async fn next(self) -> io::Result<Option<(Bytes, State)>> {
        let mut reader = match self {
            Self::Done => return Ok(None),
            Self::Unopened(source, query) => blocking(move || Reader::open(source, query).map(Box::new)).await?,
            Self::Open(reader) => reader,
        };
        loop {
            let (back, bytes) = blocking(move || {
                let bytes = reader.read()?;
                Ok((reader, bytes))
            })
            .await?;
            reader = back;
            if !bytes.is_empty() {
                return Ok(Some((bytes, Self::Open(reader))));
            }
            // Nothing more in the files: the end, or the place to wait.
            match &mut reader.growth {
                Some(growth) if reader.lines.room() && !reader.seen.closed => {
                    if growth.wait_for(|extent| *extent != reader.seen).await.is_err() {
                        return Ok(None);
                    }
                }
                _ => return Ok(None),
            }
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

struct Reader {
    source: Source,
    /// Still to be read, the last one first.
    files: Vec<File>,
    /// Up to here the files hold everything.
    seen: Extent,
    growth: Option<watch::Receiver<Extent>>,
    lines: Lines,
}

impl Reader {
    fn open(source: Source, query: Query) -> io::Result<Self> {
        let (present, before, seen) = match &source.sink {
            Some(sink) => sink.open()?,
            None => {
                (existing(&source.path)?, existing(&rotated(&source.path))?, Extent { closed: true, ..<_>::default() })
            }
        };
        let mut files: Vec<File> = [present, before].into_iter().flatten().collect();
        if let Some(wanted) = query.tail {
            seek_tail(&mut files, wanted)?;
        }
        let growth = source.sink.as_ref().filter(|_| query.follow).map(|sink| sink.growth());
        Ok(Self { source, files, seen, growth, lines: Lines::new(&query) })
    }

    /// The next piece; empty at the end of what is there.
    fn read(&mut self) -> io::Result<Bytes> {
        let mut out = Vec::new();
        let mut chunk = vec![0; CHUNK];
        while out.is_empty() && self.lines.room() {
            let Some(file) = self.files.last_mut() else { break };
            match file.read(&mut chunk)? {
                0 if self.files.len() > 1 => {
                    self.files.pop();
                }
                0 => {
                    if !self.grow()? {
                        break;
                    }
                }
                filled => self.lines.push(&chunk[..filled], &mut out),
            }
        }
        if self.files.is_empty() && self.lines.room() {
            self.grow()?;
        }
        Ok(out.into())
    }

    /// Looks for what came since: true when there is more to read.
    fn grow(&mut self) -> io::Result<bool> {
        let (Some(growth), Some(sink)) = (&mut self.growth, &self.source.sink) else { return Ok(false) };
        let now = *growth.borrow_and_update();
        if now == self.seen {
            return Ok(false);
        }
        if now.generation != self.seen.generation || self.files.is_empty() {
            let (present, _, extent) = sink.open()?;
            // The file that was turned over has been read to its end by the handle we held.
            self.files = present.into_iter().collect();
            self.seen = extent;
            return Ok(!self.files.is_empty());
        }
        let more = now.size != self.seen.size;
        self.seen = now;
        Ok(more)
    }
}

/// Puts the files where their last `wanted` lines begin; files (the last one first) that are not needed are dropped.
fn seek_tail(files: &mut Vec<File>, mut wanted: usize) -> io::Result<()> {
    for index in 0..files.len() {
        let found = seek_lines(&mut files[index], wanted)?;
        if found >= wanted {
            files.truncate(index + 1);
            return Ok(());
        }
        wanted -= found;
    }
    Ok(())
}

/// Seeks to the start of the last `wanted` lines and says how many there are.
fn seek_lines(file: &mut File, wanted: usize) -> io::Result<usize> {
    let mut end = file.seek(SeekFrom::End(0))?;
    if wanted == 0 {
        return Ok(0);
    }
    let (mut found, mut chunk) = (0, vec![0; CHUNK]);
    while end > 0 {
        let start = end.saturating_sub(CHUNK as u64);
        let piece = &mut chunk[..(end - start) as usize];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(piece)?;
        for (offset, _) in piece.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n') {
            if found == wanted {
                file.seek(SeekFrom::Start(start + offset as u64 + 1))?;
                return Ok(found);
            }
            found += 1;
        }
        end = start;
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(found)
}

/// From the file's lines to what is sent.
struct Lines {
    since: Option<Timestamp>,
    timestamps: bool,
    left: Option<usize>,
    /// The begin of a line whose end is not read yet.
    carry: Vec<u8>,
    /// The last line was a piece: what follows belongs to it and gets no time of its own.
    open: bool,
}

impl Lines {
    fn new(query: &Query) -> Self {
        let Query { since, timestamps, limit, .. } = *query;
        Self { since, timestamps, left: limit, carry: Vec::new(), open: false }
    }

    /// Whether more may be sent.
    fn room(&self) -> bool {
        self.left != Some(0)
    }

    fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let carry = std::mem::take(&mut self.carry);
        let joined = if carry.is_empty() { None } else { Some([&carry, bytes].concat()) };
        let mut rest = joined.as_deref().unwrap_or(bytes);
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.line(&rest[..end], out);
            rest = &rest[end + 1..];
        }
        self.carry = rest.to_vec();
        if let Some(left) = &mut self.left {
            out.truncate(*left);
            *left -= out.len();
        }
    }

    fn line(&mut self, line: &[u8], out: &mut Vec<u8>) {
        let Some(line) = cri::parse(line) else { return };
        if let Some(since) = self.since {
            // Times only grow: after the first that is wanted, all are.
            match line.time.parse::<Timestamp>() {
                Ok(time) if time >= since => self.since = None,
                _ => return,
            }
        }
        if self.timestamps && !self.open {
            out.extend_from_slice(line.time.as_bytes());
            out.push(b' ');
        }
        out.extend_from_slice(line.text);
        if line.full {
            out.push(b'\n');
        }
        self.open = !line.full;
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use futures::StreamExt;

    use super::super::{cri::Channel, sink::Writer};
    use super::*;

    async fn read(source: &Source, query: Query) -> String {
        let pieces: Vec<_> = stream(source.clone(), query).map(|piece| piece.expect("read")).collect().await;
        String::from_utf8(pieces.concat()).expect("text")
    }

    fn source(directory: &Path) -> (Source, Arc<Sink>) {
        let path = directory.join("0.log");
        let sink = Writer::spawn().sink(path.clone());
        (Source { path, sink: Some(sink.clone()) }, sink)
    }

    #[tokio::test]
    async fn the_end_of_a_log_is_found_from_its_end() {
        let directory = tempfile::tempdir().expect("directory");
        let (source, sink) = source(directory.path());
        assert_eq!(read(&source, Query::default()).await, "", "nothing was printed yet");
        for number in 0..5000 {
            sink.write(Channel::Stdout, format!("line {number}\n").as_bytes());
        }
        sink.write(Channel::Stdout, b"no newline");
        sink.close();
        let tail = |lines| Query { tail: Some(lines), ..Query::default() };
        assert_eq!(read(&source, tail(0)).await, "");
        assert_eq!(read(&source, tail(3)).await, "line 4998\nline 4999\nno newline");
        assert_eq!(read(&source, tail(9000)).await.lines().count(), 5001);
        let dead = Source { sink: None, ..source.clone() };
        assert_eq!(read(&dead, tail(1)).await, "no newline", "the file is enough");
        let limited = Query { limit: Some(9), ..Query::default() };
        assert_eq!(read(&source, limited).await, "line 0\nli");
    }

    #[tokio::test]
    async fn lines_are_chosen_by_time_and_show_it() {
        let directory = tempfile::tempdir().expect("directory");
        let path = directory.path().join("0.log");
        let text = "2026-01-01T00:00:01.5Z stdout F one\n2026-01-01T00:00:02Z stdout F two\n";
        std::fs::write(&path, text).expect("write");
        let source = Source { path, sink: None };
        let query = Query { since: "2026-01-01T00:00:02Z".parse().ok(), timestamps: true, ..Query::default() };
        assert_eq!(read(&source, query).await, "2026-01-01T00:00:02Z two\n");
    }

    #[tokio::test]
    async fn a_follower_sees_everything_across_files_until_the_end() {
        let directory = tempfile::tempdir().expect("directory");
        let (source, sink) = source(directory.path());
        let follower = tokio::spawn(async move {
            let query = Query { follow: true, ..Query::default() };
            read(&source, query).await
        });
        let line = [b"x".repeat(9_999), b"\n".to_vec()].concat();
        // More than one file's worth.
        for _ in 0..1_500 {
            // As a guest does: it waits while the log is behind.
            std::future::poll_fn(|cx| sink.poll_ready(cx)).await;
            sink.write(Channel::Stdout, &line);
        }
        sink.write(Channel::Stderr, b"last\n");
        sink.close();
        let all = follower.await.expect("followed");
        assert!(all.ends_with("\nlast\n"));
        assert!(directory.path().join("0.log.1").exists(), "the file was turned over");
    }
}
