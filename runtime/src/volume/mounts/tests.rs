use std::os::unix::fs::symlink;

use serde_json::{Value, from_value, json};

use super::super::places::Places;
use super::*;

/// A node and one pod of it.
struct Bench {
    node: tempfile::TempDir,
    places: Places,
}

impl Bench {
    fn new() -> Self {
        let node = tempfile::tempdir().expect("directory");
        fs::create_dir_all(node.path().join("data")).expect("directory");
        fs::create_dir_all(node.path().join("srv")).expect("directory");
        let places = Places::new(&node.path().join("data"), &[node.path().join("srv")]).expect("places");
        Self { node, places }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.node.path().join(path)
    }

    fn mounts(&self, volumes: Value, mounts: Value) -> Result<Vec<Mount>, String> {
        let container = json!({"name": "c", "volumeMounts": mounts});
        let pod = json!({"metadata": {"uid": "u"}, "spec": {"containers": [container], "volumes": volumes}});
        let pod: Pod = from_value(pod).expect("a pod");
        let mut given = Given::for_tests();
        let map = json!({"metadata": {"name": "app"}, "data": {"a.conf": "one", "b.conf": "two"}});
        given.config_maps.insert("app".to_owned(), std::sync::Arc::new(from_value(map).expect("a map")));
        let directory = self.at("data/pods/u/volumes");
        let site = Site { places: &self.places, directory: &directory };
        let variables = BTreeMap::from([("POD".to_owned(), "web-1".to_owned())]);
        let spec = pod.spec.clone().expect("a spec");
        for volume in spec.volumes.iter().flatten() {
            super::super::provide(volume, &pod, &given, site).map_err(|error| error.to_string())?;
        }
        let made = super::mounts(&pod, &spec.containers[0], &variables, &given, site, &self.at("data/pods/u/own"));
        made.map_err(|error| error.to_string())
    }
}

fn shown(mounts: &[Mount]) -> Vec<(&str, bool)> {
    mounts.iter().map(|mount| (mount.guest.as_str(), mount.read_only)).collect()
}

fn read(mount: &Mount, path: &str) -> String {
    fs::read_to_string(mount.source().join(path)).unwrap_or_else(|error| error.to_string())
}

#[test]
fn mounts_nest_and_outer_ones_show_inner_ones() {
    let bench = Bench::new();
    let volumes = json!([{"name": "a", "emptyDir": {}}, {"name": "b", "emptyDir": {}},
        {"name": "conf", "configMap": {"name": "app"}}]);
    let mounts = json!([{"name": "b", "mountPath": "/data/deep/sub/"}, {"name": "a", "mountPath": "/data"},
        {"name": "conf", "mountPath": "etc/app"}]);
    let mounts = bench.mounts(volumes, mounts).expect("mounts");
    assert_eq!(shown(&mounts), [("/data", false), ("/data/deep/sub", false), ("/etc/app", true)]);
    assert!(mounts[0].source().join("deep/sub").is_dir());
    assert_eq!(read(&mounts[2], "a.conf"), "one");
}

#[test]
fn a_part_of_a_volume_is_made_and_cannot_lead_out() {
    let bench = Bench::new();
    let volumes = || json!([{"name": "v", "emptyDir": {}}]);
    let with = |mount: Value| {
        let mut whole = json!({"name": "v", "mountPath": "/d"});
        whole.as_object_mut().expect("mount").extend(mount.as_object().cloned().expect("fields"));
        bench.mounts(volumes(), json!([whole]))
    };
    let volume = bench.at("data/pods/u/volumes/v");
    let mounts = with(json!({"subPathExpr": "logs/$(POD)"})).expect("mounts");
    assert!(volume.join("logs/web-1").is_dir() && mounts[0].host.ends_with("logs/web-1"));
    assert!(mounts[0].pin.is_some(), "a guest could move it");
    assert_eq!(with(json!({"subPathExpr": "$(NOBODY)"})).expect_err("refused"), "missing value for \"NOBODY\"");
    symlink("../../../../../srv", volume.join("out")).expect("link");
    for part in ["out", "out/new"] {
        let refused = with(json!({"subPath": part})).expect_err("refused");
        let words = "failed to prepare subPath for volumeMount \"v\" of container \"c\": ";
        assert!(refused.starts_with(words) && refused.contains("leads out of"), "{refused}");
    }
    assert_eq!(fs::read_dir(bench.at("srv")).expect("read").count(), 0);
    assert!(with(json!({"subPath": "../x"})).expect_err("refused").starts_with("invalid path"));
}

#[test]
fn files_are_shown_in_the_directory_around_them() {
    let bench = Bench::new();
    fs::write(bench.at("srv/state"), "0").expect("file");
    let volumes = json!([{"name": "conf", "configMap": {"name": "app"}}, {"name": "data", "emptyDir": {}},
        {"name": "state", "hostPath": {"path": bench.at("srv/state"), "type": "File"}}]);
    let mounts = json!([
        {"name": "conf", "mountPath": "/etc/app/a.conf", "subPath": "a.conf"},
        {"name": "conf", "mountPath": "/etc/app/other", "subPath": "b.conf"},
        {"name": "data", "mountPath": "/data"},
        {"name": "conf", "mountPath": "/data/settings", "subPath": "a.conf"},
        {"name": "state", "mountPath": "/var/state"}]);
    let mounts = bench.mounts(volumes.clone(), mounts).expect("mounts");
    assert_eq!(shown(&mounts), [("/data", false), ("/etc/app", true), ("/var", false)]);
    assert_eq!((read(&mounts[1], "a.conf"), read(&mounts[1], "other")), ("one".into(), "two".into()));
    assert_eq!(read(&mounts[0], "settings"), "one");
    fs::write(mounts[0].source().join("settings"), "changed").expect("the copy is the guest's");
    fs::write(mounts[2].source().join("state"), "1").expect("written");
    assert_eq!(fs::read_to_string(bench.at("srv/state")).expect("read"), "1", "the very file");
    symlink(bench.at("data"), bench.at("link")).expect("link");
    for own in ["data/pods/u/own", "link/pods/u/own"].map(|own| bench.at(own)) {
        assert_eq!(own_directory(&mounts, "/etc/app", &own), Some(&*mounts[1].host), "made for the files");
        assert_eq!(own_directory(&mounts, "/data", &own), None, "a volume");
    }
    let inside = json!([{"name": "conf", "mountPath": "/etc/app"},
        {"name": "state", "mountPath": "/etc/app/state"}]);
    let refused = bench.mounts(volumes, inside).expect_err("refused");
    assert!(refused.ends_with("at /etc/app/state: the volume around it is read-only"), "{refused}");
}
