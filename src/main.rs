//! The `sampan` command.

mod cli;
mod telemetry;

use std::process::ExitCode;

use clap::Parser as _;
use mimalloc::MiMalloc;

/// A thousand pods that start take, for a second, twice of what they keep: this one gives that back. A program that embeds a
/// cluster has its own.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    telemetry::start(cli.verbose, cli.json_logs);
    match cli.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sampan: {}", told(&error));
            ExitCode::FAILURE
        }
    }
}

/// An error with its causes. Some errors end with the words of their cause already; these are not said again.
fn told(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |said, cause| match said.as_str() {
        "" => cause,
        before if before.ends_with(&cause) => said,
        _ => format!("{said}: {cause}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let cause = || anyhow::anyhow!("no such file");
        assert_eq!(told(&cause().context("reading x")), "reading x: no such file");
        assert_eq!(told(&cause().context("x: no such file").context("importing x")), "importing x: x: no such file");
    }
}
