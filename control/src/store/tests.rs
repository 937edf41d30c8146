//! The store as its users see it.

mod model;

use std::path::Path;

use futures::FutureExt as _;
use serde_json::json;

use super::*;

fn memory() -> Store {
    Store::open(Config::default()).unwrap()
}

fn on_disk(path: &Path) -> Store {
    Store::open(Config { path: Some(path.into()), ..Config::default() }).unwrap()
}

fn draft(key: &Key, value: u32) -> Draft {
    Draft::new(&json!({"metadata": {"name": &*key.name, "namespace": &*key.namespace}, "value": value}))
}

fn put(key: &Key, expect: Expect, value: u32) -> Write {
    Write::Put { key: key.clone(), expect, draft: draft(key, value), class: Class::Durable }
}

fn volatile(key: &Key, expect: Expect, value: u32) -> Write {
    Write::Put { key: key.clone(), expect, draft: draft(key, value), class: Class::Volatile }
}

fn delete(key: &Key, expect: Revision) -> Write {
    Write::Delete { key: key.clone(), expect, last: draft(key, 0) }
}

fn names(listing: &Listing) -> Vec<String> {
    listing.entries.iter().map(|e| e.key.to_string()).collect()
}

#[tokio::test]
async fn writes_keep_what_they_expect() {
    let store = memory();
    let key = Key::new("pods", "default", "a");
    assert_eq!(store.write(put(&key, Expect::At(Revision(1)), 0)).await.unwrap_err(), WriteError::Missing);
    assert_eq!(store.write(delete(&key, Revision(1))).await.unwrap_err(), WriteError::Missing);
    let first = store.write(put(&key, Expect::Absent, 1)).await.unwrap();
    assert_eq!(store.write(put(&key, Expect::Absent, 1)).await.unwrap_err(), WriteError::Exists);
    let second = store.write(put(&key, Expect::At(first.revision), 2)).await.unwrap();
    assert!(second.revision > first.revision);
    let conflict = WriteError::Conflict { current: second.revision };
    assert_eq!(store.write(put(&key, Expect::At(first.revision), 3)).await.unwrap_err(), conflict);
    assert_eq!(store.write(delete(&key, first.revision)).await.unwrap_err(), conflict);
    assert_eq!(store.get(&key).unwrap().value()["value"], 2);
    assert_eq!(store.get(&key).unwrap().value()["metadata"]["resourceVersion"], second.revision.to_string());
    store.write(delete(&key, second.revision)).await.unwrap();
    assert!(store.get(&key).is_none());
}

#[tokio::test]
async fn one_of_many_creators_wins() {
    let store = memory();
    let key = Key::new("pods", "default", "a");
    let all = futures::future::join_all((0..100).map(|i| store.write(put(&key, Expect::Absent, i)))).await;
    assert_eq!(all.iter().filter(|r| r.is_ok()).count(), 1);
    assert!(all.iter().filter_map(|r| r.as_ref().err()).all(|e| *e == WriteError::Exists));
}

#[tokio::test]
async fn lists_are_ordered_by_namespace_and_name() {
    let store = memory();
    for (namespace, name) in [("b", "a"), ("a", "c"), ("a", "b"), ("c", "z")] {
        store.write(put(&Key::new("pods", namespace, name), Expect::Absent, 0)).await.unwrap();
    }
    store.write(put(&Key::new("nodes", "", "n"), Expect::Absent, 0)).await.unwrap();
    assert_eq!(names(&store.list("pods", None)), ["pods/a/b", "pods/a/c", "pods/b/a", "pods/c/z"]);
    assert_eq!(names(&store.list("pods", Some("a"))), ["pods/a/b", "pods/a/c"]);
    assert_eq!(names(&store.list("pods", Some("x"))), [""; 0]);
    assert_eq!(store.list("nothing", None).revision, store.revision());
    assert_eq!(store.count("pods"), 4);
}

#[tokio::test]
async fn an_object_too_large_is_refused() {
    let store = memory();
    let key = Key::new("configmaps", "default", "a");
    let draft = Draft::new(&json!({"data": "x".repeat(LARGEST_OBJECT)}));
    let write = Write::Put { key, expect: Expect::Absent, draft, class: Class::Durable };
    assert_eq!(store.write(write).await.unwrap_err(), WriteError::TooLarge);
}

#[tokio::test]
async fn a_watch_sees_its_own_changes_only() {
    let store = memory();
    let (a, b) = (Key::new("pods", "a", "x"), Key::new("pods", "b", "x"));
    let of = |namespace: Option<&str>, name: Option<&str>| Interest {
        resource: "pods".into(),
        namespace: namespace.map(Into::into),
        name: name.map(Into::into),
    };
    let since = store.revision();
    let interests =
        [of(None, None), of(Some("a"), None), of(Some("a"), Some("x")), of(None, Some("x")), of(None, Some("y"))];
    let live: Vec<Watch> = interests.iter().map(|i| store.watch(i.clone(), since).unwrap()).collect();
    store.write(put(&a, Expect::Absent, 0)).await.unwrap();
    store.write(put(&b, Expect::Absent, 0)).await.unwrap();
    store.write(put(&Key::new("services", "a", "x"), Expect::Absent, 0)).await.unwrap();
    let late: Vec<Watch> = interests.iter().map(|i| store.watch(i.clone(), since).unwrap()).collect();
    for watches in [live, late] {
        let seen: Vec<Vec<String>> = watches.into_iter().map(drain).collect();
        assert_eq!(
            seen,
            [vec!["pods/a/x", "pods/b/x"], vec!["pods/a/x"], vec!["pods/a/x"], vec!["pods/a/x", "pods/b/x"], vec![]]
        );
    }
}

/// The next event, if it is there already.
fn ready(watch: &mut Watch) -> Option<Arc<Event>> {
    // The scheduler's budget would make a queue look empty to a task that has done much.
    tokio::task::unconstrained(watch.next()).now_or_never().flatten()
}

fn drain(mut watch: Watch) -> Vec<String> {
    std::iter::from_fn(|| ready(&mut watch)).map(|e| e.entry.key.to_string()).collect()
}

#[tokio::test]
async fn an_event_carries_both_states_and_its_frame() {
    let store = memory();
    let key = Key::new("pods", "a", "x");
    let mut watch = store.watch(Interest::all("pods"), store.revision()).unwrap();
    let first = store.write(put(&key, Expect::Absent, 1)).await.unwrap();
    let gone = store.write(delete(&key, first.revision)).await.unwrap();
    let added = watch.next().await.unwrap();
    assert_eq!((added.change, added.revision), (Change::Added, first.revision));
    assert!(added.previous_value().is_none());
    let deleted = watch.next().await.unwrap();
    assert_eq!((deleted.change, deleted.revision), (Change::Deleted, gone.revision));
    assert_eq!(deleted.previous_value().unwrap()["value"], 1);
    assert_eq!(deleted.value()["metadata"]["resourceVersion"], gone.revision.to_string());
    let frame = deleted.frame();
    assert!(frame.starts_with(b"{\"type\":\"DELETED\",\"object\":{") && frame.ends_with(b"}}\n"));
}

#[tokio::test]
async fn a_slow_watcher_is_dropped_and_a_bookmark_never_runs_ahead_of_it() {
    let store = Store::open(Config { watch_queue: 2, ..Config::default() }).unwrap();
    let start = store.revision();
    let mut watch = store.watch(Interest::all("pods"), start).unwrap();
    let other = store.watch(Interest::all("nodes"), start).unwrap();
    for i in 0..3 {
        store.write(put(&Key::new("pods", "a", &i.to_string()), Expect::Absent, 0)).await.unwrap();
        assert_eq!(watch.progress(), start);
    }
    assert_eq!(other.progress(), store.revision());
    watch.next().await.unwrap();
    let last = watch.next().await.unwrap();
    assert!(watch.next().await.is_none());
    assert_eq!(watch.progress(), last.revision);
}

#[tokio::test]
async fn a_watcher_that_never_reads_holds_no_more_than_its_bytes() {
    let store = Store::open(Config { watch_bytes: 1000, ..Config::default() }).unwrap();
    let mut watch = store.watch(Interest::all("pods"), store.revision()).unwrap();
    let mut read = store.watch(Interest::all("pods"), store.revision()).unwrap();
    for i in 0..100 {
        store.write(put(&Key::new("pods", "a", &i.to_string()), Expect::Absent, 0)).await.unwrap();
        assert!(ready(&mut read).is_some());
    }
    let held: usize = drain_events(&mut watch).iter().map(|event| event.frame().len()).sum();
    assert!((500..=1000).contains(&held), "{held}");
    assert!(watch.next().await.is_none(), "and is cut off");
}

fn drain_events(watch: &mut Watch) -> Vec<Arc<Event>> {
    std::iter::from_fn(|| ready(watch)).collect()
}

#[tokio::test]
async fn the_past_is_remembered_up_to_a_bound() {
    let store = Store::open(Config { history: 3, ..Config::default() }).unwrap();
    let key = Key::new("pods", "a", "x");
    let mut revision = store.write(put(&key, Expect::Absent, 0)).await.unwrap().revision;
    let first = revision;
    for i in 1..=3 {
        revision = store.write(put(&key, Expect::At(revision), i)).await.unwrap().revision;
    }
    assert_eq!(drain(store.watch(Interest::all("pods"), first).unwrap()).len(), 3);
    let before = Revision(first.0 - 1);
    assert_eq!(store.watch(Interest::all("pods"), before).err(), Some(Expired { asked: before, oldest: first }));
    assert_eq!(store.list_at("pods", None, first).unwrap().entries[0].value()["value"], 0);
    assert!(store.list_at("pods", None, before).is_err());
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.redb");
    let (a, b) = (Key::new("pods", "default", "a"), Key::new("leases.coordination.k8s.io", "kube-node-lease", "n"));
    let store = on_disk(&path);
    let first = store.write(put(&a, Expect::Absent, 7)).await.unwrap();
    let lease = store.write(volatile(&b, Expect::Absent, 1)).await.unwrap();
    store.close().await;
    assert!(matches!(store.write(put(&a, Expect::Absent, 0)).await, Err(WriteError::Closed(_))));

    let store = on_disk(&path);
    assert_eq!(store.revision(), lease.revision, "a clean close leaves no gap");
    assert_eq!(store.get(&a).unwrap().bytes, first.bytes);
    assert_eq!(store.get(&b).unwrap().class, Class::Volatile);
    assert!(store.watch(Interest::all("pods"), first.revision).is_err(), "the time before is forgotten");
    assert!(store.watch(Interest::all("pods"), store.revision()).is_ok());
    store.write(delete(&a, first.revision)).await.unwrap();
    store.write(delete(&b, lease.revision)).await.unwrap();
    store.close().await;

    let store = on_disk(&path);
    assert_eq!(store.count("pods") + store.count(&b.resource), 0);
}

#[tokio::test]
async fn renewed_leases_write_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.redb");
    let store = on_disk(&path);
    store.write(put(&Key::new("pods", "a", "x"), Expect::Absent, 0)).await.unwrap();
    let before = std::fs::read(&path).unwrap();
    let lease = Key::new("leases.coordination.k8s.io", "kube-node-lease", "n");
    let mut revision = store.write(volatile(&lease, Expect::Absent, 0)).await.unwrap().revision;
    for i in 1..1000 {
        revision = store.write(volatile(&lease, Expect::At(revision), i)).await.unwrap().revision;
    }
    assert!(std::fs::read(&path).unwrap() == before);
}

#[tokio::test]
async fn closing_ends_watches() {
    let store = memory();
    let mut watch = store.watch(Interest::all("pods"), store.revision()).unwrap();
    store.close().await;
    store.close().await;
    assert!(watch.next().await.is_none());
    assert!(store.watch(Interest::all("pods"), store.revision()).unwrap().next().await.is_none());
}
