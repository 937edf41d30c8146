//! `wasi:keyvalue` over the [store](crate::keyvalue) of the pod's namespace.

use std::sync::Arc;

use wasmtime::component::{HasData, Linker, Resource, ResourceTable};

use super::Host;
use crate::container::Setting;
use crate::keyvalue::{self, Store};

mod bindings {
    wasmtime::component::bindgen!({
        path: "wit/keyvalue",
        world: "sampan:host/keyvalue",
        imports: { default: async | trappable },
        require_store_data_send: true,
        with: {
            "wasi:keyvalue/store.bucket": super::Bucket,
        },
    });
}

use bindings::wasi::keyvalue::store::{Error, KeyResponse};
use bindings::wasi::keyvalue::{atomics, batch, store};

type Answer<T> = wasmtime::Result<Result<T, Error>>;

/// A bucket that a guest has open.
pub struct Bucket {
    store: Arc<Store>,
    name: Arc<str>,
}

struct Keyvalue;

impl HasData for Keyvalue {
    type Data<'a> = View<'a>;
}

/// What the interface's functions work on.
pub(super) struct View<'a> {
    table: &'a mut ResourceTable,
    setting: &'a Setting,
}

impl Host {
    fn keyvalue(&mut self) -> View<'_> {
        View { table: &mut self.table, setting: &self.setting }
    }
}

pub(super) fn add_to_linker(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    store::add_to_linker::<Host, Keyvalue>(linker, Host::keyvalue)?;
    atomics::add_to_linker::<Host, Keyvalue>(linker, Host::keyvalue)?;
    batch::add_to_linker::<Host, Keyvalue>(linker, Host::keyvalue)
}

impl View<'_> {
    fn bucket(&self, this: &Resource<Bucket>) -> wasmtime::Result<(Arc<Store>, Arc<str>)> {
        let Bucket { store, name } = self.table.get(this)?;
        Ok((store.clone(), name.clone()))
    }
}

fn told(error: keyvalue::Error) -> Error {
    Error::Other(error.to_string())
}

impl store::Host for View<'_> {
    async fn open(&mut self, identifier: String) -> Answer<Resource<Bucket>> {
        let Some(namespace) = &self.setting.spec.keyvalue else { return Ok(Err(Error::AccessDenied)) };
        if identifier.len() > keyvalue::MAX_KEY {
            return Ok(Err(Error::NoSuchStore));
        }
        // Open until the container ends: a handler's next instance finds it so.
        match self.setting.keyvalue.get_or_try_init(|| namespace.open()).await {
            Ok(store) => Ok(Ok(self.table.push(Bucket { store: store.clone(), name: identifier.into() })?)),
            Err(error) => Ok(Err(told(error))),
        }
    }
}

impl store::HostBucket for View<'_> {
    async fn get(&mut self, this: Resource<Bucket>, key: String) -> Answer<Option<Vec<u8>>> {
        let (store, bucket) = self.bucket(&this)?;
        Ok(store.get(&bucket, key).await.map_err(told))
    }

    async fn set(&mut self, this: Resource<Bucket>, key: String, value: Vec<u8>) -> Answer<()> {
        let (store, bucket) = self.bucket(&this)?;
        Ok(store.write(&bucket, vec![(key, Some(value))]).await.map_err(told))
    }

    async fn delete(&mut self, this: Resource<Bucket>, key: String) -> Answer<()> {
        let (store, bucket) = self.bucket(&this)?;
        Ok(store.write(&bucket, vec![(key, None)]).await.map_err(told))
    }

    async fn exists(&mut self, this: Resource<Bucket>, key: String) -> Answer<bool> {
        let (store, bucket) = self.bucket(&this)?;
        Ok(store.get(&bucket, key).await.map(|value| value.is_some()).map_err(told))
    }

    async fn list_keys(&mut self, this: Resource<Bucket>, cursor: Option<u64>) -> Answer<KeyResponse> {
        let (store, bucket) = self.bucket(&this)?;
        let page = store.keys(&bucket, cursor.unwrap_or(0)).await;
        Ok(page.map(|page| KeyResponse { keys: page.keys, cursor: page.next }).map_err(told))
    }

    async fn drop(&mut self, this: Resource<Bucket>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl atomics::Host for View<'_> {
    async fn increment(&mut self, this: Resource<Bucket>, key: String, delta: u64) -> Answer<u64> {
        let (store, bucket) = self.bucket(&this)?;
        Ok(store.increment(&bucket, key, delta).await.map_err(told))
    }
}

impl batch::Host for View<'_> {
    async fn get_many(&mut self, this: Resource<Bucket>, keys: Vec<String>) -> Answer<Vec<Option<(String, Vec<u8>)>>> {
        let (store, bucket) = self.bucket(&this)?;
        Ok(store.get_many(&bucket, keys).await.map_err(told))
    }

    async fn set_many(&mut self, this: Resource<Bucket>, pairs: Vec<(String, Vec<u8>)>) -> Answer<()> {
        let (store, bucket) = self.bucket(&this)?;
        let changes = pairs.into_iter().map(|(key, value)| (key, Some(value))).collect();
        Ok(store.write(&bucket, changes).await.map_err(told))
    }

    async fn delete_many(&mut self, this: Resource<Bucket>, keys: Vec<String>) -> Answer<()> {
        let (store, bucket) = self.bucket(&this)?;
        Ok(store.write(&bucket, keys.into_iter().map(|key| (key, None)).collect()).await.map_err(told))
    }
}
