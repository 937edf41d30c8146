//! One engine for all tests, guests by name, and ears for what they say.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Duration;

use netproxy::fabric::{self, Fabric, PodAddress};
use parking_lot::Mutex;
use runtime::container::{self, Container, Exit, Output, Spec, Stdio};
use runtime::engine::{Config, Engine};
use runtime::guest::CompiledGuest;
use runtime::sandbox::Sandbox;
use sha2::{Digest, Sha256};
use tokio::sync::Notify;

/// Far more than anything here takes; a test that reaches it has failed.
const DEADLINE: Duration = Duration::from_secs(60);

pub fn engine() -> &'static Engine {
    static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new(Config::new(scratch("code"))).unwrap());
    &ENGINE
}

/// A directory that outlives the run, so that the next one compiles less.
pub fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// The file of a sample guest. All are built with the first one asked for.
pub fn sample(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| build("wasm32-wasip2", &[])).join(format!("{name}.wasm"))
}

/// A sample built as a core module of wasip1.
pub fn module(name: &str) -> PathBuf {
    build("wasm32-wasip1", &["-p", name]).join(format!("{name}.wasm"))
}

fn build(target: &str, packages: &[&str]) -> PathBuf {
    let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples-wasm");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--release", "--locked", "--target", target]).args(packages);
    cargo.arg("--manifest-path").arg(guests.join("Cargo.toml")).arg("--target-dir").arg(guests.join("target"));
    for name in ["CARGO_TARGET_DIR", "CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS", "CARGO_BUILD_TARGET"] {
        cargo.env_remove(name);
    }
    let output = cargo.output().expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    guests.join("target").join(target).join("release")
}

pub async fn load(path: &Path) -> Arc<CompiledGuest> {
    engine().load(&digest(path), path).await.unwrap()
}

pub fn digest(path: &Path) -> String {
    let sum = Sha256::digest(std::fs::read(path).unwrap());
    format!("sha256:{}", sum.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

/// A component written out as text, in a file.
pub fn written(name: &str, text: &str) -> PathBuf {
    let path = scratch("written").join(format!("{name}.wasm"));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, wat::parse_str(text).unwrap()).unwrap();
    path
}

/// A network with pods in it, for one test.
pub struct Net {
    pub fabric: Fabric,
    next: Mutex<u8>,
}

impl Net {
    pub fn new() -> Net {
        Net::configured(fabric::Config::default())
    }

    pub fn configured(config: fabric::Config) -> Net {
        Net { fabric: Fabric::new(config), next: Mutex::new(1) }
    }

    pub fn pod(&self, name: &str) -> Sandbox {
        let mut next = self.next.lock();
        *next += 1;
        let plug = self.fabric.attach(PodAddress {
            ip: [10, 42, 0, *next].into(),
            namespace: "default".into(),
            name: name.into(),
            hostname: name.into(),
            subdomain: None,
            dns: fabric::DnsConfig::default(),
        });
        Sandbox::new(plug.unwrap(), name)
    }
}

/// What a container said.
#[derive(Default)]
pub struct Ears {
    heard: Mutex<Vec<u8>>,
    more: Notify,
}

impl Output for Ears {
    fn write(&self, _: Stdio, bytes: &[u8]) {
        self.heard.lock().extend_from_slice(bytes);
        self.more.notify_waiters();
    }
}

impl Ears {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.heard.lock()).into_owned()
    }

    /// Waits until it has said this.
    pub async fn hear(&self, words: &str) {
        let wait = async {
            loop {
                let more = self.more.notified();
                if self.text().contains(words) {
                    return;
                }
                more.await;
            }
        };
        if tokio::time::timeout(DEADLINE, wait).await.is_err() {
            panic!("waited for {words:?}, heard {:?}", self.text());
        }
    }
}

pub fn spec(ears: &Arc<Ears>, args: &[&str]) -> Spec {
    let mut spec = Spec::new(ears.clone());
    spec.args = args.iter().map(|arg| (*arg).to_owned()).collect();
    spec
}

/// Starts a sample in a pod.
pub async fn start(pod: &Sandbox, args: &[&str]) -> (Container, Arc<Ears>) {
    start_with(pod, args, |_| {}).await
}

pub async fn start_with(pod: &Sandbox, args: &[&str], change: impl FnOnce(&mut Spec)) -> (Container, Arc<Ears>) {
    start_file(pod, &sample(args[0]), args, change).await
}

/// Starts what is in a file.
pub async fn start_file(
    pod: &Sandbox,
    file: &Path,
    args: &[&str],
    change: impl FnOnce(&mut Spec),
) -> (Container, Arc<Ears>) {
    let ears = Arc::new(Ears::default());
    let mut spec = spec(&ears, args);
    change(&mut spec);
    let guest = load(file).await;
    (container::start(engine(), guest, pod, spec).unwrap(), ears)
}

pub async fn exit(container: &mut Container) -> Exit {
    tokio::time::timeout(DEADLINE, container.exited()).await.expect("the guest ends")
}
