//! The same for guests of WASI 0.3: a stream of entries, and a future of how it ended.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures::future::BoxFuture;
use rustix::fs::FileType;
use tokio::sync::oneshot;
use wasmtime::StoreContextMut;
use wasmtime::component::{
    Destination, FutureReader, LinkerInstance, Resource, StreamProducer, StreamReader, StreamResult,
};
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p3::bindings::filesystem::types::{DescriptorType, DirectoryEntry, ErrorCode};

use super::{Entry, Host, Listing, begin};

type Outcome = Result<(), ErrorCode>;
type Entries = (StreamReader<DirectoryEntry>, FutureReader<Outcome>);

/// Puts our listings in the place of wasmtime's.
pub(in crate::host::files) fn add_to_linker(types: &mut LinkerInstance<'_, Host>) -> wasmtime::Result<()> {
    types.func_wrap("[method]descriptor.read-directory", |store: StoreContextMut<'_, Host>, (this,)| {
        Ok((read_directory(store, &this)?,))
    })
}

fn read_directory(mut store: StoreContextMut<'_, Host>, this: &Resource<Descriptor>) -> wasmtime::Result<Entries> {
    let (tell, outcome) = oneshot::channel();
    let stream = match listing(store.data_mut(), this)? {
        Ok(listing) => StreamReader::new(&mut store, Producer { next: listing.step(), tell: Some(tell) })?,
        Err(error) => {
            let _ = tell.send(Err(error));
            StreamReader::new(&mut store, std::iter::empty())?
        }
    };
    Ok((stream, FutureReader::new(&mut store, outcome)?))
}

fn listing(host: &mut Host, this: &Resource<Descriptor>) -> wasmtime::Result<Result<Listing, ErrorCode>> {
    let Descriptor::Dir(dir) = host.table.get(this)? else { return Ok(Err(ErrorCode::NotDirectory)) };
    let dir = Arc::clone(&dir.dir);
    Ok(begin(host, dir).ok_or(ErrorCode::Quota))
}

type Step = BoxFuture<'static, (Listing, io::Result<Option<Entry>>)>;

impl Listing {
    fn step(mut self) -> Step {
        Box::pin(async move {
            let next = self.next().await;
            (self, next)
        })
    }
}

struct Producer {
    next: Step,
    tell: Option<oneshot::Sender<Outcome>>,
}

impl Producer {
    fn end(&mut self, outcome: Outcome) -> Poll<wasmtime::Result<StreamResult>> {
        if let Some(tell) = self.tell.take() {
            let _ = tell.send(outcome);
        }
        Poll::Ready(Ok(StreamResult::Dropped))
    }
}

/// Who reads no further has had no error.
impl Drop for Producer {
    fn drop(&mut self) {
        let _ = self.end(Ok(()));
    }
}

impl<D> StreamProducer<D> for Producer {
    type Item = DirectoryEntry;
    type Buffer = Option<DirectoryEntry>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut store: StoreContextMut<'a, D>,
        mut to: Destination<'a, Self::Item, Self::Buffer>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        if to.remaining(&mut store) == Some(0) {
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        let step = self.next.as_mut().poll(cx);
        if finish && step.is_pending() {
            return Poll::Ready(Ok(StreamResult::Cancelled));
        }
        let (listing, next) = ready!(step);
        match next {
            Ok(Some((kind, name))) => {
                self.next = listing.step();
                to.set_buffer(Some(DirectoryEntry { type_: in_wasi_words(kind), name }));
                Poll::Ready(Ok(StreamResult::Completed))
            }
            Ok(None) => self.end(Ok(())),
            Err(error) => self.end(Err(error.into())),
        }
    }
}

fn in_wasi_words(kind: FileType) -> DescriptorType {
    match kind {
        FileType::RegularFile => DescriptorType::RegularFile,
        FileType::Directory => DescriptorType::Directory,
        FileType::Symlink => DescriptorType::SymbolicLink,
        FileType::CharacterDevice => DescriptorType::CharacterDevice,
        FileType::BlockDevice => DescriptorType::BlockDevice,
        FileType::Fifo => DescriptorType::Fifo,
        FileType::Socket => DescriptorType::Socket,
        FileType::Unknown => DescriptorType::Other(None),
    }
}
