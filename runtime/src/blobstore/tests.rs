use std::os::unix::fs::symlink;
use std::sync::Arc;

use bytes::Bytes;
use netproxy::fabric::descriptors::Share;
use tempfile::TempDir;

use super::*;
use crate::container::Mount;
use crate::container::files::Quota;

/// Volumes called `a`, `b` (read-only) and [`HOME`].
fn volumes(files: u32) -> (TempDir, Arc<Buckets>) {
    let root = tempfile::tempdir().expect("directory");
    let place = |name: &str| {
        let host = root.path().join(name);
        std::fs::create_dir(&host).expect("directory");
        Place {
            name: name.to_owned(),
            mount: Mount { host, guest: format!("/{name}"), read_only: name == "b", pin: None },
        }
    };
    let places = ["a", "b", HOME].map(place).to_vec();
    (root, Arc::new(Buckets::new(places, Quota::new(&Arc::new(Share::new(files * 4))))))
}

fn bucket(buckets: &Buckets, name: &str) -> Arc<Bucket> {
    Arc::new(buckets.open(name).expect("a bucket"))
}

fn name(name: &str) -> Name {
    Name::new(name).expect("a name")
}

async fn put(buckets: &Arc<Buckets>, to: &Arc<Bucket>, object: &str, text: &str) -> Result<(), Error> {
    let draft = Draft::new(buckets.clone());
    draft.write(Bytes::copy_from_slice(text.as_bytes()));
    draft.finish(to.clone(), name(object)).await
}

fn text(bucket: &Bucket, object: &str) -> String {
    String::from_utf8(bucket.open(&name(object)).expect("an object").whole().expect("bytes")).expect("text")
}

fn all(bucket: &Arc<Bucket>, at_once: u64) -> Vec<String> {
    let mut listing = Listing::new(bucket.clone()).expect("a listing");
    let mut names = Vec::new();
    loop {
        let (some, is_last) = listing.read(at_once).expect("names");
        assert!(some.len() as u64 <= at_once);
        names.extend(some);
        if is_last {
            names.sort();
            return names;
        }
    }
}

#[test]
fn names_lead_down_and_nowhere_else() {
    let deepest = ["x"; 16].join("/");
    for good in ["a", "a/b", "2026-11/boat.jpg", ".hidden", "a b", "ü", "a/..b", deepest.as_str()] {
        assert!(Name::new(good).is_ok(), "{good:?}");
    }
    let (long, deep, wide) = ("x".repeat(256), "x/".repeat(16) + "x", "x/x".repeat(400));
    let bad = ["", "/", "/etc/passwd", "a/", "a//b", ".", "..", "../x", "a/../../x", "a/./b", "a\0b", "..data"];
    let more = [".sampan-blobs", ".sampan-blobs/1", ".Sampan-Blobs/1", &long, &deep, &wide];
    for bad in bad.into_iter().chain(more) {
        assert!(matches!(Name::new(bad), Err(Error::Name(_))), "{bad:?}");
    }
}

#[tokio::test]
async fn an_object_is_there_when_it_is_whole() {
    let (root, buckets) = volumes(100);
    let a = bucket(&buckets, "a");
    put(&buckets, &a, "x/y", "one").await.expect("written");
    let before = a.open(&name("x/y")).expect("open");
    let draft = Draft::new(buckets.clone());
    draft.write(Bytes::from_static(b"anot"));
    draft.settled().await;
    draft.write(Bytes::from_static(b"her"));
    assert_eq!(text(&a, "x/y"), "one");
    assert_eq!(all(&a, 10), ["x/y"], "what is unfinished is not listed");
    draft.finish(a.clone(), name("x/y")).await.expect("written");
    assert_eq!((text(&a, "x/y").as_str(), before.whole().expect("bytes")), ("another", b"one".to_vec()));
    assert_eq!(std::fs::read_to_string(root.path().join("a/x/y")).expect("a file"), "another");
    let found = a.find(&name("x/y")).expect("asked").expect("found");
    assert!(found.size == 7 && found.created > 1_700_000_000);
}

#[tokio::test]
async fn what_is_dropped_or_left_over_goes() {
    let (root, buckets) = volumes(100);
    let unfinished = root.path().join("a/.sampan-blobs");
    std::fs::create_dir(&unfinished).expect("directory");
    std::fs::write(unfinished.join("of-a-process-before"), "x").expect("file");
    let a = bucket(&buckets, "a");
    put(&buckets, &a, "x", "").await.expect("written");
    // The runtime's last task is the one that tidies up.
    let gone = async {
        while unfinished.exists() {
            tokio::task::yield_now().await;
        }
    };
    gone.await;
    assert_eq!(all(&a, 10), ["x"]);
    assert_eq!(text(&a, "x"), "");
}

#[test]
fn parts_are_inclusive_and_end_with_the_object() {
    let (root, buckets) = volumes(100);
    std::fs::write(root.path().join("a/x"), "0123456789").expect("file");
    std::fs::write(root.path().join("a/empty"), "").expect("file");
    let a = bucket(&buckets, "a");
    let part = |object: &str, first, last| {
        let part = a.open(&name(object)).expect("open").part(first, last)?;
        assert_eq!(part.size(), part.whole().expect("bytes").len() as u64);
        part.whole()
    };
    for (first, last, expected) in
        [(0, u64::MAX, "0123456789"), (0, 0, "0"), (3, 5, "345"), (9, 99, "9"), (10, 12, ""), (u64::MAX, u64::MAX, "")]
    {
        assert_eq!(part("x", first, last).expect("a part"), expected.as_bytes(), "{first} to {last}");
    }
    assert_eq!(part("empty", 0, 0).expect("nothing"), b"");
    assert!(matches!(part("x", 5, 4), Err(Error::Range)));
}

#[tokio::test]
async fn names_with_slashes_are_directories_that_come_and_go() {
    let (root, buckets) = volumes(100);
    let a = bucket(&buckets, "a");
    let objects: Vec<String> = (0..40).map(|at| format!("d{}/e/{at:02}", at % 3)).collect();
    for object in &objects {
        put(&buckets, &a, object, "x").await.expect("written");
    }
    let mut sorted = objects.clone();
    sorted.sort();
    assert_eq!((all(&a, 3), all(&a, 40), all(&a, 1_000)), (sorted.clone(), sorted.clone(), sorted));
    assert!(put(&buckets, &a, "d1", "x").await.is_err(), "a directory is in the way");
    assert!(put(&buckets, &a, "d1/e/01/x", "x").await.is_err(), "an object is in the way");
    assert_eq!(a.find(&name("d1")).expect("asked"), None, "a directory is no object");
    a.remove(&name("d1")).expect("no object is no error");
    objects.iter().for_each(|object| a.remove(&name(object)).expect("removed"));
    assert!(!root.path().join("a/d1").exists());
    assert_eq!(all(&a, 10), <[&str; 0]>::default());
}

#[tokio::test]
async fn links_lead_nowhere_else() {
    let (root, buckets) = volumes(100);
    let at = |path: &str| root.path().join(path);
    std::fs::create_dir(at("outside")).expect("directory");
    std::fs::write(at("outside/secret"), "secret").expect("file");
    std::fs::write(at("a/file"), "text").expect("file");
    symlink("../outside", at("a/out")).expect("link");
    symlink(at("outside/secret"), at("a/absolute")).expect("link");
    symlink("file", at("a/in")).expect("link");
    symlink(".", at("a/round")).expect("link");
    symlink("../outside", at("a/.sampan-blobs")).expect("link");
    symlink("../outside", at(&format!("{HOME}/out"))).expect("link");
    let a = bucket(&buckets, "a");
    assert_eq!(all(&a, 10), ["file", "in"]);
    assert_eq!(text(&a, "in"), "text");
    for bad in ["out/secret", "absolute"] {
        assert!(a.open(&name(bad)).is_err() && a.find(&name(bad)).is_err(), "{bad}");
    }
    assert!(put(&buckets, &a, "out/new", "x").await.is_err());
    assert!(put(&buckets, &a, "new", "x").await.is_err(), "the place for what is unfinished leads out");
    assert!(a.remove(&name("out/secret")).is_err() || at("outside/secret").exists());
    assert!(matches!(buckets.open("out"), Err(Error::NoBucket(_))));
    while a.clear_some().expect("cleared") {}
    assert!(at("outside/secret").exists() && !at("a/file").exists() && !at("a/out").exists());
}

#[tokio::test]
async fn guests_make_buckets_in_one_volume_only() {
    let (root, buckets) = volumes(100);
    buckets.create("mine").expect("made");
    assert!(root.path().join(HOME).join("mine").is_dir());
    assert!(matches!(buckets.create("mine"), Err(Error::Exists(_))));
    assert!(matches!(buckets.create("a"), Err(Error::Exists(_))));
    for bad in ["", ".", "..", "x/y", "../a", ".hidden", "a\0", &"x".repeat(256)] {
        assert!(matches!(buckets.create(bad), Err(Error::BucketName)), "{bad:?}");
        assert!(matches!(buckets.open(bad), Err(Error::NoBucket(_))), "{bad:?}");
    }
    assert!(matches!(buckets.open(HOME), Err(Error::NoBucket(_))), "it is no bucket itself");
    assert!(matches!(buckets.removable("a"), Err(Error::Volume(_))));
    assert!(buckets.exists("mine").expect("asked") && !buckets.exists("other").expect("asked"));
    let mine = Arc::new(buckets.removable("mine").expect("a bucket"));
    put(&buckets, &mine, "x/y", "z").await.expect("written");
    while mine.clear_some().expect("cleared") {}
    buckets.remove("mine").expect("removed");
    assert!(!buckets.exists("mine").expect("asked"));
    let none = Buckets::new(Vec::new(), Quota::new(&Arc::new(Share::new(100))));
    assert!(matches!(none.create("mine"), Err(Error::NoHome)));
    assert!(matches!(buckets.open("b").expect("a bucket").writable(), Err(Error::ReadOnly(_))));
}

#[tokio::test]
async fn objects_are_copied_and_renamed() {
    let (_root, buckets) = volumes(100);
    let a = bucket(&buckets, "a");
    let mine = Arc::new(buckets.create("mine").expect("made"));
    put(&buckets, &a, "x/y", "text").await.expect("written");
    copy(a.open(&name("x/y")).expect("open"), mine.clone(), name("copy")).await.expect("copied");
    assert_eq!((text(&mine, "copy"), text(&a, "x/y")), ("text".to_owned(), "text".to_owned()));
    assert!(rename(&a, &name("x/y"), &mine, &name("deep/er")).expect("renamed"));
    assert_eq!((text(&mine, "deep/er"), all(&a, 10)), ("text".to_owned(), Vec::new()));
}

#[test]
fn what_is_open_counts() {
    let (root, buckets) = volumes(3);
    std::fs::write(root.path().join("a/x"), "").expect("file");
    let a = bucket(&buckets, "a");
    let one = a.open(&name("x")).expect("open");
    let two = Listing::new(a.clone()).expect("open");
    assert!(matches!(a.open(&name("x")), Err(Error::Files)));
    assert!(matches!(buckets.open("a"), Err(Error::Files)));
    drop((one, two));
    a.open(&name("x")).expect("open");
}

#[test]
fn volumes_are_buckets_and_the_token_is_none() {
    let container = serde_json::from_value(serde_json::json!({"name": "x", "volumeMounts": [
        {"name": "data", "mountPath": "/data/"},
        {"name": "data", "mountPath": "/again"},
        {"name": "file", "mountPath": "/etc/file", "subPath": "file"},
        {"name": "token", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"},
    ]}));
    let mount =
        |guest: &str| Mount { host: "/x".into(), guest: guest.to_owned(), read_only: guest == "/data", pin: None };
    let mounts = ["/data", "/again", "/etc", "/var/run/secrets/kubernetes.io/serviceaccount"].map(mount);
    let places = of_mounts(&container.expect("a container"), &mounts);
    let told: Vec<_> = places.iter().map(|place| (place.name.as_str(), place.mount.read_only)).collect();
    assert_eq!(told, [("data", true)]);
}
