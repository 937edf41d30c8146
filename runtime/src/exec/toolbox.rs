//! The component with the tools that containers lack, from the node's image store.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::container::Setting;
use crate::container::processes::Parent;
use crate::container::program::{Order, launch};
use crate::engine::LoadError;
use crate::guest::CompiledGuest;
use crate::host::pipe;
use crate::host::stdio::{Input, Out, Streams};
use crate::image;

/// Its name, and what it calls itself.
const NAME: &str = "localhost/toolbox";
const PROGRAM: &str = "toolbox";

/// Where programs are. A path to anywhere else is that of a file.
const DIRECTORIES: &[&str] = &["/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/", "/usr/local/bin/"];

/// Bytes of the list of its tools.
const LIST: usize = 64 << 10;

/// Where the toolbox comes from. What was loaded last is kept: an exec then reads one small file.
#[derive(Clone)]
pub(super) struct Toolbox {
    images: image::Store,
    loaded: Arc<Mutex<Option<Loaded>>>,
}

/// Its tools, and the version they are of.
type Loaded = (image::Digest, Arc<Tools>);

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
    /// Whether a command is one of its tools.
    pub(super) fn has(&self, command: &str) -> bool {
        let name = DIRECTORIES.iter().find_map(|directory| command.strip_prefix(directory)).unwrap_or(command);
        let known = |names: &HashSet<String>| names.contains(name) || name == PROGRAM;
        !name.contains('/') && self.names.as_ref().is_none_or(known)
    }
}

impl Toolbox {
    pub(super) fn new(images: image::Store) -> Toolbox {
        Toolbox { images, loaded: Arc::default() }
    }

    /// The present version; none where the node has no toolbox. A new one is asked, in this container, what it offers.
    pub(super) async fn tools(&self, container: &Arc<Setting>) -> Result<Option<Arc<Tools>>, Error> {
        let images = self.images.clone();
        let image = tokio::task::spawn_blocking(move || images.resolve(NAME)).await.map_err(|_| Error::Stopping)??;
        let Some(image) = image else { return Ok(None) };
        if let Some((digest, tools)) = &*self.loaded.lock()
            && *digest == image.digest
        {
            return Ok(Some(tools.clone()));
        }
        let guest = container.engine.load(&image.module.digest, &image.module.path).await?;
        let names = names(container, &guest).await;
        let tools = Arc::new(Tools { guest, names });
        if tools.names.is_some() {
            *self.loaded.lock() = Some((image.digest, tools.clone()));
        }
        Ok(Some(tools))
    }
}

/// What a toolbox says that it offers. One that cannot be asked, because the container has no room for it, may offer
/// anything.
async fn names(container: &Arc<Setting>, guest: &Arc<CompiledGuest>) -> Option<HashSet<String>> {
    let (writer, reader) = pipe::pipe();
    let streams = Streams { stdin: Input::Empty, stdout: Out::Pipe(writer), stderr: Out::Discard, terminal: None };
    let args = [PROGRAM, "--list"].map(str::to_owned).into();
    let order = Order { guest: guest.clone(), args, env: Vec::new(), dir: None, streams, by: Parent::Exec };
    let process = launch(container, order).ok()?;
    let mut list = Vec::new();
    while let Some(bytes) = reader.read(LIST).await {
        list.extend_from_slice(&bytes);
        if list.len() > LIST {
            return None;
        }
    }
    let list = String::from_utf8(list).ok().filter(|list| !list.is_empty())?;
    (process.exited().await.code() == 0).then(|| list.lines().map(str::to_owned).collect())
}
