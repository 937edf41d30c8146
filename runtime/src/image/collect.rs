//! Making room: compiled code that nothing runs, then images that came from a registry and that no pod uses, the one
//! that was used longest ago first.
//!
//! As a kubelet does it: when the file system is 85 % full, until it is 80 % full; all of them when pods would have to go
//! otherwise. What runs is never taken. Nor is what was imported or pushed to this node (`localhost/…`): it is nowhere
//! else.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::{Named, Reference, Store, StoreError};
use crate::engine::Engine;

/// Percent of the disk.
const HIGH: u64 = 85;
const LOW: u64 = 80;
/// Between two looks at the disk.
const INTERVAL: Duration = Duration::from_secs(300);
/// An image that has just come is about to be used.
const MINIMUM_AGE: Duration = Duration::from_secs(120);
/// Uploads that nobody went on with, blobs that no manifest came for.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

/// Takes care of one store, and of the code that was compiled from it.
pub struct Collector {
    store: Store,
    engine: Engine,
    /// When each name was last seen in use.
    used: HashMap<String, Timestamp>,
    looked: Option<Instant>,
}

impl Collector {
    /// Of this store and this engine's code.
    pub fn new(store: Store, engine: Engine) -> Self {
        Self { store, engine, used: HashMap::new(), looked: None }
    }

    /// Makes room if there is need; `everything`: of all that nobody uses. Says how many bytes there were in what went.
    /// `used` names the images of pods as their manifests and statuses do.
    pub async fn collect(&mut self, used: impl FnOnce() -> HashSet<String>, data: PathBuf, everything: bool) -> u64 {
        let due = self.looked.is_none_or(|looked| looked.elapsed() >= INTERVAL);
        if !due && !everything {
            return 0;
        }
        let used: HashSet<String> =
            used().iter().filter_map(|name| Some(Reference::parse(name).ok()?.to_string())).collect();
        let now = Timestamp::now();
        self.used.extend(used.iter().map(|name| (name.clone(), now)));
        self.looked = Some(Instant::now());
        let (store, engine, last) = (self.store.clone(), self.engine.clone(), self.used.clone());
        let work = move || {
            let wanted = wanted(&data, everything);
            let code = engine.collect_code(wanted);
            make_room(&store, &used, &last, wanted.saturating_sub(code), now).map(|images| code + images)
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(Ok(freed)) => freed,
            Ok(Err(error)) => {
                tracing::warn!(%error, "making room among the images");
                0
            }
            Err(_) => 0,
        }
    }
}

/// Bytes to free.
fn wanted(data: &std::path::Path, everything: bool) -> u64 {
    let Ok(disk) = rustix::fs::statvfs(data) else { return 0 };
    let (capacity, available) = (disk.f_blocks * disk.f_frsize, disk.f_bavail * disk.f_frsize);
    let used = capacity.saturating_sub(available);
    match everything {
        true => u64::MAX,
        false if used * 100 / capacity.max(1) >= HIGH => used - capacity / 100 * LOW,
        false => 0,
    }
}

fn make_room(
    store: &Store,
    used: &HashSet<String>,
    last: &HashMap<String, Timestamp>,
    wanted: u64,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let mut freed = store.tidy(ABANDONED)?;
    if wanted == 0 {
        return Ok(freed);
    }
    for image in choose(store.list()?, used, last, now) {
        if freed >= wanted {
            break;
        }
        if store.remove(&image.reference.to_string())? {
            tracing::info!(image = %image.reference, bytes = image.size, "removed an unused image to make room");
            freed += image.size;
        }
    }
    Ok(freed)
}

/// Those that may go, in the order in which they do.
fn choose(images: Vec<Named>, used: &HashSet<String>, last: &HashMap<String, Timestamp>, now: Timestamp) -> Vec<Named> {
    // A name may be out of use, and what it stands for in use by another name.
    let is_used = |image: &Named| used.contains(&image.reference.to_string());
    let digests: HashSet<String> = images.iter().filter(|i| is_used(i)).map(|i| i.digest.to_string()).collect();
    let pinned = |image: &Named| used.iter().any(|name| name.ends_with(&*image.digest));
    let old = |image: &Named| now.duration_since(image.imported).unsigned_abs() >= MINIMUM_AGE;
    let may_go = |image: &Named| {
        let needed = is_used(image) || digests.contains(&*image.digest) || pinned(image);
        !image.reference.is_local() && !needed && old(image)
    };
    let mut chosen: Vec<Named> = images.into_iter().filter(may_go).collect();
    chosen.sort_by_key(|image| last.get(&image.reference.to_string()).copied().unwrap_or(image.imported));
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Digest;

    fn image(name: &str, imported: i64) -> Named {
        Named {
            reference: Reference::parse(name).expect("name"),
            digest: Digest::of(name.as_bytes()),
            size: 1,
            imported: Timestamp::from_second(imported).expect("time"),
        }
    }

    fn names(images: Vec<Named>) -> Vec<String> {
        images.iter().map(|image| image.reference.to_string()).collect()
    }

    #[test]
    fn the_one_used_longest_ago_goes_first() {
        let images = vec![image("r.io/a:1", 10), image("r.io/b:1", 20), image("r.io/c:1", 30)];
        let last = HashMap::from([("r.io/a:1".to_owned(), Timestamp::from_second(100).expect("time"))]);
        let now = Timestamp::from_second(10_000).expect("time");
        assert_eq!(names(choose(images, &HashSet::new(), &last, now)), ["r.io/b:1", "r.io/c:1", "r.io/a:1"]);
    }

    #[test]
    fn what_is_used_young_or_nowhere_else_stays() {
        let used = image("r.io/used:1", 0);
        let alias = Named { reference: Reference::parse("r.io/alias:1").expect("name"), ..used.clone() };
        let images =
            vec![used, alias, image("localhost/own:1", 0), image("r.io/young:1", 9_990), image("r.io/pinned:1", 0)];
        let pin = format!("r.io/pinned@{}", Digest::of(b"r.io/pinned:1"));
        let used = HashSet::from(["r.io/used:1".to_owned(), pin]);
        let now = Timestamp::from_second(10_000).expect("time");
        assert_eq!(names(choose(images, &used, &HashMap::new(), now)), Vec::<String>::new());
    }
}
