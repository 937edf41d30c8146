//! `wasi:logging`: lines in the container's log, on standard error.

use std::future::poll_fn;

use wasmtime::component::{HasData, Linker};

use super::Host;
use crate::container::Stdio;
use crate::container::console::Console;

mod bindings {
    wasmtime::component::bindgen!({
        path: "wit/logging",
        world: "sampan:host/logging",
        imports: { default: async | trappable },
        require_store_data_send: true,
    });
}

use bindings::wasi::logging::logging::{self, Level};

/// The name that guests import it by which were made before it had a version.
const UNVERSIONED: &str = "wasi:logging/logging";

struct Logging;

impl HasData for Logging {
    type Data<'a> = View<'a>;
}

/// What the interface's function works on.
pub(super) struct View<'a>(&'a Console);

impl Host {
    fn logging(&mut self) -> View<'_> {
        View(&self.setting.console)
    }
}

pub(super) fn add_to_linker(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    logging::add_to_linker::<Host, Logging>(linker, Host::logging)?;
    linker.instance(UNVERSIONED)?.func_wrap_async(
        "log",
        |mut store, (level, context, message): (Level, String, String)| {
            Box::new(async move {
                store.data_mut().logging().write(level, &context, &message).await;
                Ok(())
            })
        },
    )
}

impl View<'_> {
    /// A log that is behind holds the guest up, not the thread.
    async fn write(&self, level: Level, context: &str, message: &str) {
        poll_fn(|cx| self.0.poll_ready(cx)).await;
        self.0.write(Stdio::Stderr, line(level, context, message).as_bytes());
    }
}

impl logging::Host for View<'_> {
    async fn log(&mut self, level: Level, context: String, message: String) -> wasmtime::Result<()> {
        self.write(level, &context, &message).await;
        Ok(())
    }
}

fn line(level: Level, context: &str, message: &str) -> String {
    let level = match level {
        Level::Trace => "TRACE",
        Level::Debug => "DEBUG",
        Level::Info => "INFO",
        Level::Warn => "WARN",
        Level::Error => "ERROR",
        Level::Critical => "CRITICAL",
    };
    let separator = if context.is_empty() { "" } else { ": " };
    format!("{level} {context}{separator}{message}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_level_and_its_context() {
        assert_eq!(line(Level::Warn, "door", "open"), "WARN door: open\n");
        assert_eq!(line(Level::Critical, "", "gone"), "CRITICAL gone\n");
    }
}
