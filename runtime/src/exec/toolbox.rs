//! The component with the tools that containers lack, from the node's image store.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::engine::{Engine, LoadError};
use crate::guest::CompiledGuest;
use crate::image;

/// Its name.
const NAME: &str = "localhost/toolbox";

/// Where the toolbox comes from. What was loaded last is kept: an exec then reads one small file.
#[derive(Clone)]
pub(super) struct Toolbox {
    images: image::Store,
    loaded: Arc<Mutex<Option<(image::Digest, Arc<Tools>)>>>,
}

/// One version of it.
pub(super) struct Tools {
    pub(super) guest: Arc<CompiledGuest>,
    /// What it can be called by; `None`: it does not say.
    names: Option<HashSet<String>>,
}

/// Why it can't be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("find the toolbox: {0}")]
    Store(#[from] image::StoreError),
    #[error("load the toolbox: {0}")]
    Load(#[from] LoadError),
    #[error("the node is stopping")]
    Stopping,
}

impl Tools {
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.as_ref().is_none_or(|names| names.contains(name))
    }
}

impl Toolbox {
    pub(super) fn new(images: image::Store) -> Toolbox {
        Toolbox { images, loaded: Arc::default() }
    }

    /// The present version; none where the node has no toolbox.
    pub(super) async fn tools(&self, engine: &Engine) -> Result<Option<Arc<Tools>>, Error> {
        let images = self.images.clone();
        let image = tokio::task::spawn_blocking(move || images.resolve(NAME)).await.map_err(|_| Error::Stopping)??;
        let Some(image) = image else { return Ok(None) };
        if let Some((digest, tools)) = &*self.loaded.lock()
            && *digest == image.digest
        {
            return Ok(Some(tools.clone()));
        }
        let guest = engine.load(&image.module.digest, &image.module.path).await?;
        let tools = Arc::new(Tools { guest, names: None });
        *self.loaded.lock() = Some((image.digest, tools.clone()));
        Ok(Some(tools))
    }
}
