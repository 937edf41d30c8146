//! Room is made among compiled code, and never of what runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use runtime::engine::{Config, Engine};
use tempfile::TempDir;

use crate::harness::{sample, scratch};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A directory of compiled code, and programs in another.
struct Disk {
    dir: TempDir,
}

impl Disk {
    fn new() -> Disk {
        let dir = tempfile::tempdir_in(scratch("")).unwrap();
        fs::create_dir(dir.path().join("programs")).unwrap();
        Disk { dir }
    }

    /// As after a start of the node.
    fn engine(&self, instances: u32) -> Engine {
        let mut config = Config::new(self.dir.path().join("code"));
        config.instances = Some(instances);
        Engine::new(config).unwrap()
    }

    /// A program of its own for each name.
    fn program(&self, name: &str) -> PathBuf {
        let path = self.dir.path().join("programs").join(name);
        let text = format!(
            r#"(component
                (core module $m (func (export "run") (result i32) i32.const 0) (func (export "{name}")))
                (core instance $i (instantiate $m))
                (func $run (result (result)) (canon lift (core func $i "run")))
                (instance $cli (export "run" (func $run)))
                (export "wasi:cli/run@0.2.0" (instance $cli)))"#
        );
        fs::write(&path, wat::parse_str(text).unwrap()).unwrap();
        path
    }

    /// All files of compiled code.
    fn files(&self) -> Vec<PathBuf> {
        walk(&self.dir.path().join("code"))
    }

    fn code(&self) -> usize {
        self.files().iter().filter(|path| path.extension().is_some_and(|ending| ending == "cwasm")).count()
    }

    /// As if all that has been written so far had been written this long ago.
    fn age(&self, age: Duration) {
        let then = SystemTime::now() - age;
        let code = self.dir.path().join("code");
        let engines = fs::read_dir(code).unwrap().map(|entry| entry.unwrap().path());
        for path in self.files().into_iter().chain(engines) {
            fs::File::open(path).unwrap().set_modified(then).unwrap();
        }
    }
}

fn walk(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

/// A place where no program is: what is loaded from there comes out of the cache or not at all.
const GONE: &str = "/nowhere/gone.wasm";

#[tokio::test]
async fn under_need_goes_what_nothing_runs() {
    let disk = Disk::new();
    let engine = disk.engine(8);
    let runs = engine.load("sha256:runs", &disk.program("runs")).await.unwrap();
    drop(engine.load("sha256:idle", &disk.program("idle")).await.unwrap());
    assert_eq!(engine.collect_code(u64::MAX), 0, "both were made a moment ago");
    disk.age(2 * DAY);
    assert_eq!(engine.collect_code(0), 0, "there is room");
    assert!(engine.collect_code(u64::MAX) > 0);
    assert_eq!(disk.code(), 1);
    let again = engine.load("sha256:runs", Path::new(GONE)).await.unwrap();
    assert!(std::sync::Arc::ptr_eq(&runs, &again));
    assert!(engine.load("sha256:idle", Path::new(GONE)).await.is_err(), "its code is no more");
    engine.load("sha256:idle", &disk.dir.path().join("programs/idle")).await.unwrap();
    assert_eq!(disk.code(), 2, "and is made again");
}

#[tokio::test]
async fn what_was_used_longest_ago_goes_first() {
    let disk = Disk::new();
    let engine = disk.engine(8);
    drop(engine.load("sha256:one", &disk.program("one")).await.unwrap());
    drop(engine.load("sha256:two", &disk.program("two")).await.unwrap());
    disk.age(3 * DAY);
    drop(engine.load("sha256:one", Path::new(GONE)).await.unwrap());
    assert!(engine.collect_code(1) > 0);
    engine.load("sha256:one", Path::new(GONE)).await.expect("it was used a moment ago");
    assert!(engine.load("sha256:two", Path::new(GONE)).await.is_err());
}

#[tokio::test]
async fn code_goes_with_its_program() {
    let disk = Disk::new();
    let engine = disk.engine(8);
    let runs = engine.load("sha256:runs", &disk.program("runs")).await.unwrap();
    drop(engine.load("sha256:stays", &disk.program("stays")).await.unwrap());
    drop(engine.load("sha256:goes", &disk.program("goes")).await.unwrap());
    for name in ["runs", "goes"] {
        fs::remove_file(disk.dir.path().join("programs").join(name)).unwrap();
    }
    disk.age(DAY / 2);
    assert!(engine.collect_code(0) > 0);
    assert_eq!(disk.code(), 2, "what runs stays, and what may be started again");
    drop(runs);
    assert!(engine.collect_code(0) > 0);
    assert_eq!(disk.code(), 1);
}

#[tokio::test]
async fn code_of_another_engine_is_kept_for_a_week_or_until_there_is_need() {
    let disk = Disk::new();
    let before = disk.engine(8);
    drop(before.load("sha256:one", &disk.program("one")).await.unwrap());
    drop(before);
    disk.age(6 * DAY);
    // Its settings are not those: another release, another processor.
    fs::rename(engine_dir(&disk), disk.dir.path().join("code/0123456789abcdef")).unwrap();
    fs::create_dir(disk.dir.path().join("code/lost+found")).unwrap();
    let engine = disk.engine(8);
    assert_eq!(engine.collect_code(0), 0);
    assert!(engine.collect_code(1) > 0);
    assert_eq!(disk.code(), 0);
    assert!(disk.dir.path().join("code/lost+found").exists(), "it is nobody's code");
}

#[tokio::test]
async fn code_for_the_second_engine_belongs_to_the_first() {
    let disk = Disk::new();
    drop(disk.engine(16).load("sha256:hello", &sample("hello_p3")).await.unwrap());
    disk.age(30 * DAY);
    // As after a restart, when no guest of WASI 0.3 has come yet.
    let engine = disk.engine(16);
    assert_eq!(engine.collect_code(0), 0);
    drop(engine.load("sha256:hello", Path::new(GONE)).await.unwrap());
    assert!(disk.files().len() > 1);
    disk.age(30 * DAY);
    assert!(engine.collect_code(u64::MAX) > 0);
    assert_eq!(disk.files(), Vec::<PathBuf>::new(), "with the note that led to it");
}

fn engine_dir(disk: &Disk) -> PathBuf {
    fs::read_dir(disk.dir.path().join("code")).unwrap().next().unwrap().unwrap().path()
}
