//! Making room among compiled code.
//!
//! It can always be made again, for some seconds of the processor, so it goes before images do. Without any need goes
//! what is of no use to anybody: code of a program whose file is gone (its image was removed, its volume ended), and,
//! after a week in which a way back to the last version costs nothing, code of another engine. Under need goes all that
//! nothing runs, what was used longest ago first.
//!
//! What a container runs, and what a start is loading, stays. A start that comes in between finds nothing and compiles:
//! files are unlinked and never written over, so whoever has one mapped keeps it.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::cache::{self, Cache};
use super::{Engine, load};

/// Code that has just been made is about to be run.
const MINIMUM_AGE: Duration = Duration::from_secs(120);
/// How long the code of another engine is kept while there is room.
const OTHER_ENGINES: Duration = Duration::from_secs(7 * 24 * 3600);
/// What a process that died was writing.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

/// One program's code.
#[derive(Debug)]
struct Entry {
    dir: PathBuf,
    name: String,
    bytes: u64,
    used: SystemTime,
    /// Its program was there when it was compiled, and is no more.
    orphan: bool,
}

impl Engine {
    /// Removes compiled code that is of no use, and beyond that of what nothing runs until `wanted` bytes are free. Says
    /// how many were. It blocks: disks do.
    pub fn collect_code(&self, wanted: u64) -> u64 {
        let library = &self.inner().library;
        let now = SystemTime::now();
        let (ours, others) = directories(library.cache());
        let entries: Vec<Entry> = ours.iter().flat_map(|dir| entries(dir, now)).collect();
        mark_used(library, &entries, now);
        let mut freed = 0;
        for dir in others {
            let (bytes, used) = measure(&dir);
            if (freed < wanted || is_older(used, OTHER_ENGINES, now)) && fs::remove_dir_all(&dir).is_ok() {
                tracing::info!(path = %dir.display(), bytes, "removed the compiled code of another engine");
                freed += bytes;
            }
        }
        for entry in in_order(entries, now) {
            let goes = entry.orphan || freed < wanted;
            // Of the note that leads to a second engine's code, too.
            let remove = || ours.iter().all(|dir| cache::remove(dir, &entry.name).is_ok());
            if goes && !library.holds(&entry.name) && remove() {
                tracing::debug!(code = entry.name, entry.bytes, "removed compiled code that nothing runs");
                freed += entry.bytes;
            }
        }
        freed
    }
}

/// Those that may go: first what nobody can want any more, then what was used longest ago.
fn in_order(mut entries: Vec<Entry>, now: SystemTime) -> Vec<Entry> {
    entries.retain(|entry| is_older(entry.used, MINIMUM_AGE, now));
    entries.sort_by_key(|entry| (!entry.orphan, entry.used));
    entries
}

/// A clock that was set back makes nothing old.
fn is_older(used: SystemTime, age: Duration, now: SystemTime) -> bool {
    now.duration_since(used).is_ok_and(|passed| passed >= age)
}

/// What has run for weeks was last used now, not when it was started.
fn mark_used(library: &load::Library, entries: &[Entry], now: SystemTime) {
    for entry in entries.iter().filter(|entry| library.holds(&entry.name)) {
        cache::mark_used(&entry.dir, &entry.name, now);
    }
}

/// The directories of this engine and of the one for WASI 0.3, and those of other engines.
fn directories(cache: &Cache) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let dir = cache.dir();
    let seconds: HashSet<String> =
        paths(dir).iter().filter(|path| has_extension(path, cache::ELSEWHERE)).filter_map(read).collect();
    let all = dir.parent().map(paths).unwrap_or_default();
    // Nothing is touched that was not named by us.
    let is_engine = |path: &PathBuf| path.is_dir() && file_name(path).is_some_and(cache::is_engine_name);
    all.into_iter()
        .filter(is_engine)
        .partition(|path| path == dir || file_name(path).is_some_and(|name| seconds.contains(name)))
}

fn read(path: &PathBuf) -> Option<String> {
    fs::read_to_string(path).ok()
}

fn entries(dir: &Path, now: SystemTime) -> Vec<Entry> {
    let mut found = Vec::new();
    for path in paths(dir) {
        let Ok(meta) = fs::metadata(&path) else { continue };
        let Some(name) = path.file_stem().and_then(|name| name.to_str()) else { continue };
        if name.starts_with(cache::UNFINISHED) {
            if meta.modified().is_ok_and(|modified| is_older(modified, ABANDONED, now)) {
                // Another process may have tidied up.
                let _ = fs::remove_file(&path);
            }
        } else if has_extension(&path, cache::CODE) {
            let used = cache::last_used(dir, name).or_else(|| meta.modified().ok()).unwrap_or(now);
            let orphan = cache::program(dir, name).is_some_and(|program| is_gone(&program));
            found.push(Entry { dir: dir.to_owned(), name: name.to_owned(), bytes: meta.len(), used, orphan });
        }
    }
    found
}

/// A disk that does not answer has lost nothing.
fn is_gone(program: &Path) -> bool {
    matches!(fs::metadata(program), Err(error) if error.kind() == io::ErrorKind::NotFound)
}

/// The bytes in a directory, and when it was last used.
fn measure(dir: &Path) -> (u64, SystemTime) {
    let metas =
        paths(dir).into_iter().chain([dir.to_owned()]).filter_map(|path| File::open(path).ok()?.metadata().ok());
    metas.fold((0, SystemTime::UNIX_EPOCH), |(bytes, used), meta| {
        let size = if meta.is_file() { meta.len() } else { 0 };
        (bytes + size, meta.modified().map_or(used, |modified| modified.max(used)))
    })
}

fn paths(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

fn file_name(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

fn has_extension(path: &Path, wanted: &str) -> bool {
    path.extension().is_some_and(|extension| extension == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, age: u64, orphan: bool) -> Entry {
        let used = SystemTime::UNIX_EPOCH + Duration::from_secs(10_000 - age);
        Entry { dir: PathBuf::new(), name: name.to_owned(), bytes: 1, used, orphan }
    }

    #[test]
    fn what_nobody_can_want_goes_before_what_was_used_longest_ago() {
        let entries = vec![
            entry("young", 10, false),
            entry("used", 200, false),
            entry("old", 5_000, false),
            entry("orphan", 300, true),
            entry("young orphan", 10, true),
        ];
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(10_000);
        let names: Vec<String> = in_order(entries, now).into_iter().map(|entry| entry.name).collect();
        assert_eq!(names, ["orphan", "old", "used"]);
    }
}
