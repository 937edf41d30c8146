//! Processor time a request that comes in at the node port and goes to an HTTP-handler pod, beside a native server that
//! does the same, and beside `wasmtime serve` with the same component where that is on the PATH.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures::future::try_join_all;
use tokio::time::sleep;

use crate::connection::Connection;
use crate::home::{Home, component};
use crate::manifests::{PODS, SERVICES, namespace, node_port, pod};
use crate::pod_watch::PodWatch;
use crate::process::Process;
use crate::report::{Row, micros};
use crate::running::Running;
use crate::yardstick;

const GUEST: &str = "echo-hostname";
const CONNECTIONS: usize = 8;
const WARM_UP: usize = 2_000;
const REQUESTS: usize = 30_000;

/// A program that serves HTTP may take this long to answer for the first time.
const PATIENCE: Duration = Duration::from_secs(30);

/// The settings of the pool that Sampan has too: memory of finished instances stays resident and is cleared by what
/// the kernel knows to be written.
const POOL: &[&str] = &[
    "-O",
    "pooling-allocator=y",
    "-O",
    "pooling-memory-keep-resident=1048576",
    "-O",
    "pooling-table-keep-resident=1048576",
    "-O",
    "pooling-pagemap-scan=yes",
];

pub async fn measure() -> anyhow::Result<Vec<Row>> {
    let native = native().await?;
    let wasmtime = wasmtime().await;
    let sampan = sampan().await?;
    let peer = match &wasmtime {
        Ok(wasmtime) => format!("wasmtime serve {}", wasmtime.text()),
        Err(error) => {
            eprintln!("no wasmtime serve to compare with: {error:#}");
            "wasmtime serve: not measured".to_owned()
        }
    };
    let times = sampan.cpu.as_secs_f64() / native.cpu.as_secs_f64().max(f64::MIN_POSITIVE);
    Ok(vec![
        Row::new("a request through the node port to an HTTP-handler pod", sampan.text())
            .budget("≥ 1.5 × tuned wasmtime serve")
            .peer(peer),
        Row::new("  in processor time of a native hyper server", format!("{times:.1} ×"))
            .budget("≤ 3.6 ×")
            .peer(format!("native hyper {}", native.text())),
    ])
}

/// What was measured of one server.
struct Served {
    cpu: Duration,
    rate: f64,
}

impl Served {
    fn text(&self) -> String {
        format!("{} CPU, {:.0}/s", micros(self.cpu), self.rate)
    }

    /// Loads a server with connections that stay open, a request at a time on each.
    async fn of(address: SocketAddr, process: Process) -> anyhow::Result<Self> {
        load(address, WARM_UP).await?;
        let (cpu, began) = (process.cpu()?, Instant::now());
        load(address, REQUESTS).await?;
        let took = began.elapsed();
        let cpu = (process.cpu()? - cpu).div_f64(REQUESTS as f64);
        Ok(Self { cpu, rate: REQUESTS as f64 / took.as_secs_f64() })
    }
}

async fn load(address: SocketAddr, requests: usize) -> anyhow::Result<()> {
    let clients = (0..CONNECTIONS).map(|_| async move {
        let mut connection = Connection::plain(address).await?;
        for _ in 0..requests / CONNECTIONS {
            connection.get("/").await?;
        }
        anyhow::Ok(())
    });
    try_join_all(clients).await?;
    Ok(())
}

async fn sampan() -> anyhow::Result<Served> {
    let home = Home::with_image(GUEST)?;
    let server = home.start(&[])?;
    let mut api = server.connect().await?;
    namespace(&mut api).await?;
    let service = api.post(SERVICES, &node_port(GUEST)).await?;
    let port = service["spec"]["ports"][0]["nodePort"].as_u64().and_then(|port| u16::try_from(port).ok());
    let address = server.node_port(port.context("the service has no node port")?);
    let mut watch = PodWatch::open(server.connect().await?).await?;
    api.post(PODS, &pod("handler", GUEST)).await?;
    watch.ready("handler").await?;
    answers(address).await?;
    let served = Served::of(address, server.process()).await?;
    server.stop().await?;
    Ok(served)
}

async fn native() -> anyhow::Result<Served> {
    let home = Home::new()?;
    let mut command = Command::new(std::env::current_exe()?);
    let running = Running::start(command.arg(yardstick::NAME), yardstick::READY, File::create(home.log())?)?;
    let address = running.line.rsplit(' ').next().context("no address")?.parse()?;
    Served::of(address, running.process()).await
}

async fn wasmtime() -> anyhow::Result<Served> {
    let home = Home::new()?;
    let address = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
    let mut command = Command::new("wasmtime");
    command.arg("serve").args(POOL).args(["-S", "cli=y", "--env", "HOSTNAME=peer", "--addr"]);
    command.arg(address.to_string()).arg(component(GUEST));
    let log = File::create(home.log())?;
    let mut child = command.stdout(log.try_clone()?).stderr(log).spawn()?;
    let served = async {
        answers(address).await?;
        Served::of(address, Process(child.id())).await
    }
    .await;
    let _ = child.kill();
    let _ = child.wait();
    served
}

/// Returns when a request is answered there.
async fn answers(address: SocketAddr) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        let answer = async { Connection::plain(address).await?.get("/").await }.await;
        match answer {
            Ok(_) => return Ok(()),
            Err(error) if began.elapsed() > PATIENCE => return Err(error),
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}
