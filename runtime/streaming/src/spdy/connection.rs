//! The streams of one SPDY connection.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::frame::{self, Decoder, Frame, FrameError};
use super::headers::{Deflater, HeaderError, Headers, Inflater};
use crate::connection::{Dialect, READ};
use crate::outbox::{Outbox, What, Writer};
use crate::pipe::{Feed, Reader, pipe};

/// Streams that a client may have open at a time: a thousand forwarded connections.
const STREAMS: usize = 2000;

/// What waits to be read on one stream: what the protocol calls its window.
const WINDOW: usize = 64 << 10;

/// Credit is given in parts of this size.
const CREDIT: u32 = 32 << 10;

const PROTOCOL_ERROR: u32 = 1;
const REFUSED: u32 = 3;

/// Whether a stream with these headers makes sense; the text says why not.
pub(crate) type Admission = fn(&Headers) -> Result<(), String>;

/// A stream that the client opened.
pub(crate) struct Opened {
    pub(crate) stream: u32,
    pub(crate) headers: Headers,
    pub(crate) reader: Reader,
    pub(crate) writer: Writer,
    /// The client broke it off, or is gone.
    pub(crate) gone: CancellationToken,
}

/// What we send.
#[derive(Default)]
pub(crate) struct Spdy {
    deflater: Deflater,
    /// The last stream that was taken.
    last: u32,
    pings: u32,
}

impl Dialect for Spdy {
    fn encode(&mut self, stream: u32, what: &What, to: &mut BytesMut) {
        match what {
            What::Data(bytes) => frame::put_data(stream, 0, bytes, to),
            What::End => frame::put_data(stream, frame::FIN, &[], to),
            What::Accept => {
                self.last = self.last.max(stream);
                let mut body = stream.to_be_bytes().to_vec();
                body.extend(self.deflater.write(&Headers::default()));
                frame::put_control(frame::SYN_REPLY, &body, to);
            }
            What::Reset(status) => frame::put_pair(frame::RST_STREAM, (stream, *status), to),
            What::Credit(bytes) => frame::put_pair(frame::WINDOW_UPDATE, (stream, *bytes), to),
            What::Pong(number) => frame::put_control(frame::PING, number, to),
            What::Goodbye => frame::put_pair(frame::GOAWAY, (self.last, 0), to),
        }
    }

    /// Pings of a server have even numbers.
    fn keep_alive(&mut self, to: &mut BytesMut) {
        self.pings = self.pings.wrapping_add(2);
        frame::put_control(frame::PING, &self.pings.to_be_bytes(), to);
    }
}

/// What ends a connection.
#[derive(Debug, thiserror::Error)]
enum Nonsense {
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error(transparent)]
    Header(#[from] HeaderError),
    #[error("stream {0} is opened out of order")]
    Order(u32),
}

/// Reads frames until the client leaves, and passes on the streams that it opens.
pub(crate) async fn receive(
    mut io: impl AsyncRead + Unpin,
    admit: Admission,
    opened: mpsc::Sender<Opened>,
    out: Outbox,
    gone: CancellationToken,
) {
    let mut streams =
        Streams { open: HashMap::new(), last: 0, inflater: Inflater::default(), admit, opened, out, gone, credit: 0 };
    let (mut decoder, mut buffer) = (Decoder::default(), BytesMut::new());
    loop {
        loop {
            match decoder.next(&mut buffer).map_err(Nonsense::from) {
                Ok(None) => break,
                Ok(Some(frame)) => {
                    if let Err(error) = streams.heed(frame).await {
                        return tracing::debug!(%error, "the client of a SPDY connection makes no sense");
                    }
                }
                Err(error) => return tracing::debug!(%error, "the client of a SPDY connection makes no sense"),
            }
        }
        buffer.reserve(READ);
        if !matches!(io.read_buf(&mut buffer).await, Ok(1..)) {
            return;
        }
    }
}

struct Streams {
    open: HashMap<u32, Stream>,
    last: u32,
    inflater: Inflater,
    admit: Admission,
    opened: mpsc::Sender<Opened>,
    out: Outbox,
    gone: CancellationToken,
    /// What the client may be told that it may send on all streams together.
    credit: u32,
}

struct Stream {
    /// None once the client has said all.
    feed: Option<Feed>,
    gone: CancellationToken,
    /// There as long as we have something to say.
    writer: Weak<()>,
    credit: u32,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("stream", &self.stream).field("headers", &self.headers).finish_non_exhaustive()
    }
}

impl Stream {
    fn is_over(&self) -> bool {
        self.writer.strong_count() == 0 && self.feed.as_ref().is_none_or(Feed::is_deaf)
    }
}

impl Streams {
    async fn heed(&mut self, frame: Frame) -> Result<(), Nonsense> {
        match frame {
            Frame::SynStream { stream, fin, block } => return self.open(stream, fin, &block).await,
            Frame::Headers { block } => drop(self.inflater.read(&block)?),
            Frame::Reset { stream } => {
                if let Some(broken) = self.open.remove(&stream) {
                    broken.gone.cancel();
                }
            }
            Frame::Ping(number) if number % 2 == 1 => {
                self.out.answer(0, What::Pong(Bytes::copy_from_slice(&number.to_be_bytes()))).await;
            }
            Frame::Data { stream, bytes, fin } => self.data(stream, bytes, fin).await,
            Frame::Ping(_) | Frame::GoAway | Frame::Other => {}
        }
        Ok(())
    }

    async fn open(&mut self, stream: u32, fin: bool, block: &[u8]) -> Result<(), Nonsense> {
        let headers = self.inflater.read(block)?;
        if stream.is_multiple_of(2) || stream <= self.last {
            return Err(Nonsense::Order(stream));
        }
        self.last = stream;
        if self.open.len() >= STREAMS {
            self.open.retain(|_, stream| !stream.is_over());
        }
        let refused = match (self.admit)(&headers) {
            _ if self.open.len() >= STREAMS => Some(REFUSED),
            Err(why) => {
                tracing::debug!(why, "a stream is refused");
                Some(PROTOCOL_ERROR)
            }
            Ok(()) => None,
        };
        if let Some(status) = refused {
            self.out.answer(stream, What::Reset(status)).await;
            return Ok(());
        }
        self.out.answer(stream, What::Accept).await;
        let (feed, reader) = pipe(WINDOW);
        let place = Arc::new(());
        let (writer, gone) = (Arc::downgrade(&place), self.gone.child_token());
        let opened =
            Opened { stream, headers, reader, writer: self.out.writer(stream).holding(place), gone: gone.clone() };
        if fin {
            feed.finish();
        }
        let feed = (!fin).then_some(feed);
        self.open.insert(stream, Stream { feed, gone, writer, credit: 0 });
        // Where nobody waits for streams any more, it ends at once.
        let _ = self.opened.send(opened).await;
        Ok(())
    }

    /// Data for a stream that is over was on its way when it ended.
    async fn data(&mut self, number: u32, bytes: Bytes, fin: bool) {
        let length = u32::try_from(bytes.len()).unwrap_or_default();
        self.credit = self.credit.saturating_add(length);
        grant(&self.out, 0, &mut self.credit);
        let Some(stream) = self.open.get_mut(&number) else { return };
        if let Some(feed) = &stream.feed
            && feed.push(bytes).await
            && !fin
        {
            stream.credit = stream.credit.saturating_add(length);
            grant(&self.out, number, &mut stream.credit);
        }
        if fin && let Some(feed) = stream.feed.take() {
            feed.finish();
        }
    }
}

/// Gives the credit that has come together, unless the client does not read what it is told.
fn grant(out: &Outbox, stream: u32, credit: &mut u32) {
    if *credit >= CREDIT && out.answer_now(stream, What::Credit(*credit)) {
        *credit = 0;
    }
}
