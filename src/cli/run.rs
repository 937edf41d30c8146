//! `sampan run`: manifests in, a running cluster out.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use k8s_openapi::api::core::v1::Service;
use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt as _};
use sampan::{Cluster, NodePorts, Protocol, Settings};
use tokio::time::{Instant, timeout_at};

use super::manifests::Manifests;
use super::signals::Signals;
use super::{apply, compile, follow, wait};

/// The flags of `sampan run`.
#[derive(Args)]
pub struct Run {
    /// A manifest, a folder of manifests, or - for standard input; may be repeated
    #[arg(short, long = "file", required = true, value_name = "FILE|DIR|-")]
    files: Vec<PathBuf>,
    /// Keep everything in this folder, for the next run [default: a folder that goes with the process]
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// How long to wait until all is ready
    #[arg(long, default_value = "30s", value_parser = duration, value_name = "TIME")]
    timeout: Duration,
    /// Where the API listens; port 0 picks a free one
    #[arg(long, env = "SAMPAN_LISTEN", default_value = "127.0.0.1:0", value_name = "ADDR:PORT")]
    listen: std::net::SocketAddr,
}

impl Run {
    /// Applies the manifests to a cluster of their own, and stays until it is told to stop.
    pub async fn run(self) -> anyhow::Result<()> {
        let manifests = Manifests::read(&self.files)?;
        let mut signals = Signals::catch()?;
        let scratch = tempfile::tempdir().context("making a folder for the cluster")?;
        let data_dir = self.keep.clone().unwrap_or_else(|| scratch.path().to_owned());
        manifests.import(&sampan::image::Store::open(sampan::image_dir(&data_dir))?)?;
        let settings = Settings { data_dir: Some(data_dir), listen: Some(self.listen), ..compile::by_itself() };
        let mut cluster = Cluster::builder().settings(settings).start().await?;
        let (client, ports) = (cluster.client(), cluster.node_ports());
        tokio::select! {
            done = self.bring_up(&client, &ports, &manifests) => done?,
            stopped = signals.or_failed(&mut cluster) => {
                stopped?;
                cluster.stop().await;
                return Ok(());
            }
        }
        println!("\nkubectl --kubeconfig {} get pods\n\nCtrl-C stops everything.", cluster.kubeconfig().display());
        tokio::select! {
            ended = follow::logs(client) => ended?,
            stopped = signals.or_failed(&mut cluster) => stopped?,
        }
        cluster.stop().await;
        Ok(())
    }

    async fn bring_up(&self, client: &Client, ports: &NodePorts, manifests: &Manifests) -> anyhow::Result<()> {
        let mut applied = Vec::new();
        for object in &manifests.objects {
            let one = apply::apply(client, object).await?;
            println!("{} applied", one.title);
            applied.push(one);
        }
        wait::ready(client, &applied, self.timeout).await?;
        print_addresses(client, ports, Instant::now() + self.timeout).await
    }
}

/// Says where node ports can be reached from this machine, each once it can be.
async fn print_addresses(client: &Client, ports: &NodePorts, deadline: Instant) -> anyhow::Result<()> {
    let nodes = Api::<k8s_openapi::api::core::v1::Node>::all(client.clone()).list(&ListParams::default()).await?;
    let internal = |n: &k8s_openapi::api::core::v1::Node| {
        let addresses = n.status.as_ref()?.addresses.as_ref()?;
        addresses.iter().find(|a| a.type_ == "InternalIP").map(|a| a.address.clone())
    };
    let host = nodes.iter().find_map(internal).unwrap_or_else(|| "127.0.0.1".to_owned());
    let services = Api::<Service>::all(client.clone()).list(&ListParams::default()).await?;
    for service in &services {
        for port in service.spec.iter().flat_map(|s| s.ports.iter().flatten()) {
            let Some(node_port) = port.node_port else { continue };
            let (scheme, protocol) = match port.protocol.as_deref() {
                Some("UDP") => ("udp", Protocol::Udp),
                _ => ("http", Protocol::Tcp),
            };
            let name = service.name_any();
            let served = ports.serves(protocol, u16::try_from(node_port)?);
            if timeout_at(deadline, served).await.is_err() {
                bail!("service/{name}: its node port {node_port} does not lead to a ready pod");
            }
            println!("service/{name} is at {scheme}://{host}:{node_port}");
        }
    }
    Ok(())
}

/// Reads `90s`, `5m`, `1h` or a number of seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.find(|c: char| !c.is_ascii_digit()) {
        None => (text, "s"),
        Some(at) => text.split_at(at),
    };
    let number: u64 = number.parse().map_err(|_| format!("{text} is not a time; write 30s, 5m or 1h"))?;
    match unit {
        "s" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(60 * number)),
        "h" => Ok(Duration::from_secs(3600 * number)),
        _ => Err(format!("{text} is not a time; write 30s, 5m or 1h")),
    }
}
