//! Objects on volumes, by a guest.

use std::path::Path;

use runtime::blobstore::{HOME, Place};
use runtime::container::{self, Exit, Mount, Spec};
use runtime::sandbox::Sandbox;

use crate::harness::{Ears, Net, engine, exit, load, sample, spec, start_file};

fn place(root: &Path, name: &str, read_only: bool) -> Place {
    let host = root.join(name);
    std::fs::create_dir_all(&host).unwrap();
    Place { name: name.into(), mount: Mount { host, guest: format!("/{name}"), read_only, pin: None } }
}

/// Runs the sample with a volume, a read-only one, and one for new containers.
async fn run(pod: &Sandbox, root: &Path, line: &str) -> (Exit, String) {
    let args: Vec<&str> = ["blobs"].into_iter().chain(line.split(' ')).collect();
    let mount = |spec: &mut Spec| {
        spec.blobs = vec![place(root, "fixed", true), place(root, "data", false), place(root, HOME, false)];
    };
    let (mut guest, ears) = start_file(pod, &sample("blobs"), &args, mount).await;
    (exit(&mut guest).await, ears.text())
}

#[tokio::test]
async fn objects_are_files_and_outlive_their_guest() {
    let (net, root) = (Net::new(), tempfile::tempdir().unwrap());
    let (pod, root) = (net.pod("keeper"), root.path());
    let done = |text: &str| (Exit::Code(0), text.to_owned());
    assert_eq!(run(&pod, root, "put data a/b hello -- get data a/b -- get data a/b 1 3").await, done("hello\nell\n"));
    assert_eq!(std::fs::read_to_string(root.join("data/a/b")).unwrap(), "hello");
    let again = "promise data a/c later -- list data -- has data a/b -- has data x -- size data a/c";
    assert_eq!(run(&pod, root, again).await, done("false\na/b a/c\ntrue\nfalse\n5\n"));
    assert_eq!(run(&pod, root, "break data never text -- has data never").await, done("false\n"));
    let moved = "copy data a/b data copy -- move data a/b data moved -- delete data a/c none -- list data";
    assert_eq!(run(&pod, root, moved).await, done("copy moved\n"));
    assert_eq!(run(&pod, root, "clear data -- list data").await, done("\n"));
    let own =
        "exists mine -- create mine -- exists mine -- put mine x y -- copy mine x data x -- drop mine -- exists mine";
    assert_eq!(run(&pod, root, own).await, done("false\ntrue\nfalse\n"));
    assert_eq!(run(&pod, root, "get data x").await, done("y\n"));
}

#[tokio::test]
async fn large_objects_are_streamed_both_ways() {
    let (net, root) = (Net::new(), tempfile::tempdir().unwrap());
    let (code, text) =
        run(&net.pod("pourer"), root.path(), "fill data big 40 -- stream data big -- get data big").await;
    let sum: u64 = (0..40 * 256).map(|at: u64| (at % 256) * 4096).sum();
    let expected = format!("{} {sum}\nfailed: more than 33554432 bytes at once: read them as a stream\n", 40 << 20);
    assert_eq!((code, text), (Exit::Code(1), expected));
}

#[tokio::test]
async fn a_guest_stays_in_its_volumes_and_is_told_why() {
    let (net, root) = (Net::new(), tempfile::tempdir().unwrap());
    let pod = net.pod("prowler");
    std::fs::write(root.path().join("secret"), "x").unwrap();
    for (line, why) in [
        ("get data ../secret", "has an empty part, . or .., or a zero byte"),
        ("put data ../new x", "has an empty part, . or .., or a zero byte"),
        ("put data /etc/new x", "has an empty part"),
        ("list ../data", "there is no container \"../data\""),
        ("create ../new", "a container's name has"),
        ("put fixed x y", "the container \"fixed\" is read-only"),
        ("clear fixed", "the container \"fixed\" is read-only"),
        ("copy data x fixed y", "the container \"fixed\" is read-only"),
        ("drop data", "a volume of the pod"),
        ("get data none", "there is no object \"none\""),
        ("move data none data new", "there is no object \"none\""),
    ] {
        let (code, text) = run(&pod, root.path(), line).await;
        assert!(code == Exit::Code(1) && text.starts_with("failed: ") && text.contains(why), "{line}: {text}");
    }
    assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 4, "nothing beside the volumes");
}

#[tokio::test]
async fn without_volumes_it_is_refused_by_name() {
    let net = Net::new();
    let spec = spec(&std::sync::Arc::new(Ears::default()), &["blobs", "list", "data"]);
    let guest = load(&sample("blobs")).await;
    let refused = container::start(engine(), guest, &net.pod("bare"), spec).err().unwrap().to_string();
    assert!(refused.contains("imports wasi:blobstore/") && refused.contains("mounts no volume"), "{refused}");
}
