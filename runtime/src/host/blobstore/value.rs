//! Values: what a guest writes, and what it reads.

use std::io;
use std::sync::{Arc, Weak};

use bytes::Bytes;
use tokio::task::JoinHandle;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, InputStream, OutputStream, Pollable, StreamError, StreamResult,
};

use super::{Answer, View, told, types};
use crate::blobstore::{self, Bucket, Draft, DraftState, Name, Object, blocking};

/// Bytes that are read or written at a time.
const CHUNK: usize = 64 << 10;

/// A value that a guest writes.
///
/// Guests write the body first and say then what object it is, or the other way round. A value whose body is over when it
/// gets its name is an object at once; else it is one when it is finished. One that is dropped before that is none.
pub struct Outgoing {
    draft: Arc<Draft>,
    /// Whether the guest has asked for the body, and has not dropped it yet.
    body: Option<Weak<()>>,
    goal: Goal,
}

enum Goal {
    Unknown,
    Known(Arc<Bucket>, Name),
    Reached,
}

impl Outgoing {
    /// Makes it an object, or says what object it will be.
    pub(super) async fn put(&mut self, bucket: Arc<Bucket>, name: Name) -> Result<(), blobstore::Error> {
        if !matches!(self.goal, Goal::Unknown) {
            return Err(blobstore::Error::Taken);
        }
        if self.body.as_ref().is_some_and(|body| body.strong_count() == 0) {
            self.draft.clone().finish(bucket, name).await?;
            self.goal = Goal::Reached;
        } else {
            self.draft.settle_in(bucket.clone());
            self.goal = Goal::Known(bucket, name);
        }
        Ok(())
    }

    async fn finish(self) -> Result<(), blobstore::Error> {
        match self.goal {
            Goal::Unknown => Err(blobstore::Error::Loose),
            Goal::Known(bucket, name) => self.draft.finish(bucket, name).await,
            Goal::Reached => Ok(()),
        }
    }
}

/// A value that a guest reads.
pub struct Incoming(pub(super) Object);

impl types::Host for View<'_> {}

impl types::HostOutgoingValue for View<'_> {
    async fn new_outgoing_value(&mut self) -> wasmtime::Result<Resource<Outgoing>> {
        let draft = Draft::new(self.buckets.clone());
        Ok(self.table.push(Outgoing { draft, body: None, goal: Goal::Unknown })?)
    }

    async fn outgoing_value_write_body(
        &mut self,
        this: Resource<Outgoing>,
    ) -> wasmtime::Result<Result<Resource<DynOutputStream>, ()>> {
        let value = self.table.get_mut(&this)?;
        if value.body.is_some() || matches!(value.goal, Goal::Reached) {
            return Ok(Err(()));
        }
        let open = Arc::new(());
        value.body = Some(Arc::downgrade(&open));
        let body: DynOutputStream = Box::new(Writer { draft: value.draft.clone(), _open: open });
        // The value can't be finished before the body is dropped: that is a trap, as the interface says.
        Ok(Ok(self.table.push_child(body, &this)?))
    }

    async fn finish(&mut self, this: Resource<Outgoing>) -> Answer<()> {
        let value = self.table.delete(this)?;
        Ok(value.finish().await.map_err(told))
    }

    async fn drop(&mut self, this: Resource<Outgoing>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl types::HostIncomingValue for View<'_> {
    async fn incoming_value_consume_sync(&mut self, this: Resource<Incoming>) -> Answer<Vec<u8>> {
        let Incoming(object) = self.table.delete(this)?;
        Ok(blocking(move || object.whole()).await.map_err(told))
    }

    async fn incoming_value_consume_async(&mut self, this: Resource<Incoming>) -> Answer<Resource<DynInputStream>> {
        let Incoming(object) = self.table.delete(this)?;
        let body: DynInputStream = Box::new(Reader { object, at: 0, state: Reading::Idle });
        Ok(Ok(self.table.push(body)?))
    }

    async fn size(&mut self, this: Resource<Incoming>) -> wasmtime::Result<u64> {
        Ok(self.table.get(&this)?.0.size())
    }

    async fn drop(&mut self, this: Resource<Incoming>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

/// The body of a value that is written.
struct Writer {
    draft: Arc<Draft>,
    _open: Arc<()>,
}

impl Writer {
    fn permit(&self) -> StreamResult<usize> {
        match self.draft.state() {
            DraftState::Idle => Ok(CHUNK),
            DraftState::Busy => Ok(0),
            DraftState::Failed(why) => Err(StreamError::LastOperationFailed(wasmtime::format_err!("{why}"))),
        }
    }
}

#[wasmtime_wasi::async_trait]
impl OutputStream for Writer {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if self.permit()? < bytes.len() {
            return Err(StreamError::trap("write without a permit"));
        }
        if !bytes.is_empty() {
            self.draft.write(bytes);
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.permit().map(drop)
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.permit()
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Writer {
    async fn ready(&mut self) {
        self.draft.settled().await;
    }
}

/// The body of a value that is read.
struct Reader {
    object: Object,
    at: u64,
    state: Reading,
}

enum Reading {
    Idle,
    Busy(JoinHandle<io::Result<Bytes>>),
    Here(Bytes),
    Failed(io::Error),
    Over,
}

impl Reader {
    fn begin(&mut self) {
        let (object, at) = (self.object.clone(), self.at);
        self.state = Reading::Busy(tokio::task::spawn_blocking(move || object.read(at, CHUNK).map(Bytes::from)));
    }
}

#[wasmtime_wasi::async_trait]
impl InputStream for Reader {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        match std::mem::replace(&mut self.state, Reading::Over) {
            Reading::Here(mut bytes) => {
                let some = bytes.split_to(size.min(bytes.len()));
                self.at += some.len() as u64;
                self.state = if bytes.is_empty() { Reading::Idle } else { Reading::Here(bytes) };
                Ok(some)
            }
            Reading::Idle => {
                self.begin();
                Ok(Bytes::new())
            }
            Reading::Failed(error) => Err(StreamError::LastOperationFailed(error.into())),
            Reading::Over => Err(StreamError::Closed),
            busy @ Reading::Busy(_) => {
                self.state = busy;
                Ok(Bytes::new())
            }
        }
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Reader {
    async fn ready(&mut self) {
        if matches!(self.state, Reading::Idle) {
            self.begin();
        }
        if let Reading::Busy(task) = &mut self.state {
            self.state = match task.await {
                Ok(Ok(bytes)) if bytes.is_empty() => Reading::Over,
                Ok(Ok(bytes)) => Reading::Here(bytes),
                Ok(Err(error)) => Reading::Failed(error),
                Err(_) => Reading::Failed(io::ErrorKind::Interrupted.into()),
            };
        }
    }
}
