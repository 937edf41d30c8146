//! GET with `watch`: a stream of events, one line each.
//!
//! A watcher costs its queue and one timer, which stands still while events come; there is no task. It ends when its time
//! is up, when the client goes, or when it was too slow: then the client lists again, as it does with Kubernetes.

mod clock;
mod lines;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::stream;
use http::{Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use rand::Rng as _;
use tokio::time::Instant;

use super::asked::Asked;
use super::list_options::{self, Begin};
use super::negotiate::{self, Encoding};
use super::table::Include;
use super::{Body, respond};
use crate::registry::{Registry, Selection, Start, Target, Watching};
use crate::status::Status;
use crate::store::{Entry, Revision};
use clock::{Clock, Woken};
use lines::Lines;

/// What is there already is sent in pieces of about this many bytes.
const PIECE: usize = 32 << 10;

/// GET of a collection's future.
///
/// # Errors
/// 400 and 422 for a query that makes no sense. A revision that is too old is an event, not an error.
pub async fn watch(asked: Asked<'_>) -> Result<Response<Body>, Status> {
    let Asked { registry, target, form, query, .. } = asked;
    if form.encoding == Encoding::Yaml {
        return Err(negotiate::no_stream());
    }
    let resource = target.resource.clone();
    let lifetime = lifetime(query.number("timeoutSeconds")?);
    let begin = list_options::watch(registry, query)?;
    let fields = query.text("fieldSelector");
    if !target.name.is_empty() && !fields.is_empty() {
        return Err(Status::bad_request("both a name and a field selector provided; please provide one or the other."));
    }
    let selection = Selection::parse(&resource, query.text("labelSelector"), fields)?;
    let lines = Lines::new(resource, form, Include::parse(query)?);
    let body = match start(registry, target, selection, begin).await? {
        Err(expired) => respond::full(lines.said("ERROR", &expired.object())),
        Ok(Started { watching, initial, mark }) => {
            let clock = Clock::new(Instant::now() + lifetime, query.flag("allowWatchBookmarks"));
            stream_events(Stream { watching, initial, mark, lines, clock })
        }
    };
    let content_type = match form.encoding {
        Encoding::Protobuf => "application/vnd.kubernetes.protobuf;stream=watch",
        _ => "application/json",
    };
    Ok(respond::answer(StatusCode::OK, content_type, body))
}

struct Started {
    watching: Watching,
    initial: VecDeque<Arc<Entry>>,
    /// The moment that the initial events show, where a bookmark has to say it.
    mark: Option<Revision>,
}

async fn start(
    registry: &Registry,
    target: &Target,
    selection: Selection,
    begin: Begin,
) -> Result<Result<Started, Status>, Status> {
    let (since, initial, mark) = match begin {
        Begin::After(since) => (since, VecDeque::new(), None),
        Begin::Next => (registry.store().revision(), VecDeque::new(), None),
        Begin::Present { marked } => {
            let mut page = registry.list(target, &selection, 0, Start::Now)?;
            if !target.name.is_empty() {
                page.entries.retain(|e| e.key.name == target.name);
            }
            page.entries = registry.in_version(&target.resource, page.entries).await?;
            (page.revision, page.entries.into(), marked.then_some(page.revision))
        }
    };
    Ok(registry.watch(target, selection, since).map(|watching| Started { watching, initial, mark }))
}

/// What the client asked for, or half an hour to an hour, so that watchers do not all come back at once.
fn lifetime(asked: Option<i64>) -> Duration {
    match asked.and_then(|s| u64::try_from(s).ok()).filter(|s| *s > 0) {
        Some(seconds) => Duration::from_secs(seconds.min(u64::from(u32::MAX))),
        None => Duration::from_secs(rand::rng().random_range(1800..3600)),
    }
}

/// One watcher.
struct Stream {
    watching: Watching,
    initial: VecDeque<Arc<Entry>>,
    mark: Option<Revision>,
    lines: Lines,
    clock: Clock,
}

fn stream_events(stream: Stream) -> Body {
    let lines = stream::unfold(stream, |mut stream| async move {
        let line = stream.next().await?;
        Some((Ok(Frame::data(line)), stream))
    });
    StreamBody::new(lines).boxed_unsync()
}

impl Stream {
    async fn next(&mut self) -> Option<Bytes> {
        if !self.initial.is_empty() {
            return Some(self.present());
        }
        if let Some(end) = self.mark.take() {
            return Some(self.lines.end_of_initial(end));
        }
        tokio::select! {
            biased;
            frame = self.watching.next() => Some(self.lines.event(&frame?)),
            woken = self.clock.woken() => match woken {
                Woken::Bookmark => Some(self.lines.bookmark(self.watching.progress())),
                Woken::End => None,
            },
        }
    }

    /// Some of what was there at the start.
    fn present(&mut self) -> Bytes {
        let mut piece = BytesMut::new();
        while piece.len() < PIECE
            && let Some(entry) = self.initial.pop_front()
        {
            self.lines.present(&entry, &mut piece);
        }
        piece.freeze()
    }
}
