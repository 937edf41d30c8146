//! What can be typed. One file a command.

mod apply;
mod follow;
mod image;
mod manifests;
mod run;
mod server;
mod signals;
mod version;
mod wait;

use clap::{Parser, Subcommand};

/// The Kubernetes API for WebAssembly, on any device, in one process.
#[derive(Parser)]
#[command(name = "sampan", version, arg_required_else_help = true)]
pub struct Cli {
    /// Say more on standard error; repeat for more still
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Write the process's own logs as JSON
    #[arg(long, global = true, env = "SAMPAN_JSON_LOGS")]
    pub json_logs: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run manifests: a whole cluster in one process, until Ctrl-C
    Run(run::Run),
    /// Serve the API, and run what it is told
    Server(Box<server::Server>),
    /// Put WebAssembly images on this device, and see what is there
    #[command(subcommand)]
    Image(image::Image),
    /// Say which version this is
    Version,
}

impl Cli {
    /// Does what was typed.
    ///
    /// # Errors
    /// Whatever went wrong, in words for the person who typed it.
    pub fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Run(run) => block_on(run.run()),
            Command::Server(server) => block_on(server.run()),
            Command::Image(image) => image.run(),
            Command::Version => version::print(),
        }
    }
}

/// Runs a command on the runtime of the API, the proxy and the agent; guests have one of their own.
fn block_on<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(future)
}
