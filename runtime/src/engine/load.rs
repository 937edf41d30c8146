//! From a file to a [`CompiledGuest`].

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::sync::Semaphore;
use wasmtime::component::Component;

use super::cache::{Cache, CacheError};
use super::{Engine, Inner};
use crate::guest::CompiledGuest;
use crate::guest::sniff::{self, Found};

/// What this engine runs, for those who gave it something else.
const RUNS: &str = "Sampan runs WebAssembly components (target wasm32-wasip2) that export wasi:cli/run or \
                    wasi:http/incoming-handler";

/// Why an image does not become a guest. Trying again helps only where the file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file is missing or unreadable.
    #[error("cannot read {path}: {source}", path = .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is no WebAssembly at all.
    #[error("the image is not WebAssembly: it is {found}. {RUNS}")]
    NotWasm {
        /// What it looks like.
        found: &'static str,
    },
    /// A core module, as wasm32-wasip1 makes them.
    #[error("the image is a core WebAssembly module, not a component. {RUNS}")]
    CoreModule,
    /// A component with nothing to call.
    #[error("the component exports {}, nothing that can be started. {RUNS}", list(exports))]
    NoEntry {
        /// What it does export.
        exports: Vec<String>,
    },
    /// The component wants something of its host that there is not.
    #[error("the component imports {name}, which is not provided ({reason})")]
    Import {
        /// The import.
        name: String,
        /// In wasmtime's words.
        reason: String,
    },
    /// The bytes are not valid.
    #[error("the WebAssembly is not valid: {0}")]
    Invalid(String),
    /// An export has the right name and the wrong type.
    #[error("the component's entry point does not fit its name: {0}")]
    Entry(String),
    /// Compilation died; the fault is on this side.
    #[error("the compiler failed: {0}")]
    Compiler(String),
}

fn list(names: &[String]) -> String {
    match names {
        [] => "nothing".to_owned(),
        names => names.join(", "),
    }
}

/// The images that were loaded, and how loads are kept from doing work twice.
pub(super) struct Library {
    cache: Cache,
    /// Code in use. The containers hold it; when the last goes, so does the code.
    loaded: Mutex<HashMap<String, Weak<CompiledGuest>>>,
    /// One lock a digest that is being loaded.
    loading: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
    /// The compiler already uses every core; side by side, compilations only add up their memory.
    compilers: Semaphore,
}

impl Library {
    pub(super) fn open(dir: &Path, engine: &wasmtime::Engine) -> Result<Library, CacheError> {
        Ok(Library {
            cache: Cache::open(dir, engine)?,
            loaded: Mutex::default(),
            loading: Mutex::default(),
            compilers: Semaphore::new(1),
        })
    }

    fn present(&self, digest: &str) -> Option<Arc<CompiledGuest>> {
        self.loaded.lock().get(digest)?.upgrade()
    }

    fn keep(&self, digest: &str, guest: &Arc<CompiledGuest>) {
        let mut loaded = self.loaded.lock();
        loaded.retain(|_, guest| guest.strong_count() > 0);
        loaded.insert(digest.to_owned(), Arc::downgrade(guest));
    }
}

impl Engine {
    /// The guest whose content has this `digest` and lies at `path`. The file is read only when there is no code for it:
    /// not in use, not in the cache. Loads of one digest wait for each other.
    ///
    /// # Cancel safety
    /// A compilation that was begun goes on and fills the cache.
    ///
    /// # Errors
    /// Whatever is wrong with the image is found here, missing imports too, before anything of it runs.
    pub async fn load(&self, digest: &str, path: &Path) -> Result<Arc<CompiledGuest>, LoadError> {
        let library = &self.inner().library;
        if let Some(guest) = library.present(digest) {
            return Ok(guest);
        }
        let turn = Arc::clone(library.loading.lock().entry(digest.to_owned()).or_default());
        let _last = Forget { library, digest };
        let _turn = turn.lock().await;
        if let Some(guest) = library.present(digest) {
            return Ok(guest);
        }
        let guest = Arc::new(self.read_or_compile(digest, path).await?);
        library.keep(digest, &guest);
        Ok(guest)
    }

    async fn read_or_compile(&self, digest: &str, path: &Path) -> Result<CompiledGuest, LoadError> {
        let (engine, key) = (self.clone(), digest.to_owned());
        let cached = blocking(move || {
            let inner = engine.inner();
            inner.library.cache.get(&inner.wasm, &key).map(|code| CompiledGuest::bind(&code, &inner.linker))
        });
        if let Some(guest) = cached.await? {
            return guest;
        }
        // Never closed.
        let _one = self.inner().library.compilers.acquire().await;
        let (engine, key, path) = (self.clone(), digest.to_owned(), path.to_owned());
        blocking(move || {
            let inner = engine.inner();
            CompiledGuest::bind(&compile(inner, &key, &path)?, &inner.linker)
        })
        .await?
    }
}

fn compile(inner: &Inner, digest: &str, path: &Path) -> Result<Component, LoadError> {
    let bytes = std::fs::read(path).map_err(|source| LoadError::Read { path: path.to_owned(), source })?;
    match sniff::look(&bytes) {
        Found::Component => {}
        Found::CoreModule => return Err(LoadError::CoreModule),
        Found::Other(found) => return Err(LoadError::NotWasm { found }),
    }
    let begun = std::time::Instant::now();
    let code = inner.wasm.precompile_component(&bytes).map_err(|error| LoadError::Invalid(sniff::brief(&error)))?;
    tracing::info!(digest, wasm = bytes.len(), code = code.len(), took = ?begun.elapsed(), "compiled");
    inner.library.cache.put(&inner.wasm, digest, &code).map_err(|error| LoadError::Compiler(sniff::brief(&error)))
}

/// Compilers and disks keep a thread busy: not one that others wait for.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, LoadError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| LoadError::Compiler(error.to_string()))
}

/// Takes the digest's lock off the list with its last user.
struct Forget<'a> {
    library: &'a Library,
    digest: &'a str,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        let mut loading = self.library.loading.lock();
        // Two: the list's, and ours in `load`. Whoever waits holds a third.
        if loading.get(self.digest).is_some_and(|turn| Arc::strong_count(turn) <= 2) {
            loading.remove(self.digest);
        }
    }
}
