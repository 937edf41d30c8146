//! A bucket, and the names in it.

use std::sync::Arc;

use parking_lot::Mutex;
use wasmtime::component::Resource;

use super::bindings::wasi::blobstore::container::{ContainerMetadata, ObjectMetadata};
use super::value::{Incoming, Outgoing};
use super::{Answer, View, container, told};
use crate::blobstore::{self, Bucket, Listing, Name, blocking};

/// A container, in the interface's words.
pub struct Container(pub(super) Arc<Bucket>);

/// The rest of a list of names.
pub struct Names(Arc<Mutex<Listing>>);

/// Objects that are removed in one trip off the guests' threads.
const BATCH: usize = 256;

impl View<'_> {
    fn bucket(&self, this: &Resource<Container>) -> wasmtime::Result<Arc<Bucket>> {
        Ok(self.table.get(this)?.0.clone())
    }

    fn listing(&self, this: &Resource<Names>) -> wasmtime::Result<Arc<Mutex<Listing>>> {
        Ok(self.table.get(this)?.0.clone())
    }
}

/// Something to do with one object.
async fn with<T: Send + 'static>(
    bucket: Arc<Bucket>,
    name: &str,
    work: impl FnOnce(&Bucket, &Name) -> Result<T, blobstore::Error> + Send + 'static,
) -> Result<T, blobstore::Error> {
    let name = Name::new(name)?;
    blocking(move || work(&bucket, &name)).await
}

/// Empties a bucket, some of it at a time.
pub(super) async fn clear(bucket: Arc<Bucket>) -> Result<(), blobstore::Error> {
    bucket.writable()?;
    loop {
        let bucket = bucket.clone();
        if !blocking(move || bucket.clear_some()).await? {
            return Ok(());
        }
    }
}

async fn remove(bucket: Arc<Bucket>, names: Vec<String>) -> Result<(), blobstore::Error> {
    bucket.writable()?;
    let names = names.iter().map(|name| Name::new(name)).collect::<Result<Vec<_>, _>>()?;
    for some in names.chunks(BATCH) {
        let (bucket, some) = (bucket.clone(), some.to_vec());
        blocking(move || some.iter().try_for_each(|name| bucket.remove(name))).await?;
    }
    Ok(())
}

impl container::Host for View<'_> {}

impl container::HostContainer for View<'_> {
    async fn name(&mut self, this: Resource<Container>) -> Answer<String> {
        Ok(Ok(self.bucket(&this)?.name().to_owned()))
    }

    async fn info(&mut self, this: Resource<Container>) -> Answer<ContainerMetadata> {
        let bucket = self.bucket(&this)?;
        let name = bucket.name().to_owned();
        let info = blocking(move || bucket.info()).await;
        Ok(info.map(|info| ContainerMetadata { name, created_at: info.created }).map_err(told))
    }

    async fn get_data(
        &mut self,
        this: Resource<Container>,
        name: String,
        start: u64,
        end: u64,
    ) -> Answer<Resource<Incoming>> {
        match with(self.bucket(&this)?, &name, move |bucket, name| bucket.open(name)?.part(start, end)).await {
            Ok(object) => Ok(Ok(self.table.push(Incoming(object))?)),
            Err(error) => Ok(Err(told(error))),
        }
    }

    async fn write_data(&mut self, this: Resource<Container>, name: String, data: Resource<Outgoing>) -> Answer<()> {
        let bucket = self.bucket(&this)?;
        let name = match bucket.writable().and_then(|()| Name::new(&name)) {
            Ok(name) => name,
            Err(error) => return Ok(Err(told(error))),
        };
        Ok(self.table.get_mut(&data)?.put(bucket, name).await.map_err(told))
    }

    async fn list_objects(&mut self, this: Resource<Container>) -> Answer<Resource<Names>> {
        let bucket = self.bucket(&this)?;
        match blocking(move || Listing::new(bucket)).await {
            Ok(listing) => Ok(Ok(self.table.push(Names(Arc::new(Mutex::new(listing))))?)),
            Err(error) => Ok(Err(told(error))),
        }
    }

    async fn delete_object(&mut self, this: Resource<Container>, name: String) -> Answer<()> {
        Ok(remove(self.bucket(&this)?, vec![name]).await.map_err(told))
    }

    async fn delete_objects(&mut self, this: Resource<Container>, names: Vec<String>) -> Answer<()> {
        Ok(remove(self.bucket(&this)?, names).await.map_err(told))
    }

    async fn has_object(&mut self, this: Resource<Container>, name: String) -> Answer<bool> {
        let found = with(self.bucket(&this)?, &name, Bucket::find).await;
        Ok(found.map(|found| found.is_some()).map_err(told))
    }

    async fn object_info(&mut self, this: Resource<Container>, name: String) -> Answer<ObjectMetadata> {
        let container = self.bucket(&this)?.name().to_owned();
        let found = with(self.bucket(&this)?, &name, Bucket::find).await;
        let found = found.and_then(|found| found.ok_or_else(|| blobstore::Error::NoObject(name.clone())));
        let told_of =
            |info: blobstore::Info| ObjectMetadata { name, container, created_at: info.created, size: info.size };
        Ok(found.map(told_of).map_err(told))
    }

    async fn clear(&mut self, this: Resource<Container>) -> Answer<()> {
        Ok(clear(self.bucket(&this)?).await.map_err(told))
    }

    async fn drop(&mut self, this: Resource<Container>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl container::HostStreamObjectNames for View<'_> {
    async fn read_stream_object_names(&mut self, this: Resource<Names>, len: u64) -> Answer<(Vec<String>, bool)> {
        let listing = self.listing(&this)?;
        Ok(blocking(move || listing.lock().read(len)).await.map_err(told))
    }

    async fn skip_stream_object_names(&mut self, this: Resource<Names>, num: u64) -> Answer<(u64, bool)> {
        let mut skipped = 0;
        loop {
            let (listing, left) = (self.listing(&this)?, num - skipped);
            match blocking(move || listing.lock().read(left)).await {
                Ok((names, is_last)) => {
                    skipped += names.len() as u64;
                    if is_last || skipped == num {
                        return Ok(Ok((skipped, is_last)));
                    }
                }
                Err(error) => return Ok(Err(told(error))),
            }
        }
    }

    async fn drop(&mut self, this: Resource<Names>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}
