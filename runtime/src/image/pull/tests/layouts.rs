//! Images of tar layers, Spin's applications, indexes, and images for something else.

use std::io::Write as _;

use serde_json::{Value, json};

use super::registry::Registry;
use super::*;
use crate::image::digest::Digest;
use crate::image::manifest::media;

/// One entry of an archive.
enum Entry<'a> {
    File(&'a str, &'a [u8]),
    Directory(&'a str),
    Symlink(&'a str, &'a str),
    Link(&'a str, &'a str),
    /// Header by hand: what no well-meaning tool writes.
    Raw(&'a str, tar::EntryType, &'a [u8]),
}

fn archive(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for entry in entries {
        let (path, kind, link, content): (_, _, _, &[u8]) = match entry {
            Entry::File(path, content) => (path, tar::EntryType::Regular, "", content),
            Entry::Directory(path) => (path, tar::EntryType::Directory, "", b""),
            Entry::Symlink(path, to) => (path, tar::EntryType::Symlink, *to, b""),
            Entry::Link(path, to) => (path, tar::EntryType::Link, *to, b""),
            Entry::Raw(path, kind, content) => (path, *kind, "", content),
        };
        let mut header = tar::Header::new_ustar();
        // By hand: the library would refuse what is to be refused by us.
        let fields = header.as_ustar_mut().expect("ustar");
        fields.name[..path.len()].copy_from_slice(path.as_bytes());
        fields.linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o755);
        header.set_cksum();
        archive.append(&header, content).expect("an entry");
    }
    archive.into_inner().expect("an archive")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("compress");
    encoder.finish().expect("compress")
}

/// An image of tar layers; what an index says of it.
fn image(registry: &Registry, tag: &str, config: &Value, layers: &[Vec<u8>]) -> Value {
    let mut file = config.clone();
    file["rootfs"] = json!({"type": "layers", "diff_ids": layers.iter().map(|l| Digest::of(l)).collect::<Vec<_>>()});
    let mut config = registry.blob(file.to_string().as_bytes());
    config["mediaType"] = json!(media::CONFIG);
    let layers: Vec<_> = layers
        .iter()
        .map(|layer| {
            let mut blob = registry.blob(&gzip(layer));
            blob["mediaType"] = json!("application/vnd.oci.image.layer.v1.tar+gzip");
            blob
        })
        .collect();
    registry.document(tag, &json!({"schemaVersion": 2, "config": config, "layers": layers}))
}

fn wasi(config: Value) -> Value {
    json!({"architecture": "wasm", "os": "wasi", "config": config})
}

#[tokio::test]
async fn layers_are_laid_over_each_other() {
    let (registry, node) = (Registry::start().await, node());
    let lower = archive(&[
        Entry::Directory("etc/"),
        Entry::File("etc/old", b"old"),
        Entry::File("etc/gone", b"gone"),
        Entry::File("data/a", b"a"),
        Entry::Symlink("bin", "/usr/bin"),
        Entry::File("usr/bin/app.wasm", PROGRAM),
        Entry::Symlink("escape", "../../../../etc/passwd"),
    ]);
    let upper = archive(&[
        Entry::File("etc/.wh.gone", b""),
        Entry::File("data/b", b"b"),
        Entry::File("data/.wh..wh..opq", b""),
        Entry::File("bin/second.wasm", b"\0asm\x01\0\0\0"),
        Entry::Link("etc/same", "data/b"),
        Entry::Raw("dev/null", tar::EntryType::Char, b""),
    ]);
    let config =
        wasi(json!({"Entrypoint": ["app.wasm", "serve"], "Env": ["PATH=/nowhere:/bin"], "WorkingDir": "/data"}));
    image(&registry, "v1", &config, &[lower, upper]);
    let image = node.pull(&format!("{}/app:v1", registry.host)).await.expect("pulled");
    let root = image.rootfs.clone().expect("files");
    let read = |path: &str| std::fs::read(root.join(path)).ok();
    assert_eq!(read("etc/old").as_deref(), Some(b"old".as_slice()));
    assert_eq!((read("etc/gone"), read("data/a")), (None, None), "whited out");
    assert_eq!(
        (read("data/b").as_deref(), read("etc/same").as_deref()),
        (Some(b"b".as_slice()), Some(b"b".as_slice()))
    );
    assert!(read("usr/bin/second.wasm").is_some(), "through the link, which was made to stay inside");
    assert_eq!(std::fs::read_link(root.join("escape")).expect("a link"), std::path::Path::new("etc/passwd"));
    assert!(!root.join("dev/null").exists());
    assert_eq!(image.module.digest, Digest::of(PROGRAM), "found on the image's PATH");
    assert_eq!(image.config.entrypoint, ["app.wasm", "serve"]);
    assert_eq!(image.config.working_dir.as_deref(), Some("/data"));
    let other = node.store.find_program(&image, "/bin/second.wasm").expect("look").expect("a program");
    assert_eq!(other.digest, Digest::of(b"\0asm\x01\0\0\0"));
    assert_eq!(node.store.find_program(&image, "/etc/old").expect("look"), None);
    assert_eq!(node.store.find_program(&image, "/escape").expect("look"), None);

    let again = Store::open(node._directory.path()).expect("open");
    assert_eq!(again.resolve(&image.reference.to_string()).expect("read"), Some(image.clone()));
    again.remove(&image.reference.to_string()).expect("remove");
    assert!(!root.exists(), "the files go with the image");
}

#[tokio::test]
async fn archives_that_lead_out_are_refused() {
    let (registry, node) = (Registry::start().await, node());
    let long = vec![b'a'; 1 << 20];
    let cases = [
        ("up", vec![Entry::File("../evil", b"x")], "leads out of it"),
        ("inside", vec![Entry::File("a/../../evil", b"x")], "leads out of it"),
        ("link", vec![Entry::Link("x", "../../etc/passwd")], "leads out of it"),
        ("whiteout", vec![Entry::File("a/.wh...", b"")], "leads out of it"),
        ("header", vec![Entry::Raw("x", tar::EntryType::GNULongName, &long)], "a header without end"),
        ("pax", vec![Entry::Raw("x", tar::EntryType::XHeader, &long)], "a header without end"),
        ("none", vec![Entry::File("a.wasm", b"ELF")], "no WebAssembly file in it"),
    ];
    for (tag, entries, expected) in cases {
        image(&registry, tag, &wasi(json!({"Entrypoint": ["/a.wasm"]})), &[archive(&entries)]);
        let refusal = node.refusal(&format!("{}/app:{tag}", registry.host)).await;
        assert!(refusal.contains(expected), "{tag}: {refusal}");
    }
    // An absolute path means one below the root, and a link does not make another of it.
    let entries = [Entry::Symlink("out", "/"), Entry::File("out/a.wasm", PROGRAM), Entry::File("/etc/passwd", b"ours")];
    image(&registry, "rooted", &wasi(json!({"Entrypoint": ["/a.wasm"]})), &[archive(&entries)]);
    let image = node.pull(&format!("{}/app:rooted", registry.host)).await.expect("pulled");
    let root = image.rootfs.expect("files");
    assert_eq!(std::fs::read(root.join("etc/passwd")).expect("read"), b"ours");
    assert!(root.join("a.wasm").exists() && !node._directory.path().join("evil").exists());
    let rootfs = std::fs::read_dir(root.parent().expect("a parent")).expect("read");
    let left = rootfs.filter(|entry| entry.as_ref().is_ok_and(|e| e.file_name().to_string_lossy().starts_with('.')));
    assert_eq!(left.count(), 0, "what failed is cleared up");
}

#[tokio::test]
async fn layers_must_unpack_to_what_the_image_says() {
    let (registry, node) = (Registry::start().await, node());
    let layer = archive(&[Entry::File("a.wasm", PROGRAM)]);
    let file = json!({"architecture": "wasm", "os": "wasi", "config": {"Entrypoint": ["/a.wasm"]},
        "rootfs": {"type": "layers", "diff_ids": [Digest::of(b"another")]}});
    let (mut config, mut blob) = (registry.blob(file.to_string().as_bytes()), registry.blob(&gzip(&layer)));
    config["mediaType"] = json!(media::CONFIG);
    blob["mediaType"] = json!("application/vnd.oci.image.layer.v1.tar+gzip");
    registry.document("v1", &json!({"schemaVersion": 2, "config": config, "layers": [blob]}));
    let refusal = node.refusal(&format!("{}/app:v1", registry.host)).await;
    assert!(refusal.contains("the layer unpacks to sha256:"), "{refusal}");
}

#[tokio::test]
async fn of_an_index_the_webassembly_is_taken() {
    let (registry, node) = (Registry::start().await, node());
    let layer = archive(&[Entry::File("a.wasm", PROGRAM)]);
    let mut wasm = image(&registry, "wasm", &wasi(json!({"Cmd": ["/a.wasm"]})), &[layer]);
    wasm["platform"] = json!({"os": "wasi", "architecture": "wasm"});
    let linux = json!({"mediaType": media::MANIFEST, "digest": Digest::of(b"linux"), "size": 9,
        "platform": {"os": "linux", "architecture": "amd64"}});
    let index = registry.document("v1", &json!({"schemaVersion": 2, "manifests": [linux, wasm]}));
    let image = node.pull(&format!("{}/app:v1", registry.host)).await.expect("pulled");
    assert_eq!(json!(image.digest), index["digest"], "the image is what its name stands for");
    assert_eq!(image.module.digest, Digest::of(PROGRAM));

    registry.document("foreign", &json!({"schemaVersion": 2, "manifests": [linux]}));
    let refusal = node.refusal(&format!("{}/app:foreign", registry.host)).await;
    assert!(refusal.contains("this is a container image for linux/amd64"), "{refusal}");
}

#[tokio::test]
async fn a_linux_image_is_refused_before_its_layers_are_fetched_and_makes_a_volume() {
    let (registry, node) = (Registry::start().await, node());
    let layer = archive(&[Entry::File("usr/share/page", b"hello")]);
    let blob = format!("/v2/app/blobs/{}", Digest::of(&gzip(&layer)));
    image(&registry, "v1", &json!({"architecture": "amd64", "os": "linux", "config": {"Cmd": ["nginx"]}}), &[layer]);
    let name = format!("{}/app:v1", registry.host);
    let error = node.pull(&name).await.expect_err("refused");
    assert_eq!(error.reason(), "ErrImagePull");
    assert!(error.to_string().contains("container image for linux/amd64"), "{error}");
    assert!(error.to_string().contains("Sampan runs WebAssembly"), "{error}");
    assert!(!registry.asked().iter().any(|asked| asked.contains(&blob)));

    let pull = node.puller.pull(Reference::parse(&name).expect("a name"), Keyring::default(), Purpose::Volume);
    let files = node.puller.files(&pull).await.expect("files");
    assert_eq!(std::fs::read(files.path.join("usr/share/page")).expect("read"), b"hello");
    // It is here now, and still nothing to run.
    assert_eq!(node.puller.look(&name, Policy::IfNotPresent).expect_err("refused").reason(), "ErrImagePull");
    assert!(matches!(node.puller.look_for_files(&name, Policy::Never), Ok(Found::Here(found)) if found == files));
}

#[tokio::test]
async fn artifacts_make_volumes_of_titled_files() {
    let (registry, node) = (Registry::start().await, node());
    let config = registry.blob(b"{}");
    let mut layer = registry.blob(b"weights");
    layer["annotations"] = json!({"org.opencontainers.image.title": "model/weights.bin"});
    registry.document("v1", &json!({"schemaVersion": 2, "config": config, "layers": [layer]}));
    let name = format!("{}/app:v1", registry.host);
    let pull = node.puller.pull(Reference::parse(&name).expect("a name"), Keyring::default(), Purpose::Volume);
    let files = node.puller.files(&pull).await.expect("files");
    assert_eq!(std::fs::read(files.path.join("model/weights.bin")).expect("read"), b"weights");
    assert!(node.refusal(&name).await.contains("there is no WebAssembly in this image"));
}

#[tokio::test]
async fn a_spin_application_of_one_component_runs() {
    let (registry, node) = (Registry::start().await, node());
    let locked = json!({"spin_lock_version": 1, "components": [
        {"id": "hello", "source": {"content_type": "application/wasm", "digest": Digest::of(PROGRAM)}, "env": {"A": "b"}},
    ]});
    let (mut config, mut layer) = (registry.blob(locked.to_string().as_bytes()), registry.blob(PROGRAM));
    config["mediaType"] = json!(media::SPIN_CONFIG);
    layer["mediaType"] = json!("application/vnd.wasm.content.layer.v1+wasm");
    registry.document("v1", &json!({"schemaVersion": 2, "config": config, "layers": [layer]}));
    let image = node.pull(&format!("{}/app:v1", registry.host)).await.expect("pulled");
    assert_eq!(image.module.digest, Digest::of(PROGRAM));
    assert_eq!(image.config.env, [("A".to_owned(), "b".to_owned())]);
}
