use std::path::{Path, PathBuf};

use serde_json::json;

use super::*;
use crate::image::manifest::media;

fn wasm(directory: &Path, content: &str) -> PathBuf {
    let path = directory.join(format!("{content}.wasm"));
    fs::write(&path, [b"\0asm", content.as_bytes()].concat()).expect("write");
    path
}

fn opened() -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().expect("directory");
    let store = Store::open(directory.path().join("images")).expect("open");
    (directory, store)
}

fn count(store: &Store) -> usize {
    fs::read_dir(store.blobs()).expect("read").count()
}

#[test]
fn a_name_moves_and_the_bytes_go_with_the_last_one() {
    let (directory, store) = opened();
    let (one, two) = (wasm(directory.path(), "one"), wasm(directory.path(), "two"));
    let first = store.import(&one, "localhost/web:v1").expect("import");
    assert_eq!(store.resolve("localhost/web:v1").expect("read"), Some(first.clone()));
    assert_eq!(store.resolve("localhost/web:v2").expect("read"), None);
    let pinned = store.resolve(&format!("localhost/web@{}", first.digest)).expect("read").expect("by digest");
    assert_eq!(pinned.module, first.module);
    assert_eq!(digest(&one).expect("digest"), first.digest);

    store.import(&one, "web").expect("a second name");
    let moved = store.import(&two, "localhost/web:v1").expect("move");
    assert_ne!(moved.digest, first.digest);
    let names: Vec<_> = store.list().expect("list").iter().map(|image| image.reference.to_string()).collect();
    assert_eq!(names, ["docker.io/library/web:latest", "localhost/web:v1"]);

    assert!(first.module.path.exists(), "another name holds it");
    assert!(store.remove("web").expect("remove"));
    assert!(!first.module.path.exists());
    assert_eq!(count(&store), 3, "the program, the configuration and the manifest of the other");
    assert!(!store.remove("web").expect("nothing to remove"));
}

#[test]
fn another_process_sees_what_changes() {
    let (directory, store) = opened();
    let other = Store::open(directory.path().join("images")).expect("open");
    let imported = store.import(&wasm(directory.path(), "one"), "localhost/web:v1").expect("import");
    assert_eq!(other.resolve("localhost/web:v1").expect("read").map(|image| image.digest), Some(imported.digest));
    other.remove("localhost/web:v1").expect("remove");
    assert_eq!(store.resolve("localhost/web:v1").expect("read"), None);
}

#[test]
fn other_files_are_refused_with_what_they_are() {
    let (directory, store) = opened();
    let path = directory.path().join("server");
    fs::write(&path, b"\x7fELF....").expect("write");
    let error = store.import(&path, "localhost/server").expect_err("refused");
    assert!(error.to_string().contains("Linux program"), "{error}");
    assert!(store.list().expect("list").is_empty());
    assert_eq!(count(&store), 0, "nothing is left behind");
    assert_eq!(fs::read_dir(store.root.join("uploads")).expect("read").count(), 0);
}

#[test]
fn a_store_of_the_first_version_is_given_manifests() {
    let directory = tempfile::tempdir().expect("directory");
    let program = b"\0asm\x0d\0\x01\0old";
    let digest = Digest::of(program);
    fs::create_dir_all(directory.path().join("blobs/sha256")).expect("blobs");
    fs::create_dir_all(directory.path().join("refs")).expect("refs");
    fs::write(directory.path().join("blobs/sha256").join(digest.hex()), program).expect("blob");
    let record =
        json!({"reference": "localhost/old:v1", "digest": digest, "size": 11, "imported": "2026-01-01T00:00:00Z"});
    let name = hex_name("localhost/old:v1");
    fs::write(directory.path().join("refs").join(name), record.to_string()).expect("ref");

    let store = Store::open(directory.path()).expect("open");
    let image = store.resolve("localhost/old:v1").expect("read").expect("an image");
    assert_eq!(image.module.digest, digest);
    assert_ne!(image.digest, digest, "the image is its manifest");
    let pinned = store.resolve(&format!("localhost/old@{digest}")).expect("read").expect("pinned by an old pod");
    assert_eq!(pinned.module.digest, digest);
    let manifest = store.manifest(&image.reference).expect("read").expect("a manifest");
    assert_eq!((manifest.media_type.as_str(), manifest.digest), (media::MANIFEST, image.digest));
}

fn hex_name(reference: &str) -> String {
    use sha2::Digest as _;
    format!("{}.json", crate::image::hex(&sha2::Sha256::digest(reference)[..16]))
}

#[test]
fn uploads_go_on_where_they_stopped() {
    let (_directory, store) = opened();
    let mut upload = store.begin_upload().expect("begin");
    upload.append(b"hello, ").expect("append");
    let id = upload.id();
    assert!(matches!(store.upload(&id), Err(Error::Busy(_))), "one writer at a time");
    drop(upload);

    let mut upload = store.upload(&id).expect("open").expect("still there");
    assert_eq!(upload.size(), 7);
    upload.append(b"world").expect("append");
    let digest = Digest::of(b"hello, world");
    let blob = upload.finish(&digest).expect("finish");
    assert_eq!(fs::read(&blob.path).expect("read"), b"hello, world");
    assert_eq!(store.blob(&digest).expect("look"), Some(blob));
    assert!(store.upload(&id).expect("look").is_none());
    assert!(store.upload("../refs").expect("look").is_none());
}

#[test]
fn content_with_another_digest_is_refused_and_gone() {
    let (_directory, store) = opened();
    let mut upload = store.begin_upload().expect("begin");
    upload.append(b"evil").expect("append");
    let id = upload.id();
    let refused = upload.finish(&Digest::of(b"good")).expect_err("refused");
    assert!(matches!(refused, Error::Digest { .. }), "{refused}");
    assert!(store.upload(&id).expect("look").is_none());
    assert_eq!(count(&store), 0);
}

#[test]
fn manifests_need_their_blobs_and_their_own_digest() {
    let (_directory, store) = opened();
    let (config, layer) = (b"{}".as_slice(), b"\0asm\x0d\0\x01\0".as_slice());
    let manifest = json!(layout::of_program(config, Digest::of(layer), 8)).to_string();
    let tag = Reference::parse("localhost/team/app:v1").expect("name");
    let put = || store.put_manifest(&tag, media::MANIFEST, manifest.as_bytes());
    assert!(matches!(put(), Err(Error::Incomplete(_))));
    store.put_blob(config).expect("config");
    store.put_blob(layer).expect("layer");
    let digest = put().expect("complete");
    let pinned = Reference::parse(&format!("localhost/team/app@{}", Digest::of(b"x"))).expect("name");
    let refused = store.put_manifest(&pinned, media::MANIFEST, manifest.as_bytes());
    assert!(matches!(refused, Err(Error::Digest { .. })));
    assert!(matches!(store.put_manifest(&tag, "", b"<html>"), Err(Error::Manifest(_))));

    assert_eq!(store.tags("localhost/team/app").expect("tags").into_iter().collect::<Vec<_>>(), ["v1"]);
    assert_eq!(store.repositories("localhost").expect("all").into_iter().collect::<Vec<_>>(), ["team/app"]);
    let pinned = Reference::parse(&format!("localhost/team/app@{digest}")).expect("name");
    assert_eq!(store.manifest(&pinned).expect("read").expect("by digest").bytes, manifest.as_bytes());
}

#[test]
fn the_toolbox_is_always_there_and_written_when_it_is_asked_for() {
    use std::io::Write as _;
    let (_directory, store) = opened();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(b"\0asm\x0d\0\x01\0toolbox").expect("compress");
    let store = store.with_toolbox(Vec::leak(encoder.finish().expect("compress")));
    assert_eq!(count(&store), 0);
    let image = store.resolve("localhost/toolbox:v7").expect("read").expect("the toolbox");
    assert_eq!(fs::read(&image.module.path).expect("read"), b"\0asm\x0d\0\x01\0toolbox");
    assert_eq!(image.reference.to_string(), "localhost/toolbox:v7");
    store.remove("localhost/toolbox").expect("remove");
    let again = store.resolve("localhost/toolbox").expect("read").expect("the toolbox");
    assert!(again.module.path.exists(), "it comes back");
    assert_eq!(store.resolve("localhost/toolbox2").expect("read"), None);
}
