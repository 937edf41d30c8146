//! `sampan server`.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use sampan::{Cluster, Settings};

use super::compile;
use super::signals::Signals;

/// The flags of `sampan server`.
#[derive(Args)]
pub struct Server {
    /// A YAML file with these settings, in camelCase
    #[arg(long, env = "SAMPAN_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
}

impl Server {
    /// Serves until it is told to stop.
    pub async fn run(self) -> anyhow::Result<()> {
        let mut signals = Signals::catch()?;
        let file = match &self.config {
            None => Settings::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
                serde_yaml::from_str(&text).with_context(|| format!("in {}", path.display()))?
            }
        };
        let mut settings = self.settings.over(file).over(compile::by_itself());
        settings.listen.get_or_insert_with(|| ([127, 0, 0, 1], 6443).into());
        let mut cluster = Cluster::builder().settings(settings).start().await?;
        println!("sampan: ready at {} (kubeconfig: {})", cluster.url(), cluster.kubeconfig().display());
        signals.or_failed(&mut cluster).await?;
        cluster.stop().await;
        Ok(())
    }
}
