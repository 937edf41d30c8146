//! From a file to a [`CompiledGuest`].

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::cache::{self, Cache, CacheError};
use super::compiler::{Compiler, Order};
use super::{Engine, Inner, outline, wasip1};
use crate::guest::CompiledGuest;
use crate::guest::sniff::{self, Found};

/// What this engine runs, for those who gave it something else.
const RUNS: &str = "Sampan runs WebAssembly components (target wasm32-wasip2) that export wasi:cli/run, \
                    wasi:http/incoming-handler or wasi:http/handler, and commands of wasm32-wasip1";

/// Bytes of WebAssembly. Compiling takes some twenty times as much memory, and a second a megabyte.
const MAX_SIZE: u64 = 128 << 20;

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
    /// More than anybody should have to compile.
    #[error("the image has {size} bytes of WebAssembly, more than the {MAX_SIZE} that are compiled here")]
    TooLarge {
        /// What it has.
        size: u64,
    },
    /// A core module that is no command of wasip1.
    #[error("the core WebAssembly module {why}. {RUNS}")]
    CoreModule {
        /// What is wrong with it, as a verb phrase.
        why: String,
    },
    /// A component with nothing to call.
    #[error("the component exports {}, nothing that can be started. {RUNS}", list(exports))]
    NoEntry {
        /// What it does export.
        exports: Vec<String>,
    },
    /// It wants something of its host that there is not.
    #[error("the component imports {}, which is not provided ({reason})", names.join(", "))]
    Imports {
        /// All such imports.
        names: Vec<String>,
        /// Why, of the first.
        reason: String,
    },
    /// The bytes are not valid.
    #[error("the WebAssembly is not valid: {0}")]
    Invalid(String),
    /// An export has the right name and the wrong type.
    #[error("the component's entry point does not fit its name: {0}")]
    Entry(String),
    /// Valid, and larger than the room that a guest has.
    #[error("the component asks for more than a guest can have here: {0}")]
    Exceeds(String),
    /// The engine for WASI 0.3 does not start.
    #[error("guests of WASI 0.3 cannot run here: {0}")]
    Concurrent(String),
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
    compiler: Compiler,
}

impl Library {
    pub(super) fn open(dir: &Path, engine: &wasmtime::Engine, compiler: Compiler) -> Result<Library, CacheError> {
        Ok(Library {
            cache: Cache::open(dir, engine)?,
            loaded: Mutex::default(),
            loading: Mutex::default(),
            compilers: Semaphore::new(1),
            compiler,
        })
    }

    fn present(&self, digest: &str) -> Option<Arc<CompiledGuest>> {
        self.loaded.lock().get(digest)?.upgrade()
    }

    pub(super) fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Whether the entry of this name is run or being loaded.
    pub(super) fn holds(&self, name: &str) -> bool {
        let is_it = |digest: &String| cache::file_name(digest) == name;
        // A load is listed before it looks at the disk, and until what it loaded is listed.
        self.loading.lock().keys().any(is_it)
            || self.loaded.lock().iter().any(|(digest, guest)| guest.strong_count() > 0 && is_it(digest))
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
        // Mapping a file takes less than the way to another thread and back.
        if let Some(guest) = known(self.inner(), digest) {
            return guest;
        }
        let (engine, key, program) = (self.clone(), digest.to_owned(), path.to_owned());
        if let Some(guest) = blocking(move || cached(engine.inner(), &key, &program)).await? {
            return guest;
        }
        // Never closed.
        let _one = self.inner().library.compilers.acquire().await;
        let (engine, key, path) = (self.clone(), digest.to_owned(), path.to_owned());
        blocking(move || compile(engine.inner(), &key, &path)).await?
    }
}

/// What this process has looked at before.
fn known(inner: &Inner, digest: &str) -> Option<Result<CompiledGuest, LoadError>> {
    let cache = &inner.library.cache;
    let code = cache.map(&inner.wasm, digest, cache.known(digest)?)?;
    Some(CompiledGuest::bind(&code, &inner.linker))
}

fn cached(inner: &Inner, digest: &str, path: &Path) -> Option<Result<CompiledGuest, LoadError>> {
    let cache = &inner.library.cache;
    if cache.is_elsewhere(digest) {
        let other = inner.concurrent.engine(&inner.guests).ok()?;
        return other.cache.get(&other.wasm, digest, path).map(|code| CompiledGuest::bind(&code, &other.linker));
    }
    cache.get(&inner.wasm, digest, path).map(|code| CompiledGuest::bind(&code, &inner.linker))
}

fn compile(inner: &Inner, digest: &str, path: &Path) -> Result<CompiledGuest, LoadError> {
    let bytes = read(path)?;
    let bytes = match sniff::look(&bytes) {
        Found::Component => bytes,
        Found::CoreModule => wasip1::component(&bytes)?,
        Found::Other(found) => return Err(LoadError::NotWasm { found }),
    };
    let concurrent =
        outline::is_concurrent(&bytes).map_err(|error| LoadError::Invalid(sniff::shorten(error.message())))?;
    let (plan, wasm, linker, cache) = if concurrent {
        let other = inner.concurrent.engine(&inner.guests).map_err(LoadError::Concurrent)?;
        (other.plan, &other.wasm, &other.linker, &other.cache)
    } else {
        (inner.plan, &inner.wasm, &inner.linker, &inner.library.cache)
    };
    let (begun, size) = (std::time::Instant::now(), bytes.len());
    let code = inner.library.compiler.compile(Order { plan, concurrent }, &bytes)?;
    drop(bytes);
    tracing::info!(digest, wasm = size, code = code.len(), took = ?begun.elapsed(), "compiled");
    let code = cache.put(wasm, digest, path, &code).map_err(|error| LoadError::Exceeds(sniff::brief(&error)))?;
    if concurrent {
        inner.library.cache.note_elsewhere(digest, cache);
    }
    CompiledGuest::bind(&code, linker)
}

fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    let failed = |source| LoadError::Read { path: path.to_owned(), source };
    let size = std::fs::metadata(path).map_err(failed)?.len();
    if size > MAX_SIZE {
        return Err(LoadError::TooLarge { size });
    }
    std::fs::read(path).map_err(failed)
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
