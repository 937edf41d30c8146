//! `wasi:blobstore` over the [volumes](crate::blobstore) of the container.

mod bucket;
mod value;

use std::sync::Arc;

use wasmtime::component::{HasData, Linker, Resource, ResourceTable};

use super::Host;
use crate::blobstore::{self, Bucket, Buckets, Name, blocking, copy, rename};

mod bindings {
    wasmtime::component::bindgen!({
        path: "wit/blobstore",
        world: "sampan:host/blobstore",
        imports: { default: async | trappable },
        require_store_data_send: true,
        with: {
            "wasi:io": wasmtime_wasi_io::bindings::wasi::io,
            "wasi:blobstore/container.container": super::bucket::Container,
            "wasi:blobstore/container.stream-object-names": super::bucket::Names,
            "wasi:blobstore/types.outgoing-value": super::value::Outgoing,
            "wasi:blobstore/types.incoming-value": super::value::Incoming,
        },
    });
}

use bindings::wasi::blobstore::types::ObjectId;
use bindings::wasi::blobstore::{blobstore as interface, container, types};
use bucket::Container;

/// What the guest is told, unless it is to trap.
type Answer<T> = wasmtime::Result<Result<T, String>>;

struct Blobstore;

impl HasData for Blobstore {
    type Data<'a> = View<'a>;
}

/// What the interface's functions work on.
pub(super) struct View<'a> {
    table: &'a mut ResourceTable,
    buckets: &'a Arc<Buckets>,
}

impl Host {
    fn blobstore(&mut self) -> View<'_> {
        View { table: &mut self.table, buckets: &self.setting.buckets }
    }
}

pub(super) fn add_to_linker(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    types::add_to_linker::<Host, Blobstore>(linker, Host::blobstore)?;
    container::add_to_linker::<Host, Blobstore>(linker, Host::blobstore)?;
    interface::add_to_linker::<Host, Blobstore>(linker, Host::blobstore)
}

fn told(error: blobstore::Error) -> String {
    error.to_string()
}

impl View<'_> {
    fn opened(&mut self, bucket: Result<Bucket, blobstore::Error>) -> Answer<Resource<Container>> {
        match bucket {
            Ok(bucket) => Ok(Ok(self.table.push(Container(Arc::new(bucket)))?)),
            Err(error) => Ok(Err(told(error))),
        }
    }
}

/// Something to do with the buckets, off this thread.
async fn ask<T: Send + 'static>(
    buckets: &Arc<Buckets>,
    work: impl FnOnce(&Buckets) -> Result<T, blobstore::Error> + Send + 'static,
) -> Result<T, blobstore::Error> {
    let buckets = buckets.clone();
    blocking(move || work(&buckets)).await
}

async fn delete(buckets: &Arc<Buckets>, name: String) -> Result<(), blobstore::Error> {
    let removed = name.clone();
    let bucket = ask(buckets, move |buckets| buckets.removable(&name)).await?;
    bucket::clear(Arc::new(bucket)).await?;
    ask(buckets, move |buckets| buckets.remove(&removed)).await
}

async fn copied(ends: Result<(End, End), blobstore::Error>) -> Result<(), blobstore::Error> {
    let (from, to) = ends?;
    let is_same = from.is(&to);
    let object = blocking(move || from.bucket.open(&from.name)).await?;
    if is_same { Ok(()) } else { copy(object, to.bucket, to.name).await }
}

async fn moved(ends: Result<(End, End), blobstore::Error>) -> Result<(), blobstore::Error> {
    let (from, to) = ends?;
    from.bucket.writable()?;
    let (one, other) = (from.clone(), to.clone());
    let object = blocking(move || {
        let object = one.bucket.open(&one.name)?;
        let is_done = one.is(&other) || rename(&one.bucket, &one.name, &other.bucket, &other.name)?;
        Ok((!is_done).then_some(object))
    });
    if let Some(object) = object.await? {
        copy(object, to.bucket, to.name).await?;
        blocking(move || from.bucket.remove(&from.name)).await?;
    }
    Ok(())
}

/// Both ends, the second of which can be written to.
async fn ends(buckets: &Arc<Buckets>, from: ObjectId, to: ObjectId) -> Result<(End, End), blobstore::Error> {
    ask(buckets, move |buckets| {
        let end = |id: &ObjectId| {
            let name = Name::new(&id.object)?;
            Ok::<_, blobstore::Error>(End { bucket: Arc::new(buckets.open(&id.container)?), name })
        };
        let (from, to) = (end(&from)?, end(&to)?);
        to.bucket.writable()?;
        Ok((from, to))
    })
    .await
}

/// Where an object comes from or goes to.
#[derive(Clone)]
struct End {
    bucket: Arc<Bucket>,
    name: Name,
}

impl End {
    fn is(&self, other: &End) -> bool {
        self.bucket.name() == other.bucket.name() && self.name == other.name
    }
}

impl interface::Host for View<'_> {
    async fn create_container(&mut self, name: String) -> Answer<Resource<Container>> {
        let made = ask(self.buckets, move |buckets| buckets.create(&name)).await;
        self.opened(made)
    }

    async fn get_container(&mut self, name: String) -> Answer<Resource<Container>> {
        let found = ask(self.buckets, move |buckets| buckets.open(&name)).await;
        self.opened(found)
    }

    async fn delete_container(&mut self, name: String) -> Answer<()> {
        Ok(delete(self.buckets, name).await.map_err(told))
    }

    async fn container_exists(&mut self, name: String) -> Answer<bool> {
        Ok(ask(self.buckets, move |buckets| buckets.exists(&name)).await.map_err(told))
    }

    async fn copy_object(&mut self, src: ObjectId, dest: ObjectId) -> Answer<()> {
        Ok(copied(ends(self.buckets, src, dest).await).await.map_err(told))
    }

    async fn move_object(&mut self, src: ObjectId, dest: ObjectId) -> Answer<()> {
        Ok(moved(ends(self.buckets, src, dest).await).await.map_err(told))
    }
}
