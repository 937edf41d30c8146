//! One upgraded connection and the task that it has: reading and writing at once, each at the pace of the other side.
//!
//! # How it ends
//! By a goodbye of ours: what was written before it is sent, the connection is closed for writing, and what the client
//! still sends is read and thrown away for a moment, because unread bytes would make the kernel reset the connection and
//! the client lose what it has not read yet. Or by the client, or by a failure: then `gone` is told at once.
//!
//! A client that vanishes without a word while nothing is read from it is found by writing: pings are due all the time.

use std::io;
use std::pin::pin;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf, split};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::outbox::{Outbox, Queue, What, outbox};

/// How often the client is asked whether it is there.
const PING: Duration = Duration::from_secs(10);

/// How long the client has to take leave after our goodbye, or we of it after its own.
const LINGER: Duration = Duration::from_secs(5);

/// So many bytes are written at once where that many wait.
const BATCH: usize = 64 << 10;

/// So many bytes are read at once.
pub(crate) const READ: usize = 64 << 10;

/// How what is to be sent looks on the wire.
pub(crate) trait Dialect: Send + 'static {
    /// Appends it.
    fn encode(&mut self, stream: u32, what: &What, to: &mut BytesMut);

    /// Appends what makes the client answer, and shows it that we are there.
    fn keep_alive(&mut self, to: &mut BytesMut);
}

/// An upgraded connection. Dropping it breaks it.
pub(crate) struct Connection {
    pub(crate) out: Outbox,
    /// The client is gone.
    pub(crate) gone: CancellationToken,
    task: AbortOnDropHandle<()>,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

impl Connection {
    /// Sends in this dialect; `receive` reads until the client has nothing more to say.
    pub(crate) fn start<IO, R>(
        io: IO,
        dialect: impl Dialect,
        receive: impl FnOnce(ReadHalf<IO>, Outbox, CancellationToken) -> R,
    ) -> Self
    where
        IO: AsyncRead + AsyncWrite + Send + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let (reader, writer) = split(io);
        let (out, queue) = outbox();
        let gone = CancellationToken::new();
        let receiving = receive(reader, out.clone(), gone.clone());
        let driven = drive(receiving, send(writer, queue, dialect), gone.clone(), out.clone());
        Self { out, gone, task: AbortOnDropHandle::new(tokio::spawn(driven)) }
    }

    /// Says goodbye, and waits until the client has taken all.
    pub(crate) async fn finish(self) {
        self.out.say(0, What::Goodbye);
        let _ = self.task.await;
    }
}

async fn drive(
    receiving: impl Future<Output = ()>,
    sending: impl Future<Output = io::Result<()>>,
    gone: CancellationToken,
    out: Outbox,
) {
    let told = gone.drop_guard();
    let (mut receiving, mut sending) = (pin!(receiving), pin!(sending));
    tokio::select! {
        () = &mut receiving => {
            told.disarm().cancel();
            out.say(0, What::Goodbye);
            let _ = timeout(LINGER, sending).await;
        }
        sent = &mut sending => {
            if let Err(error) = sent {
                return tracing::debug!(%error, "the client of a stream is gone");
            }
            let _ = timeout(LINGER, receiving).await;
        }
    }
}

/// Sends until a goodbye.
async fn send<IO: AsyncWrite>(mut io: WriteHalf<IO>, mut queue: Queue, mut dialect: impl Dialect) -> io::Result<()> {
    let mut buffer = BytesMut::new();
    let mut pings = interval(PING);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pings.reset();
    loop {
        let mut last = false;
        tokio::select! {
            first = queue.next() => {
                let mut next = first;
                while let Some(outgoing) = next {
                    dialect.encode(outgoing.stream, &outgoing.what, &mut buffer);
                    last = outgoing.what == What::Goodbye;
                    next = if last || buffer.len() >= BATCH { None } else { queue.next_now() };
                }
            }
            _ = pings.tick() => dialect.keep_alive(&mut buffer),
        }
        io.write_all_buf(&mut buffer).await?;
        io.flush().await?;
        if last {
            return io.shutdown().await;
        }
    }
}
