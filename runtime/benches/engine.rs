//! What the engine costs, by hand: `cargo bench -p sampan-runtime`. Needs the sample guests (any build of the root package
//! makes them). Prints a table; nothing here is a test.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::Request;
use http_body_util::{BodyExt, Empty};
use netproxy::fabric::{self, DnsConfig, Fabric, Origin, PodAddress};
use runtime::container::{self, Container, Output, Spec, Stdio};
use runtime::engine::{Config, Engine};
use runtime::guest::CompiledGuest;
use runtime::sandbox::Sandbox;

const PODS: usize = 1_000;
const STARTS: usize = 300;
const BUSY: usize = 8;
const CALLERS: usize = 16;
const WINDOW: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() {
    let dir = tempfile::tempdir().expect("a directory for code");
    row("before the engine", format!("{} KiB resident", resident()));
    let begun = Instant::now();
    let engine = Engine::new(Config::new(dir.path())).expect("an engine");
    row("engine", format!("{:?}, {} KiB resident, {:?}", begun.elapsed(), resident(), engine.plan()));
    let echo = timed_load(&engine, "tcp-echo").await;
    let page = timed_load(&engine, "echo-hostname").await;
    cold_starts(&engine).await;
    clocks();
    let fabric = Fabric::new(fabric::Config::default());
    requests(&engine, &fabric, page.clone()).await;
    neighbours(&engine, &fabric, page).await;
    pods(&engine, &fabric, echo).await;
}

fn row(what: &str, figures: String) {
    println!("{what:<22} {figures}");
}

async fn timed_load(engine: &Engine, name: &str) -> Arc<CompiledGuest> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples-wasm/target/wasm32-wasip2/release");
    let path: PathBuf = path.join(format!("{name}.wasm"));
    let begun = Instant::now();
    drop(engine.load(name, &path).await.expect("the sample compiles"));
    let compiled = begun.elapsed();
    let begun = Instant::now();
    let guest = engine.load(name, &path).await.expect("the sample is cached");
    row(name, format!("compiled in {compiled:?}, loaded from the cache in {:?}", begun.elapsed()));
    guest
}

/// From an image whose code is on disk, and in no container, to a guest that waits for its first connection.
async fn cold_starts(engine: &Engine) {
    let fabric = Fabric::new(fabric::Config::default());
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples-wasm/target/wasm32-wasip2/release/udp-echo.wasm");
    drop(engine.load("udp-echo", &path).await.expect("the sample compiles"));
    let (mut loads, mut starts) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let pod = pod(&fabric, 0);
        let begun = Instant::now();
        let guest = engine.load("udp-echo", &path).await.expect("the sample is cached");
        loads.push(begun.elapsed());
        let spec = Spec::new(Arc::new(Lines::default()));
        let mut container = container::start(engine, guest, &pod, spec).expect("it starts");
        container.begun().await;
        starts.push(begun.elapsed());
        container.kill().await;
    }
    loads.sort();
    starts.sort();
    let (half, most) = (STARTS / 2, STARTS * 99 / 100);
    let figures = (loads[half], starts[half], starts[most]);
    row(
        "cold start",
        format!("code mapped after p50 {:?}, waiting after p50 {:?}, p99 {:?}", figures.0, figures.1, figures.2),
    );
}

/// What it costs to count a guest's turns: two looks at the wall's clock, or one at the thread's.
fn clocks() {
    const LOOKS: u32 = 1_000_000;
    let begun = Instant::now();
    for _ in 0..LOOKS {
        std::hint::black_box(Instant::now());
    }
    let wall = begun.elapsed() / LOOKS;
    let begun = Instant::now();
    for _ in 0..LOOKS {
        std::hint::black_box(rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime));
    }
    row("clocks", format!("the wall's {wall:?}, the thread's {:?}", begun.elapsed() / LOOKS));
}

/// Requests to a handler pod, as the proxy makes them.
async fn requests(engine: &Engine, fabric: &Fabric, guest: Arc<CompiledGuest>) {
    let pod = pod(fabric, 0);
    let mut spec = Spec::new(Arc::new(Lines::default()));
    spec.http_ports = vec![80];
    let _handler = container::start(engine, guest, &pod, spec).expect("port 80 is free");
    let at = SocketAddr::new(pod.plug.address(), 80);
    let (begun, cpu) = (Instant::now(), cpu_time());
    let callers = (0..CALLERS).map(|_| {
        let fabric = fabric.clone();
        tokio::spawn(async move {
            let mut count = 0_u32;
            while begun.elapsed() < WINDOW {
                get(&fabric, at).await;
                count += 1;
            }
            count
        })
    });
    let count: u32 = futures::future::join_all(callers).await.into_iter().map(|count| count.expect("a caller")).sum();
    let (took, cpu) = (begun.elapsed(), cpu_time() - cpu);
    let rate = f64::from(count) / took.as_secs_f64();
    row("handler requests", format!("{rate:.0} a second, {:?} CPU each, {} KiB resident", cpu / count, resident()));
}

/// How long a request takes while other guests keep every processor busy.
async fn neighbours(engine: &Engine, fabric: &Fabric, guest: Arc<CompiledGuest>) {
    let burn = timed_load(engine, "burn").await;
    let pod = pod(fabric, 0);
    let lines = Arc::new(Lines::default());
    let burning: Vec<Container> = (0..BUSY)
        .map(|_| container::start(engine, burn.clone(), &pod, Spec::new(lines.clone())).expect("it starts"))
        .collect();
    while lines.0.load(Ordering::Relaxed) < BUSY {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let mut spec = Spec::new(lines);
    spec.http_ports = vec![80];
    let _handler = container::start(engine, guest, &pod, spec).expect("port 80 is free");
    let at = SocketAddr::new(pod.plug.address(), 80);
    let (mut requests, mut sleeps) = (Vec::new(), Vec::new());
    for _ in 0..50 {
        let begun = Instant::now();
        get(fabric, at).await;
        requests.push(begun.elapsed());
        let begun = Instant::now();
        tokio::time::sleep(Duration::from_millis(1)).await;
        sleeps.push(begun.elapsed());
    }
    requests.sort();
    sleeps.sort();
    row(
        "beside busy guests",
        format!(
            "{BUSY}: p50 {:?}, p98 {:?}; the host's sleep of 1 ms takes {:?}",
            requests[25], requests[48], sleeps[48]
        ),
    );
    for container in burning {
        container.kill().await;
    }
}

async fn get(fabric: &Fabric, at: SocketAddr) {
    let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
    let request = Request::get("/").body(body).expect("a request");
    let response = fabric.request(Origin::Host, at, request).await.expect("a response");
    response.into_body().collect().await.expect("a body");
}

/// Pods that wait for a connection.
async fn pods(engine: &Engine, fabric: &Fabric, guest: Arc<CompiledGuest>) {
    let lines = Arc::new(Lines::default());
    let (before, begun) = (resident(), Instant::now());
    let mut running: Vec<(Sandbox, Container)> = Vec::new();
    for index in 1..=PODS {
        let pod = pod(fabric, index);
        let started = container::start(engine, guest.clone(), &pod, Spec::new(lines.clone())).expect("it starts");
        running.push((pod, started));
    }
    while lines.0.load(Ordering::Relaxed) < PODS {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let took = begun.elapsed();
    let each = (resident() - before) * 1024 / PODS as u64;
    row("pods", format!("{PODS} listening after {took:?}, {each} bytes resident each"));
    let begun = Instant::now();
    for (_, container) in running {
        container.kill().await;
    }
    row("pods killed", format!("in {:?}, {} KiB resident", begun.elapsed(), resident()));
}

fn pod(fabric: &Fabric, index: usize) -> Sandbox {
    let name = format!("pod-{index}");
    let ip = [10, 42, (index / 200) as u8, (index % 200) as u8 + 10].into();
    let address = PodAddress {
        ip,
        namespace: "default".into(),
        name: name.clone(),
        hostname: name.clone(),
        subdomain: None,
        dns: DnsConfig::default(),
    };
    Sandbox::new(fabric.attach(address).expect("a free address"), name)
}

/// Counts what it hears.
#[derive(Default)]
struct Lines(AtomicUsize);

impl Output for Lines {
    fn write(&self, _: Stdio, bytes: &[u8]) {
        self.0.fetch_add(bytes.iter().filter(|byte| **byte == b'\n').count(), Ordering::Relaxed);
    }
}

/// Resident memory in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
