//! `sampan compile-guest`: how a node compiles in a process of its own.

use std::io;

use clap::Args;
use runtime::engine::compiler::{self, Order};
use runtime::engine::plan::Plan;
use sampan::Settings;

/// For which engine; the component comes on standard input, the code goes to standard output.
#[derive(Args)]
pub struct Compile {
    slots: u32,
    reservation: u64,
    guard: u64,
    #[arg(long)]
    concurrent: bool,
}

impl Compile {
    /// Compiles one guest.
    pub fn run(self) -> anyhow::Result<()> {
        let Self { slots, reservation, guard, concurrent } = self;
        let order = Order { plan: Plan { slots, reservation, guard }, concurrent };
        Ok(compiler::serve(order, io::stdin().lock(), io::stdout().lock())?)
    }
}

/// Has this executable compile: by a name that is still its own when its file was replaced.
pub fn by_itself() -> Settings {
    Settings { compiler: Some("/proc/self/exe".into()), ..Settings::default() }
}
