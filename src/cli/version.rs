//! `sampan version`.

/// Prints the version of this binary and of the API that it serves.
pub fn print() -> anyhow::Result<()> {
    println!("sampan {}", env!("CARGO_PKG_VERSION"));
    println!("kubernetes {}", control::VERSION);
    println!("{}", runtime::engine::Engine::version());
    Ok(())
}
